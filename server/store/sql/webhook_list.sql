-- Webhooks, the newest first.
-- $1 bigint: those created before then (unix ms), or with it and
-- $2 bigint: a smaller webhook_id than this
-- $3 bigint: at most so many
SELECT webhook_id, uuid, name, url, events, description, secret, secret_key_id, active, created_unix_ms, updated_unix_ms
FROM webhook
WHERE NOT deleted AND (created_unix_ms, webhook_id) < ($1, $2)
ORDER BY created_unix_ms DESC, webhook_id DESC
LIMIT $3
