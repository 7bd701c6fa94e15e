-- Some runs with their params and tags as searches keep them in memory, in any order.
-- $1 bigint[]: run_ids
SELECT r.run_id, r.uuid, r.name, r.user_text, r.status, r.start_unix_ms, r.end_unix_ms, r.artifact_uri, r.deleted,
	p.keys AS param_keys, p.values AS param_values, t.keys AS tag_keys, t.values AS tag_values,
	EXISTS (SELECT FROM run_input i WHERE i.run_id = r.run_id)
		OR EXISTS (SELECT FROM run_model_input m WHERE m.run_id = r.run_id) AS has_inputs,
	EXISTS (SELECT FROM run_model_output m WHERE m.run_id = r.run_id) AS has_outputs
FROM run r
LEFT JOIN LATERAL (
	SELECT array_agg(p.key) AS keys, array_agg(p.value) AS values FROM param p WHERE p.run_id = r.run_id
) p ON true
LEFT JOIN LATERAL (
	SELECT array_agg(t.key) AS keys, array_agg(t.value) AS values FROM run_tag t WHERE t.run_id = r.run_id
) t ON true
WHERE r.run_id = ANY ($1)
