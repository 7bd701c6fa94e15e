-- One registered model with tags and aliases.
-- $1 text: name
SELECT g.model_id, g.name, g.description, g.created_unix_ms, g.updated_unix_ms,
	ARRAY(SELECT t.key FROM registered_model_tag t WHERE t.model_id = g.model_id ORDER BY t.key) AS tag_keys,
	ARRAY(SELECT coalesce(t.value, '') FROM registered_model_tag t WHERE t.model_id = g.model_id ORDER BY t.key) AS tag_values,
	ARRAY(SELECT a.name FROM alias a WHERE a.model_id = g.model_id AND a.version IS NOT NULL ORDER BY a.name) AS alias_names,
	ARRAY(SELECT a.version::bigint FROM alias a WHERE a.model_id = g.model_id AND a.version IS NOT NULL ORDER BY a.name) AS alias_versions
FROM registered_model g
WHERE g.name = $1
