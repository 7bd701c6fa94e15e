-- All experiments of a view with what happened in them, the latest activity first.
-- $1 boolean: deleted ones, NULL for both
SELECT e.experiment_id, e.name, e.artifact_location, e.deleted, e.created_unix_ms, e.updated_unix_ms,
	'{}'::text[] AS tag_keys, '{}'::text[] AS tag_values,
	coalesce(r.runs, 0) AS runs, coalesce(r.active, 0) AS active_runs, r.last_run_unix_ms,
	u.name AS created_by, k.name AS created_token
FROM experiment e
LEFT JOIN (
	SELECT experiment_id, count(*) AS runs, count(*) FILTER (WHERE status = 1) AS active,
		max(created_unix_ms) AS last_run_unix_ms
	FROM run WHERE NOT deleted GROUP BY experiment_id
) r USING (experiment_id)
LEFT JOIN user_account u ON u.user_id = e.created_by
LEFT JOIN token k ON k.token_id = e.created_token
WHERE $1::boolean IS NULL OR e.deleted = $1
ORDER BY coalesce(r.last_run_unix_ms, e.created_unix_ms) DESC, e.experiment_id DESC
