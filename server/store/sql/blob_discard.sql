-- Give up an object that is not committed: from now on it may be deleted from the store.
-- $1 bigint: blob_id
UPDATE blob SET state = 3 WHERE blob_id = $1 AND state <> 2
