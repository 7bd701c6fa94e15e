-- Where the newest logged model of a run that has this name keeps its files.
-- $1 bigint: experiment_id
-- $2 text: uuid of the run
-- $3 text: name
SELECT artifact_uri FROM logged_model
WHERE experiment_id = $1 AND source_run_uuid = $2 AND name = $3 AND NOT deleted
ORDER BY created_unix_ms DESC, logged_model_id DESC
LIMIT 1
