-- The runs that have tail rows, with the oldest of each.
-- $1 bigint: those after this run_id
-- $2 bigint: at most so many
WITH RECURSIVE run_with (run_id, seq, nth) AS (
	(SELECT t.run_id, t.seq, 1::bigint FROM metric_tail t WHERE t.run_id > $1 ORDER BY t.run_id, t.seq LIMIT 1)
	UNION ALL
	SELECT next.run_id, next.seq, run_with.nth + 1
	FROM run_with, LATERAL (
		SELECT t.run_id, t.seq FROM metric_tail t WHERE t.run_id > run_with.run_id ORDER BY t.run_id, t.seq LIMIT 1) next
	WHERE run_with.nth < $2
)
SELECT run_id, seq FROM run_with
