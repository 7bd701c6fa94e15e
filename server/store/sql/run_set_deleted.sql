-- Delete or restore a run.
-- $1 bigint: run_id
-- $2 boolean: deleted
-- $3 bigint: now, unix ms
UPDATE run SET deleted = $2, deleted_unix_ms = CASE WHEN $2 THEN $3::bigint END WHERE run_id = $1
