-- A new run.
-- $1 text: uuid
-- $2 bigint: experiment_id
-- $3 text: name
-- $4 text: user_text
-- $5 bigint: start_unix_ms
-- $6 text: artifact_uri
-- $7 bigint: now, unix ms
-- $8 bigint: user_id, NULL for nobody
-- $9 bigint: token_id, NULL for none
WITH fresh AS (
	INSERT INTO run (uuid, experiment_id, name, user_text, start_unix_ms, artifact_uri, created_unix_ms, created_by, created_token)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	RETURNING run_id, experiment_id
), change AS (
	INSERT INTO run_change (run_id, experiment_id, kind) SELECT run_id, experiment_id, 1 FROM fresh
)
SELECT run_id FROM fresh
