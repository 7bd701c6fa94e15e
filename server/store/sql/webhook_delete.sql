-- Delete a webhook, and forget its secret.
-- $1 bigint: webhook_id
-- $2 bigint: now, unix ms
UPDATE webhook SET deleted = true, active = false, secret = NULL, secret_key_id = NULL, updated_unix_ms = $2
WHERE webhook_id = $1
