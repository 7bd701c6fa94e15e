-- One run with its params and tags.
-- $1 text: uuid
SELECT r.run_id, r.uuid, r.experiment_id, r.name, r.user_text, r.status, r.start_unix_ms, r.end_unix_ms, r.artifact_uri, r.deleted,
	ARRAY(SELECT p.key FROM param p WHERE p.run_id = r.run_id ORDER BY p.key) AS param_keys,
	ARRAY(SELECT p.value FROM param p WHERE p.run_id = r.run_id ORDER BY p.key) AS param_values,
	ARRAY(SELECT t.key FROM run_tag t WHERE t.run_id = r.run_id ORDER BY t.key) AS tag_keys,
	ARRAY(SELECT t.value FROM run_tag t WHERE t.run_id = r.run_id ORDER BY t.key) AS tag_values,
	EXISTS (SELECT FROM run_input i WHERE i.run_id = r.run_id)
		OR EXISTS (SELECT FROM run_model_input m WHERE m.run_id = r.run_id) AS has_inputs,
	EXISTS (SELECT FROM run_model_output m WHERE m.run_id = r.run_id) AS has_outputs
FROM run r
WHERE r.uuid = $1
