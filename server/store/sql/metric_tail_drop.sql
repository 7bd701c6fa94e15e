-- Take away all tail rows of a run.
-- $1 bigint: run_id
DELETE FROM metric_tail WHERE run_id = $1
