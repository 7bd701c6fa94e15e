-- Change what an update names; NULL leaves a column as it is.
-- $1 bigint: run_id
-- $2 text: name, NULL: unchanged
-- $3 bigint: status, NULL: unchanged
-- $4 bigint: end_unix_ms, NULL: unchanged
UPDATE run
SET name = coalesce($2, name), status = coalesce($3::bigint::smallint, status), end_unix_ms = coalesce($4, end_unix_ms)
WHERE run_id = $1
