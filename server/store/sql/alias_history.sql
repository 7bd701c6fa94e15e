-- Where an alias pointed, the newest first.
-- $1 text: model name
-- $2 text: alias
SELECT h.model_id, g.name AS model, h.name, h.version::bigint AS version, h.generation, h.changed_unix_ms, u.name AS changed_by, k.name AS changed_token,
	h.previous_version::bigint AS previous_version
FROM alias_history h JOIN registered_model g USING (model_id) LEFT JOIN user_account u ON u.user_id = h.changed_by
	LEFT JOIN token k ON k.token_id = h.changed_token
WHERE g.name = $1 AND h.name = $2
ORDER BY h.generation DESC
LIMIT 1000
