-- Tell those who follow that a run's metrics are stored anew; no row for a run that is not there.
-- $1 bigint: run_id
INSERT INTO run_change (run_id, experiment_id, kind) SELECT run_id, experiment_id, 4 FROM run WHERE run_id = $1
