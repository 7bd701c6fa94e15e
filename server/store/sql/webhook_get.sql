-- A webhook.
-- $1 text: uuid
SELECT webhook_id, uuid, name, url, events, description, secret, secret_key_id, active, created_unix_ms, updated_unix_ms
FROM webhook
WHERE uuid = $1 AND NOT deleted
