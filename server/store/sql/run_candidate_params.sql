-- The params that a search needs, of some runs.
-- $1 bigint[]: run_ids
-- $2 text[]: keys
SELECT p.run_id, p.key, p.value
FROM param p
WHERE p.run_id = ANY ($1) AND p.key = ANY ($2)
