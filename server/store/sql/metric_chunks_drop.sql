-- Take away all chunks of a run.
-- $1 bigint: run_id
DELETE FROM metric_chunk WHERE run_id = $1
