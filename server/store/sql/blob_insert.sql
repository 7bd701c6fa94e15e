-- An object about to be written.
-- $1 text: key
-- $2 bigint: now, unix ms
-- $3 bigint: user_id, NULL for nobody
-- $4 bigint: token_id, NULL for none
INSERT INTO blob (key, state, created_unix_ms, created_by, created_token) VALUES ($1, 1, $2, $3, $4) RETURNING blob_id
