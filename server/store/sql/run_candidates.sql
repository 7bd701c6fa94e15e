-- Candidates of a search, in any order, without params and tags.
-- $1 bigint[]: run_ids
SELECT r.run_id, r.uuid, r.experiment_id, r.name, r.user_text, r.status, r.start_unix_ms, r.end_unix_ms, r.artifact_uri, r.deleted
FROM run r
WHERE r.run_id = ANY ($1)
