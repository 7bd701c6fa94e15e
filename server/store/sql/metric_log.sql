-- Metrics of many runs as a transaction of its own, when memory guessed right: the runs are locked against deletion, those who follow
-- are told, and the tail rows go in, provided that every one of the runs is there and active; otherwise nothing changes. How many are.
-- $1 bigint[]: run_ids, no twins
-- $2 text[]: their uuids
-- $3 bigint[]: run_id of each tail row, one of $1
-- $4 bigint[]: seq of each
-- $5 bigint[]: n of each
-- $6 bytea[]: data of each
WITH locked AS (
	SELECT r.run_id, r.experiment_id, r.deleted
	FROM unnest($1::bigint[], $2::text[]) AS w (run_id, uuid)
	JOIN run r ON r.run_id = w.run_id AND r.uuid = w.uuid
	ORDER BY r.uuid
	FOR KEY SHARE OF r
), active AS (
	SELECT count(*) AS n FROM locked WHERE NOT deleted
), change AS (
	INSERT INTO run_change (run_id, experiment_id, kind)
	SELECT run_id, experiment_id, 3 FROM locked WHERE (SELECT n FROM active) = cardinality($1)
), tail AS (
	INSERT INTO metric_tail (run_id, seq, n, data)
	SELECT t.run_id, t.seq, t.n, t.data
	FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[]) AS t (run_id, seq, n, data)
	WHERE (SELECT n FROM active) = cardinality($1)
)
SELECT n FROM active
