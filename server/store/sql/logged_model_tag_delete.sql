-- Take a tag away.
-- $1 bigint: logged_model_id
-- $2 text: key
DELETE FROM logged_model_tag WHERE logged_model_id = $1 AND key = $2
