-- Tags of a logged model, new or changed.
-- $1 bigint: logged_model_id
-- $2 text[]: keys, no twins
-- $3 text[]: values
INSERT INTO logged_model_tag (logged_model_id, key, value)
SELECT $1, key, value FROM unnest($2::text[], $3::text[]) AS t (key, value)
ON CONFLICT (logged_model_id, key) DO UPDATE SET value = excluded.value
