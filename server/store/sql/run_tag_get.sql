-- The value of one tag.
-- $1 bigint: run_id
-- $2 text: key
SELECT value FROM run_tag WHERE run_id = $1 AND key = $2
