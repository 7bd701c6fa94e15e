-- Objects to take out of the store: discarded ones, and those that were never completed.
-- $1 bigint: pending ones count when made before this, unix ms
-- $2 bigint: at most so many
SELECT blob_id, key FROM blob
WHERE state = 3 OR (state = 1 AND created_unix_ms < $1)
ORDER BY blob_id
LIMIT $2
