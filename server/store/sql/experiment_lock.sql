-- Lock an experiment to change it: waits for those who make something in it (FOR SHARE), not for rows that refer to it.
-- $1 bigint: experiment_id
SELECT e.experiment_id, e.name, e.artifact_location, e.deleted, e.created_unix_ms, e.updated_unix_ms,
	'{}'::text[] AS tag_keys, '{}'::text[] AS tag_values
FROM experiment e
WHERE e.experiment_id = $1
FOR NO KEY UPDATE
