-- A new registered model.
-- $1 text: name
-- $2 text: description, NULL when not given
-- $3 bigint: now, unix ms
-- $4 bigint: user_id, NULL for nobody
-- $5 bigint: token_id, NULL for none
INSERT INTO registered_model (name, description, created_unix_ms, updated_unix_ms, created_by, created_token)
VALUES ($1, $2, $3, $3, $4, $5)
RETURNING model_id
