-- As metric_stored, for one run, and then those chunks and bundles that hold points of some series from a moment on.
-- $1 bigint: run_id
-- $2 bigint[]: key_ids
-- $3 bigint[]: the step from which on, for each
-- $4 bigint[]: the time at that step, for each, unix ms
-- $5 bigint[]: key_ids of the bundles of these series
WITH series AS (
	SELECT w.key_id::int AS key_id, coalesce(p.step_lo, w.step) AS step,
		CASE WHEN p.step_lo IS NULL THEN w.time ELSE p.first_unix_ms END AS time
	FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS w (key_id, step, time)
	LEFT JOIN LATERAL (
		SELECT c.step_lo, c.first_unix_ms
		FROM metric_chunk c
		WHERE c.run_id = $1 AND c.key_id = w.key_id::int AND (c.step_lo, c.first_unix_ms) < (w.step, w.time)
		ORDER BY c.run_id DESC, c.key_id DESC, c.step_lo DESC, c.first_unix_ms DESC, c.seq DESC
		LIMIT 1) p ON true
)
SELECT a.run_id, r.experiment_id, a.kind, a.key_id, a.data
FROM (
	SELECT t.run_id, 0 AS kind, 0 AS key_id, t.data FROM metric_tail t WHERE t.run_id = $1
	UNION ALL
	SELECT s.run_id, 1, 0, s.data FROM run_summary s WHERE s.run_id = $1
	UNION ALL
	SELECT c.run_id, 2, c.key_id, c.data
	FROM series w
	CROSS JOIN LATERAL (
		SELECT m.run_id, m.key_id, m.data
		FROM metric_chunk m
		WHERE m.run_id = $1 AND m.key_id = w.key_id AND (m.step_lo, m.first_unix_ms) >= (w.step, w.time)
		OFFSET 0
	) c
	UNION ALL
	SELECT b.run_id, 2, b.key_id, b.data
	FROM (SELECT DISTINCT k.key_id FROM unnest($5::bigint[]) AS k (key_id)) w
	CROSS JOIN LATERAL (
		SELECT m.run_id, m.key_id, m.data FROM metric_chunk m WHERE m.run_id = $1 AND m.key_id = w.key_id::int OFFSET 0
	) b
) a JOIN run r ON r.run_id = $1
ORDER BY a.kind
