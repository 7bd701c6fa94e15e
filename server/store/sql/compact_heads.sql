-- What is known of chunks without their points: those of one series that begin in a range, and the last ones before it.
-- $1 bigint: run_id
-- $2 int: key_id
-- $3 bigint: step from which they begin
-- $4 bigint: time at that step, unix ms
-- $5 bigint: step at which they begin at the latest
-- $6 bigint: time at that step, unix ms
-- $7 bigint: at most so many before
-- $8 bigint: at most so many in the range
SELECT b.step_lo, b.first_unix_ms, b.seq, b.step_hi, b.time_hi_unix_ms, b.n
FROM (
	SELECT c.step_lo, c.first_unix_ms, c.seq, c.step_hi, c.time_hi_unix_ms, c.n
	FROM metric_chunk c
	WHERE c.run_id = $1 AND c.key_id = $2 AND (c.step_lo, c.first_unix_ms) < ($3, $4)
	ORDER BY c.run_id DESC, c.key_id DESC, c.step_lo DESC, c.first_unix_ms DESC, c.seq DESC
	LIMIT $7) b
UNION ALL
SELECT i.step_lo, i.first_unix_ms, i.seq, i.step_hi, i.time_hi_unix_ms, i.n
FROM (
	SELECT c.step_lo, c.first_unix_ms, c.seq, c.step_hi, c.time_hi_unix_ms, c.n
	FROM metric_chunk c
	WHERE c.run_id = $1 AND c.key_id = $2 AND (c.step_lo, c.first_unix_ms) >= ($3, $4) AND (c.step_lo, c.first_unix_ms) <= ($5, $6)
	ORDER BY c.run_id, c.key_id, c.step_lo, c.first_unix_ms, c.seq
	LIMIT $8) i
ORDER BY step_lo, first_unix_ms, seq
