-- Take a tag away; a missing one is fine.
-- $1 bigint: model_id
-- $2 integer: version
-- $3 text: key
DELETE FROM model_version_tag WHERE model_id = $1 AND version = $2 AND key = $3
