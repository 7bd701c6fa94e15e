-- Another description or stage.
-- $1 bigint: model_id
-- $2 integer: version
-- $3 boolean: whether the description changes
-- $4 text: description, NULL for none
-- $5 bigint: stage, NULL: unchanged
-- $6 bigint: now, unix ms
UPDATE model_version
SET description = CASE WHEN $3 THEN $4 ELSE description END, stage = coalesce($5::bigint::smallint, stage), updated_unix_ms = $6
WHERE model_id = $1 AND version = $2
