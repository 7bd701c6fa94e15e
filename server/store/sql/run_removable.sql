-- Runs that were deleted before some moment, the longest deleted first.
-- $1 bigint: before this, unix ms
-- $2 bigint: those after this run_id at the same moment …
-- $3 bigint: … or deleted after this, unix ms
-- $4 bigint: at most so many
SELECT run_id, uuid, deleted_unix_ms
FROM run
WHERE deleted AND deleted_unix_ms < $1 AND (deleted_unix_ms, run_id) > ($3, $2)
ORDER BY deleted_unix_ms, run_id
LIMIT $4
