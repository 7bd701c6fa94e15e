-- Another status, or deleted; NULL leaves as it is.
-- $1 bigint: logged_model_id
-- $2 bigint: status, NULL: unchanged
-- $3 boolean: deleted, NULL: unchanged
-- $4 bigint: now, unix ms
UPDATE logged_model
SET status = coalesce($2::bigint::smallint, status), deleted = coalesce($3, deleted), updated_unix_ms = $4
WHERE logged_model_id = $1
