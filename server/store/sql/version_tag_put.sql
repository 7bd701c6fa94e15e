-- Tags of a version, new or changed.
-- $1 bigint: model_id
-- $2 integer: version
-- $3 text[]: keys, no twins
-- $4 text[]: values
INSERT INTO model_version_tag (model_id, version, key, value)
SELECT $1, $2, key, value FROM unnest($3::text[], $4::text[]) AS t (key, value)
ON CONFLICT (model_id, version, key) DO UPDATE SET value = excluded.value
