-- All tail rows of some runs, in no order.
-- $1 bigint[]: run_ids
SELECT t.run_id, r.experiment_id, t.data
FROM run r JOIN metric_tail t USING (run_id)
WHERE r.run_id = ANY ($1)
