-- Lock a run to delete or restore it: waits for those who write rows of it (FOR KEY SHARE); those who follow are told.
-- $1 text: uuid
WITH locked AS (
	SELECT r.run_id, r.uuid, r.experiment_id, r.name, r.user_text, r.status, r.start_unix_ms, r.end_unix_ms, r.artifact_uri, r.deleted
	FROM run r
	WHERE r.uuid = $1
	FOR UPDATE
), change AS (
	INSERT INTO run_change (run_id, experiment_id, kind) SELECT run_id, experiment_id, 2 FROM locked
)
SELECT * FROM locked
