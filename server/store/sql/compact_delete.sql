-- Take away some chunks, or bundles. The range of step_lo keeps the others of a long series from being looked at.
-- $1 bigint: run_id
-- $2 int: key_id
-- $3 bigint[]: step_lo of each
-- $4 bigint[]: first_unix_ms of each
-- $5 bigint[]: seq of each
DELETE FROM metric_chunk c
USING unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS w (step_lo, first_unix_ms, seq)
WHERE c.run_id = $1 AND c.key_id = $2 AND c.step_lo = w.step_lo AND c.first_unix_ms = w.first_unix_ms AND c.seq = w.seq
	AND c.step_lo BETWEEN (SELECT min(x) FROM unnest($3::bigint[]) x) AND (SELECT max(x) FROM unnest($3::bigint[]) x)
