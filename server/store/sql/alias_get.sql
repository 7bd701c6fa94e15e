-- Where an alias points.
-- $1 text: model name
-- $2 text: alias
SELECT a.model_id, g.name AS model, a.name, a.version::bigint AS version, a.generation, a.changed_unix_ms, u.name AS changed_by, k.name AS changed_token,
	(SELECT h.previous_version FROM alias_history h
	 WHERE h.model_id = a.model_id AND h.name = a.name AND h.generation = a.generation)::bigint AS previous_version
FROM alias a JOIN registered_model g USING (model_id) LEFT JOIN user_account u ON u.user_id = a.changed_by
	LEFT JOIN token k ON k.token_id = a.changed_token
WHERE g.name = $1 AND a.name = $2 AND a.version IS NOT NULL
