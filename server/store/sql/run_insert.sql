-- A new run with its tags, locking its experiment against deletion; in a deleted one nothing is made, and run_id is NULL.
-- $1 text: uuid
-- $2 bigint: experiment_id
-- $3 text: name
-- $4 text: user_text
-- $5 bigint: start_unix_ms
-- $6 text[]: keys of tags, sorted, no twins
-- $7 text[]: values of tags
-- $8 bigint: now, unix ms
-- $9 bigint: user_id, NULL for nobody
-- $10 bigint: token_id, NULL for none
WITH e AS (
	-- what follows a "?" in the location stays behind the path
	SELECT experiment_id, deleted, rtrim(split_part(artifact_location, '?', 1), '/') || '/' || $1 || '/artifacts'
		|| coalesce(substring(artifact_location FROM '\?.*$'), '') AS artifact_uri
	FROM experiment
	WHERE experiment_id = $2
	FOR SHARE
), fresh AS (
	INSERT INTO run (uuid, experiment_id, name, user_text, start_unix_ms, artifact_uri, created_unix_ms, created_by, created_token)
	SELECT $1, experiment_id, $3, $4, $5, artifact_uri, $8, $9, $10 FROM e WHERE NOT deleted
	RETURNING run_id, uuid, experiment_id, name, user_text, status, start_unix_ms, end_unix_ms, artifact_uri
), tag AS (
	INSERT INTO run_tag (run_id, key, value)
	SELECT f.run_id, t.key, t.value FROM fresh f, unnest($6::text[], $7::text[]) AS t (key, value)
), change AS (
	INSERT INTO run_change (run_id, experiment_id, kind) SELECT run_id, experiment_id, 1 FROM fresh
)
SELECT f.run_id, f.uuid, e.experiment_id, f.name, f.user_text, f.status, f.start_unix_ms, f.end_unix_ms, f.artifact_uri, e.deleted,
	'{}'::text[] AS param_keys, '{}'::text[] AS param_values, $6 AS tag_keys, $7 AS tag_values,
	false AS has_inputs, false AS has_outputs
FROM e LEFT JOIN fresh f USING (experiment_id)
