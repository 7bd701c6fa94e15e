-- Versions of all models, or of one, not deleted.
-- $1 text: model name, NULL for all
SELECT v.model_id, g.name, v.version, v.description, v.source, v.storage_location, v.run_uuid, v.run_link, v.logged_model_uuid, v.stage,
	v.status, v.status_message, v.created_unix_ms, v.updated_unix_ms, u.name AS created_by, k.name AS created_token,
	ARRAY(SELECT t.key FROM model_version_tag t WHERE t.model_id = v.model_id AND t.version = v.version ORDER BY t.key) AS tag_keys,
	ARRAY(SELECT t.value FROM model_version_tag t WHERE t.model_id = v.model_id AND t.version = v.version ORDER BY t.key) AS tag_values,
	ARRAY(SELECT a.name FROM alias a WHERE a.model_id = v.model_id AND a.version = v.version ORDER BY a.name) AS aliases
FROM model_version v JOIN registered_model g USING (model_id) LEFT JOIN user_account u ON u.user_id = v.created_by
	LEFT JOIN token k ON k.token_id = v.created_token
WHERE NOT v.deleted AND ($1::text IS NULL OR g.name = $1)
