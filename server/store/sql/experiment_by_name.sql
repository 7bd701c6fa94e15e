-- One experiment by name, active or deleted, with its tags.
-- $1 text: name
SELECT e.experiment_id, e.name, e.artifact_location, e.deleted, e.created_unix_ms, e.updated_unix_ms,
	ARRAY(SELECT t.key FROM experiment_tag t WHERE t.experiment_id = e.experiment_id ORDER BY t.key) AS tag_keys,
	ARRAY(SELECT t.value FROM experiment_tag t WHERE t.experiment_id = e.experiment_id ORDER BY t.key) AS tag_values
FROM experiment e
WHERE e.name = $1
