-- Is one of these tail rows there, byte by byte?
-- $1 bigint[]: run_ids
-- $2 bigint[]: seqs, one for each
-- $3 bytea[]: data, one for each
SELECT EXISTS (
	SELECT
	FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS w (run_id, seq, data)
	CROSS JOIN LATERAL (
		SELECT FROM metric_tail m WHERE m.run_id = w.run_id AND m.seq = w.seq AND m.data = w.data OFFSET 0
	) t
) AS kept
