-- Webhooks that have something to hear and nobody who says it, locked; those that waited longest first.
-- $1 bigint: now, unix ms
-- $2 bigint: at most so many
SELECT w.webhook_id
FROM webhook w
WHERE w.active AND NOT w.deleted AND w.busy_until_unix_ms <= $1
	AND EXISTS (SELECT FROM webhook_delivery d WHERE d.webhook_id = w.webhook_id AND d.given_up_unix_ms IS NULL AND d.next_unix_ms <= $1)
ORDER BY w.claimed_unix_ms, w.webhook_id
LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
