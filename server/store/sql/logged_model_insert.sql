-- A new logged model.
-- $1 text: uuid
-- $2 bigint: experiment_id
-- $3 text: name
-- $4 text: model_type
-- $5 text: source_run_uuid
-- $6 text: artifact_uri
-- $7 bigint: now, unix ms
-- $8 bigint: user_id, NULL for nobody
-- $9 bigint: token_id, NULL for none
INSERT INTO logged_model (uuid, experiment_id, name, model_type, source_run_uuid, artifact_uri, created_unix_ms, updated_unix_ms,
	created_by, created_token)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)
RETURNING logged_model_id
