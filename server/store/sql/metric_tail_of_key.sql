-- All tail rows of a run with the number of one of its metric names; none when the experiment does not know the name.
-- $1 bigint: run_id
-- $2 text: name
SELECT t.run_id, k.key_id, t.data
FROM run r JOIN metric_key k USING (experiment_id) JOIN metric_tail t USING (run_id)
WHERE r.run_id = $1 AND k.name = $2
