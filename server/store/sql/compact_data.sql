-- The points of some chunks, or bundles, in the order in which they begin.
-- $1 bigint: run_id
-- $2 int: key_id
-- $3 bigint[]: step_lo of each
-- $4 bigint[]: first_unix_ms of each
-- $5 bigint[]: seq of each
SELECT c.data
FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS w (step_lo, first_unix_ms, seq)
CROSS JOIN LATERAL (
	SELECT m.data
	FROM metric_chunk m
	WHERE m.run_id = $1 AND m.key_id = $2 AND m.step_lo = w.step_lo AND m.first_unix_ms = w.first_unix_ms AND m.seq = w.seq
	OFFSET 0
) c
ORDER BY w.step_lo, w.first_unix_ms, w.seq
