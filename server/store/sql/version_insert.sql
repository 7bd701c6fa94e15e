-- A new version: the number after the highest that was ever given. The model's row is locked.
-- $1 bigint: model_id
-- $2 text: description, NULL when not given
-- $3 text: source
-- $4 text: storage_location
-- $5 text: run_uuid, NULL when not given
-- $6 text: run_link, NULL when not given
-- $7 text: logged_model_uuid, NULL for none
-- $8 bigint: now, unix ms
-- $9 bigint: user_id, NULL for nobody
-- $10 bigint: token_id, NULL for none
INSERT INTO model_version (model_id, version, description, source, storage_location, run_uuid, run_link, logged_model_uuid,
	created_unix_ms, updated_unix_ms, created_by, created_token)
SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10 FROM model_version WHERE model_id = $1
RETURNING version::bigint
