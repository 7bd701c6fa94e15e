-- Point an alias at a version, or at none; one row of history with it. Nothing happens when it points there already. Under a name
-- that another model had, its aliases' generations go on.
-- $1 bigint: model_id
-- $2 text: alias
-- $3 bigint: version, NULL: taken away
-- $4 bigint: now, unix ms
-- $5 bigint: user_id, NULL for nobody
-- $6 bigint: token_id, NULL for none
WITH old AS (
	SELECT version, generation FROM alias WHERE model_id = $1 AND name = $2
), moved AS (
	INSERT INTO alias AS a (model_id, name, version, generation, changed_unix_ms, changed_by, changed_token)
	SELECT $1, $2, $3::bigint::int, 1 + coalesce((SELECT s.generation FROM alias_generation s JOIN registered_model g ON g.name = s.model
		WHERE g.model_id = $1 AND s.alias = $2), 0), $4, $5, $6
	WHERE $3 IS NOT NULL OR EXISTS (SELECT FROM old)
	ON CONFLICT (model_id, name) DO UPDATE
	SET version = excluded.version, generation = a.generation + 1, changed_unix_ms = excluded.changed_unix_ms,
		changed_by = excluded.changed_by, changed_token = excluded.changed_token
	WHERE a.version IS DISTINCT FROM excluded.version
	RETURNING generation, version
)
INSERT INTO alias_history (model_id, name, generation, version, previous_version, changed_unix_ms, changed_by, changed_token)
SELECT $1, $2, moved.generation, moved.version, (SELECT version FROM old), $4, $5, $6 FROM moved
