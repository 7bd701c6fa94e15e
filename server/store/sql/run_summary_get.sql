-- The summary of one block of a run's series.
-- $1 bigint: run_id
-- $2 int: part
SELECT s.data FROM run_summary s WHERE s.run_id = $1 AND s.part = $2
