-- Lock the runs of a group of metrics against deletion until the transaction ends; unknown ones are not in the answer.
-- $1 text[]: uuids
SELECT r.run_id, r.uuid, r.experiment_id, r.deleted
FROM run r
WHERE r.uuid = ANY ($1)
ORDER BY r.uuid
FOR KEY SHARE
