-- Hide a version for good: its number stays taken, where it came from is forgotten.
-- $1 bigint: model_id
-- $2 integer: version
-- $3 bigint: now, unix ms
UPDATE model_version
SET deleted = true, description = NULL, source = NULL, storage_location = NULL, run_uuid = NULL, run_link = NULL,
	logged_model_uuid = NULL, updated_unix_ms = $3
WHERE model_id = $1 AND version = $2
