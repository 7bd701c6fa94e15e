-- How many metric names the one of some experiments has that has most.
-- $1 bigint[]: experiment_ids
SELECT coalesce(max(k.n), 0)::bigint AS n
FROM (SELECT count(*) AS n FROM metric_key WHERE experiment_id = ANY ($1) GROUP BY experiment_id) k
