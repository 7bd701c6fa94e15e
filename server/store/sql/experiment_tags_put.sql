-- Tags of an experiment, new or changed.
-- $1 bigint: experiment_id
-- $2 text[]: keys, no twins
-- $3 text[]: values
INSERT INTO experiment_tag (experiment_id, key, value)
SELECT $1, key, value FROM unnest($2::text[], $3::text[]) AS t (key, value)
ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value
