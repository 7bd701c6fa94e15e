-- Take away the summaries of a run.
-- $1 bigint: run_id
DELETE FROM run_summary WHERE run_id = $1
