-- a new token of a user
-- $1 bigint: user_id
-- $2 bytea: SHA-256 of the whole token
-- $3 text: name
-- $4 bigint: now, unix ms
-- $5 bigint: expires, unix ms; NULL: never
INSERT INTO token (user_id, hash, name, created_unix_ms, expires_unix_ms)
VALUES ($1, $2, $3, $4, $5)
RETURNING token_id, name, created_unix_ms, expires_unix_ms, last_used_unix_ms
