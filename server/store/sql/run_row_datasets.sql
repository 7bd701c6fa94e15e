-- The datasets of some runs as searches need them, in the order of logging.
-- $1 bigint[]: run_ids
SELECT i.run_id, d.name, d.digest,
	(SELECT tag ->> 'value' FROM jsonb_array_elements(i.tags) tag
	 WHERE tag ->> 'key' = 'mlflow.data.context' LIMIT 1) AS context
FROM run_input i JOIN dataset d USING (dataset_id)
WHERE i.run_id = ANY ($1)
ORDER BY i.run_id, i.ordinal
