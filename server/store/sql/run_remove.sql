-- Remove a run for good, with what is its alone, and tell those who follow.
-- $1 bigint: run_id
WITH gone AS (
	DELETE FROM run WHERE run_id = $1 RETURNING run_id, experiment_id
)
INSERT INTO run_change (run_id, experiment_id, kind) SELECT run_id, experiment_id, 5 FROM gone
