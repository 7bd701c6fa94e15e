-- The points of some chunks, or bundles, in the order in which they begin.
-- $1 bigint: run_id
-- $2 int: key_id
-- $3 bigint[]: step_lo of each
-- $4 bigint[]: first_unix_ms of each
-- $5 bigint[]: seq of each
SELECT c.data
FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS w (step_lo, first_unix_ms, seq)
JOIN metric_chunk c ON c.run_id = $1 AND c.key_id = $2 AND c.step_lo = w.step_lo AND c.first_unix_ms = w.first_unix_ms AND c.seq = w.seq
ORDER BY c.step_lo, c.first_unix_ms, c.seq
