-- Empty the outbox: a delivery for each webhook that wants an event; what nobody wants is over. How many events that were.
-- $1 bigint: now, unix ms
-- $2 bigint: at most so many
WITH taken AS (
	DELETE FROM outbox
	WHERE event_id IN (SELECT event_id FROM outbox ORDER BY event_id LIMIT $2 FOR UPDATE SKIP LOCKED)
	RETURNING event_id, entity, action, data, created_unix_ms
), put AS (
	INSERT INTO webhook_delivery (uuid, webhook_id, entity, action, data, event_unix_ms, next_unix_ms)
	SELECT gen_random_uuid()::text, w.webhook_id, t.entity, t.action, t.data, t.created_unix_ms, $1
	FROM taken t JOIN webhook w ON (t.entity || '.' || t.action) COLLATE "C" = ANY (w.events)
	WHERE w.active AND NOT w.deleted
	ORDER BY t.event_id
)
SELECT count(*) FROM taken
