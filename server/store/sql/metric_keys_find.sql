-- The numbers of the metric names that an experiment knows.
-- $1 bigint: experiment_id
-- $2 text[]: names
SELECT k.key_id, k.name
FROM metric_key k
WHERE k.experiment_id = $1 AND k.name = ANY ($2)
