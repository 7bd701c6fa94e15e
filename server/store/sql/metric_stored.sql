-- What tells the latest values of some runs: all their tail rows, and their summaries, in no order.
-- $1 bigint[]: run_ids
-- $2 bigint[]: parts of the summaries; none for all
SELECT t.run_id, r.experiment_id, 0 AS kind, t.data
FROM run r JOIN metric_tail t USING (run_id)
WHERE r.run_id = ANY ($1)
UNION ALL
SELECT s.run_id, r.experiment_id, 1, s.data
FROM run r JOIN run_summary s USING (run_id)
WHERE r.run_id = ANY ($1) AND (cardinality($2::bigint[]) = 0 OR s.part = ANY ($2))
