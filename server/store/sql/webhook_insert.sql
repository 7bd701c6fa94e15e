-- A new webhook.
-- $1 text: uuid
-- $2 text: name
-- $3 text: url
-- $4 text[]: events
-- $5 text: description, NULL when not given
-- $6 bytea: sealed secret, NULL for none
-- $7 text: id of its key, NULL for none
-- $8 boolean: active
-- $9 bigint: now, unix ms
-- $10 bigint: user_id, NULL for nobody
-- $11 bigint: token_id, NULL for none
INSERT INTO webhook (uuid, name, url, events, description, secret, secret_key_id, active, created_unix_ms, updated_unix_ms, created_by, created_token)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)
