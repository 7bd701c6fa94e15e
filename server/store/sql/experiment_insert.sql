-- A new experiment. Its place for artifacts is ours unless one is given.
-- $1 text: name
-- $2 text: artifact_location, NULL for "mlflow-artifacts:/<id>"
-- $3 bigint: now, unix ms
-- $4 bigint: user_id, NULL for nobody
-- $5 bigint: token_id, NULL for none
WITH fresh AS (SELECT nextval(pg_get_serial_sequence('cairn.experiment', 'experiment_id')) AS id)
INSERT INTO experiment (experiment_id, name, artifact_location, created_unix_ms, updated_unix_ms, created_by, created_token)
SELECT id, $1, coalesce($2, 'mlflow-artifacts:/' || id), $3, $3, $4, $5 FROM fresh
RETURNING experiment_id
