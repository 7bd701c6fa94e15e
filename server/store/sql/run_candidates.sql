-- Candidates of a search: runs of some experiments, without params and tags.
-- $1 bigint[]: experiment_ids
-- $2 boolean: deleted ones, NULL for both
SELECT r.run_id, r.uuid, r.experiment_id, r.name, r.user_text, r.status, r.start_unix_ms, r.end_unix_ms, r.artifact_uri, r.deleted
FROM run r
WHERE r.experiment_id = ANY ($1) AND ($2::boolean IS NULL OR r.deleted = $2)
