-- The object is complete.
-- $1 bigint: blob_id
-- $2 bigint: size_bytes
-- $3 bytea: sha256
UPDATE blob SET state = 2, size_bytes = $2, sha256 = $3 WHERE blob_id = $1 AND state = 1
