-- What is known of the bundles of one block without their points, the smallest first.
-- $1 bigint: run_id
-- $2 int: key_id of the bundles
SELECT c.step_lo, c.first_unix_ms, c.seq, c.step_hi, c.time_hi_unix_ms, c.n
FROM metric_chunk c
WHERE c.run_id = $1 AND c.key_id = $2
ORDER BY c.n, c.seq
