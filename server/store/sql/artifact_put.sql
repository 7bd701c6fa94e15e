-- A path names an object from now on; the object it named before is discarded. The path is locked (artifact_lock).
-- $1 text: path
-- $2 bigint: blob_id
-- $3 bigint: now, unix ms
WITH old AS (
	SELECT blob_id FROM artifact WHERE path = $1
), discarded AS (
	UPDATE blob SET state = 3 FROM old WHERE blob.blob_id = old.blob_id AND blob.blob_id <> $2
)
INSERT INTO artifact (path, blob_id, experiment_id, created_unix_ms)
VALUES ($1, $2, (
	SELECT experiment_id FROM experiment
	WHERE experiment_id = CASE WHEN $1 ~ '^(0|[1-9][0-9]{0,17})/' THEN split_part($1, '/', 1)::bigint END
), $3)
ON CONFLICT (path) DO UPDATE SET blob_id = excluded.blob_id, created_unix_ms = excluded.created_unix_ms
