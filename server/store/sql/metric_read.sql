-- What some series are made of, in one snapshot: the tail rows of their runs (key_id 0), bundles with their data, and chunks with
-- their ranges and, where there are enough of them for it to pay, their previews.
-- $1 bigint[]: run_ids, no twins
-- $2 bigint[]: run_ids of chunks and bundles
-- $3 bigint[]: key_ids of those: a metric's number, or a bundle's
-- $4 bigint: previews from this many chunks of a series on; NULL: none
-- $5 bigint: counted are chunks from this step on
-- $6 bigint: to this one
-- $7 bigint: from this time on
-- $8 bigint: to this one
SELECT t.run_id, 0 AS key_id, 0::bigint AS step_lo, 0::bigint AS step_hi, 0::bigint AS time_lo_unix_ms, 0::bigint AS time_hi_unix_ms,
	0::bigint AS first_unix_ms, t.seq, t.n, 0::bigint AS chunks, t.data
FROM metric_tail t
WHERE t.run_id = ANY ($1)
UNION ALL
SELECT w.run_id, c.key_id, c.step_lo, c.step_hi, c.time_lo_unix_ms, c.time_hi_unix_ms,
	c.first_unix_ms, c.seq, c.n, k.chunks, CASE WHEN c.key_id < 0 THEN c.data WHEN k.chunks >= $4::bigint THEN c.preview END
FROM unnest($2::bigint[], $3::bigint[]) AS w (run_id, key_id)
CROSS JOIN LATERAL (
	SELECT count(*) AS chunks
	FROM metric_chunk m
	WHERE m.run_id = w.run_id AND m.key_id = w.key_id::int AND $4::bigint IS NOT NULL
		AND m.step_hi >= $5 AND m.step_lo <= $6 AND m.time_hi_unix_ms >= $7 AND m.time_lo_unix_ms <= $8
) k
CROSS JOIN LATERAL (
	SELECT *
	FROM metric_chunk m
	WHERE m.run_id = w.run_id AND m.key_id = w.key_id::int
	OFFSET 0
) c
