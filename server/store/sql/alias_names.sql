-- The aliases that point at a version.
-- $1 bigint: model_id
-- $2 integer: version
SELECT name FROM alias WHERE model_id = $1 AND version = $2 ORDER BY name
