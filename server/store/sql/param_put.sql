-- Params that are new; those that exist stay as they are.
-- $1 bigint: run_id
-- $2 text[]: keys, no twins
-- $3 text[]: values
INSERT INTO param (run_id, key, value)
SELECT $1, key, value FROM unnest($2::text[], $3::text[]) AS t (key, value)
ON CONFLICT (run_id, key) DO NOTHING
