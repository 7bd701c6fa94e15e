-- Lock the runs of a group of metrics against deletion until the transaction ends, and tell those who follow that they change;
-- unknown ones are not in the answer.
-- $1 text[]: uuids
WITH locked AS (
	SELECT r.run_id, r.uuid, r.experiment_id, r.deleted
	FROM run r
	WHERE r.uuid = ANY ($1)
	ORDER BY r.uuid
	FOR KEY SHARE
), change AS (
	INSERT INTO run_change (run_id, experiment_id, kind) SELECT run_id, experiment_id, 3 FROM locked WHERE NOT deleted
)
SELECT * FROM locked ORDER BY uuid
