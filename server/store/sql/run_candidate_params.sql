-- The params that a search needs, of the runs of some experiments.
-- $1 bigint[]: experiment_ids
-- $2 text[]: keys
SELECT p.run_id, p.key, p.value
FROM run r JOIN param p USING (run_id)
WHERE r.experiment_id = ANY ($1) AND p.key = ANY ($2)
