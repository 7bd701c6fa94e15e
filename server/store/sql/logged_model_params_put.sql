-- Params of a logged model; they are only ever added, a twin is refused by the primary key.
-- $1 bigint: logged_model_id
-- $2 text[]: keys
-- $3 text[]: values
INSERT INTO logged_model_param (logged_model_id, key, value)
SELECT $1, key, value FROM unnest($2::text[], $3::text[]) AS t (key, value)
