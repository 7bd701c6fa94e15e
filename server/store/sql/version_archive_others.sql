-- Move the other versions of a stage to Archived.
-- $1 bigint: model_id
-- $2 integer: version that stays
-- $3 smallint: stage
-- $4 bigint: now, unix ms
UPDATE model_version SET stage = 3, updated_unix_ms = $4
WHERE model_id = $1 AND version <> $2 AND stage = $3 AND NOT deleted
