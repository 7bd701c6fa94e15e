-- The first delivery that is due of each of these webhooks, whose rows are locked: it is ours until the time given.
-- $1 bigint[]: webhook_ids
-- $2 bigint: now, unix ms
-- $3 bigint: busy until, unix ms
WITH first AS (
	SELECT w.webhook_id, d.delivery_id
	FROM unnest($1::bigint[]) AS w (webhook_id)
	CROSS JOIN LATERAL (
		SELECT delivery_id FROM webhook_delivery
		WHERE webhook_id = w.webhook_id AND given_up_unix_ms IS NULL AND next_unix_ms <= $2
		ORDER BY next_unix_ms, delivery_id
		LIMIT 1
	) d
), busy AS (
	UPDATE webhook w SET busy_until_unix_ms = $3, claimed_unix_ms = $2
	FROM first
	WHERE w.webhook_id = first.webhook_id
	RETURNING w.webhook_id, w.uuid AS webhook_uuid, w.url, w.secret, w.secret_key_id, first.delivery_id
)
UPDATE webhook_delivery d SET attempts = d.attempts + 1
FROM busy
WHERE d.delivery_id = busy.delivery_id
RETURNING d.delivery_id, d.uuid, d.entity, d.action, d.data::text AS data, d.event_unix_ms, d.attempts,
	busy.webhook_id, busy.webhook_uuid, busy.url, busy.secret, busy.secret_key_id
