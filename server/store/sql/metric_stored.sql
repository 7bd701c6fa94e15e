-- What tells the latest values of some runs: all their tail rows, and their summaries, in no order. Run by run, by index, also where
-- the planner knows little of these tables.
-- $1 bigint[]: run_ids
-- $2 bigint[]: parts of the summaries; none for all
SELECT r.run_id, r.experiment_id, 0 AS kind, t.data
FROM run r
CROSS JOIN LATERAL (SELECT m.data FROM metric_tail m WHERE m.run_id = r.run_id OFFSET 0) t
WHERE r.run_id = ANY ($1)
UNION ALL
SELECT r.run_id, r.experiment_id, 1, s.data
FROM run r
CROSS JOIN LATERAL (
	SELECT u.data
	FROM run_summary u
	WHERE u.run_id = r.run_id AND (cardinality($2::bigint[]) = 0 OR u.part = ANY ($2))
	OFFSET 0
) s
WHERE r.run_id = ANY ($1)
