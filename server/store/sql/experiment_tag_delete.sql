-- Take a tag away.
-- $1 bigint: experiment_id
-- $2 text: key
DELETE FROM experiment_tag WHERE experiment_id = $1 AND key = $2
