-- Take a tag away.
-- $1 bigint: run_id
-- $2 text: key
DELETE FROM run_tag WHERE run_id = $1 AND key = $2
