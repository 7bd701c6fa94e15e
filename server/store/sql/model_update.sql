-- Another name or description. The versions of a renamed model count as changed.
-- $1 bigint: model_id
-- $2 text: name, NULL: unchanged
-- $3 boolean: whether the description changes
-- $4 text: description, NULL for none
-- $5 bigint: now, unix ms
WITH versions AS (
	UPDATE model_version SET updated_unix_ms = $5 WHERE model_id = $1 AND NOT deleted AND $2::text IS NOT NULL)
UPDATE registered_model
SET name = coalesce($2, name), description = CASE WHEN $3 THEN $4 ELSE description END, updated_unix_ms = $5
WHERE model_id = $1
