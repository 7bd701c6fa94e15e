-- The datasets of some experiments with the contexts they were used in.
-- $1 bigint[]: experiment_ids
SELECT DISTINCT d.experiment_id, d.name, d.digest,
	(SELECT tag ->> 'value' FROM jsonb_array_elements(i.tags) tag
	 WHERE tag ->> 'key' = 'mlflow.data.context' LIMIT 1) AS context
FROM dataset d JOIN run_input i USING (dataset_id)
WHERE d.experiment_id = ANY ($1)
ORDER BY 1, 2, 3, 4
LIMIT 1000
