-- The datasets of the runs of some experiments, for a search.
-- $1 bigint[]: experiment_ids
SELECT i.run_id, d.name, d.digest,
	(SELECT tag ->> 'value' FROM jsonb_array_elements(i.tags) tag
	 WHERE tag ->> 'key' = 'mlflow.data.context' LIMIT 1) AS context
FROM run r JOIN run_input i USING (run_id) JOIN dataset d USING (dataset_id)
WHERE r.experiment_id = ANY ($1)
ORDER BY i.run_id, i.ordinal
