-- A tag of a registered model, new or changed.
-- $1 bigint: model_id
-- $2 text[]: keys, no twins
-- $3 text[]: values
INSERT INTO registered_model_tag (model_id, key, value)
SELECT $1, key, value FROM unnest($2::text[], $3::text[]) AS t (key, value)
ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value
