-- The names of numbered metrics.
-- $1 bigint[]: experiment_ids
-- $2 bigint[]: key_ids, one for each
SELECT k.experiment_id, k.key_id, k.name
FROM unnest($1::bigint[], $2::bigint[]) AS w (experiment_id, key_id)
JOIN metric_key k ON k.experiment_id = w.experiment_id AND k.key_id = w.key_id
