-- How many metric names the one of some experiments has that has most.
-- $1 bigint[]: experiment_ids
SELECT coalesce(max(k.n), 0)::bigint AS n
FROM unnest($1::bigint[]) AS w (experiment_id)
CROSS JOIN LATERAL (SELECT count(*) AS n FROM metric_key m WHERE m.experiment_id = w.experiment_id OFFSET 0) k
