-- All experiments of a view, with their tags.
-- $1 boolean: deleted ones, NULL for both
SELECT e.experiment_id, e.name, e.artifact_location, e.deleted, e.created_unix_ms, e.updated_unix_ms,
	ARRAY(SELECT t.key FROM experiment_tag t WHERE t.experiment_id = e.experiment_id ORDER BY t.key) AS tag_keys,
	ARRAY(SELECT t.value FROM experiment_tag t WHERE t.experiment_id = e.experiment_id ORDER BY t.key) AS tag_values
FROM experiment e
WHERE $1::boolean IS NULL OR e.deleted = $1
