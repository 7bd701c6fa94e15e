-- Take a tag away; a missing one is fine.
-- $1 bigint: model_id
-- $2 text: key
DELETE FROM registered_model_tag WHERE model_id = $1 AND key = $2
