-- Delete or restore an experiment, its runs with it; waits for those who write rows of the runs.
-- Locks them by uuid, as those who write metrics of several runs do.
-- $1 bigint: experiment_id
-- $2 boolean: deleted
-- $3 bigint: now, unix ms
WITH locked AS (
	SELECT run_id FROM run WHERE experiment_id = $1 AND deleted <> $2 ORDER BY uuid FOR UPDATE
), runs AS (
	UPDATE run SET deleted = $2, deleted_unix_ms = CASE WHEN $2 THEN $3::bigint END
	FROM locked WHERE run.run_id = locked.run_id
	RETURNING run.run_id
), change AS (
	INSERT INTO run_change (run_id, experiment_id, kind) SELECT run_id, $1, 2 FROM runs
)
UPDATE experiment SET deleted = $2, updated_unix_ms = $3 WHERE experiment_id = $1
