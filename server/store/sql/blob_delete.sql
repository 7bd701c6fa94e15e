-- The object is gone from the store.
-- $1 bigint: blob_id
DELETE FROM blob WHERE blob_id = $1 AND state <> 2
