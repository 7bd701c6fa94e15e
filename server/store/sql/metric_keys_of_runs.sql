-- The numbers that some metric names have in the experiments of some runs.
-- $1 bigint[]: run_ids
-- $2 text[]: names
SELECT k.experiment_id, k.key_id, k.name
FROM metric_key k
WHERE k.name = ANY ($2) AND k.experiment_id IN (SELECT r.experiment_id FROM run r WHERE r.run_id = ANY ($1))
