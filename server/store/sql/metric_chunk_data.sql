-- The data of chunks, in the order in which they are named.
-- $1 bigint[]: run_ids
-- $2 bigint[]: key_ids, one for each
-- $3 bigint[]: step_lo, one for each
-- $4 bigint[]: first_unix_ms, one for each
-- $5 bigint[]: seq, one for each
SELECT w.at, c.data
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS w (run_id, key_id, step_lo, first_unix_ms, seq, at)
CROSS JOIN LATERAL (
	SELECT m.data
	FROM metric_chunk m
	WHERE m.run_id = w.run_id AND m.key_id = w.key_id::int AND m.step_lo = w.step_lo
		AND m.first_unix_ms = w.first_unix_ms AND m.seq = w.seq
	OFFSET 0
) c
