-- Take away the oldest tail rows of a run: rows until so many points are reached.
-- $1 bigint: run_id
-- $2 bigint: points
-- $3 bigint: at most so many rows
DELETE FROM metric_tail
WHERE run_id = $1 AND seq <= (
	SELECT max(o.seq)
	FROM (
		SELECT t.seq, t.n, sum(t.n) OVER (ORDER BY t.seq) AS upto
		FROM metric_tail t
		WHERE t.run_id = $1
		ORDER BY t.seq
		LIMIT $3) o
	WHERE o.upto - o.n < $2)
RETURNING data
