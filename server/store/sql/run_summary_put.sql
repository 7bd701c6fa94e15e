-- The summary of one block of a run's series is this from now on.
-- $1 bigint: run_id
-- $2 int: part
-- $3 bytea: data
INSERT INTO run_summary (run_id, part, data) VALUES ($1, $2, $3)
ON CONFLICT (run_id, part) DO UPDATE SET data = excluded.data
