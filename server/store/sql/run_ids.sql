-- The runs of an experiment, deleted ones too.
-- $1 bigint: experiment_id
SELECT run_id FROM run WHERE experiment_id = $1 ORDER BY run_id
