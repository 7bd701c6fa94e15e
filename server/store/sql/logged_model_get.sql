-- One logged model, deleted or not, with params, tags and registrations.
-- $1 text: uuid
SELECT m.logged_model_id, m.uuid, m.experiment_id, m.name, m.model_type, m.source_run_uuid, m.artifact_uri, m.status, m.status_message,
	m.deleted, m.created_unix_ms, m.updated_unix_ms,
	ARRAY(SELECT p.key FROM logged_model_param p WHERE p.logged_model_id = m.logged_model_id ORDER BY p.key) AS param_keys,
	ARRAY(SELECT p.value FROM logged_model_param p WHERE p.logged_model_id = m.logged_model_id ORDER BY p.key) AS param_values,
	ARRAY(SELECT t.key FROM logged_model_tag t WHERE t.logged_model_id = m.logged_model_id ORDER BY t.key) AS tag_keys,
	ARRAY(SELECT t.value FROM logged_model_tag t WHERE t.logged_model_id = m.logged_model_id ORDER BY t.key) AS tag_values,
	ARRAY(SELECT g.name FROM model_version v JOIN registered_model g USING (model_id)
		WHERE v.logged_model_uuid = m.uuid AND NOT v.deleted ORDER BY g.name, v.version) AS registered_names,
	ARRAY(SELECT v.version::bigint FROM model_version v JOIN registered_model g USING (model_id)
		WHERE v.logged_model_uuid = m.uuid AND NOT v.deleted ORDER BY g.name, v.version) AS registered_versions
FROM logged_model m
WHERE m.uuid = $1
