-- The datasets of some runs in the order of logging.
-- $1 bigint[]: run_ids
SELECT i.run_id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile,
	ARRAY(SELECT tag ->> 'key' FROM jsonb_array_elements(i.tags) tag) AS tag_keys,
	ARRAY(SELECT tag ->> 'value' FROM jsonb_array_elements(i.tags) tag) AS tag_values
FROM run_input i JOIN dataset d USING (dataset_id)
WHERE i.run_id = ANY ($1)
ORDER BY i.run_id, i.ordinal
