-- The tags that a search needs, of the runs of some experiments.
-- $1 bigint[]: experiment_ids
-- $2 text[]: keys
SELECT t.run_id, t.key, t.value
FROM run r JOIN run_tag t USING (run_id)
WHERE r.experiment_id = ANY ($1) AND t.key = ANY ($2)
