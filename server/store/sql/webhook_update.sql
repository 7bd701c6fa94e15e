-- Change a webhook to what these say, all of them.
-- $1 bigint: webhook_id
-- $2 text: name
-- $3 text: url
-- $4 text[]: events
-- $5 text: description, NULL for none
-- $6 bytea: sealed secret, NULL for none
-- $7 text: id of its key, NULL for none
-- $8 boolean: active
-- $9 bigint: now, unix ms
UPDATE webhook
SET name = $2, url = $3, events = $4, description = $5, secret = $6, secret_key_id = $7, active = $8, updated_unix_ms = $9
WHERE webhook_id = $1
