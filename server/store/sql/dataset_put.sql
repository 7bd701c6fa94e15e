-- The number of a dataset, made when it is new: the first with this name and digest stays.
-- $1 bigint: experiment_id
-- $2 text: name
-- $3 text: digest
-- $4 text: source_type
-- $5 text: source
-- $6 text: schema, NULL when not given
-- $7 text: profile, NULL when not given
WITH fresh AS (
	INSERT INTO dataset (experiment_id, name, digest, source_type, source, schema, profile)
	VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (experiment_id, name, digest) DO NOTHING
	RETURNING dataset_id
)
SELECT dataset_id FROM fresh
UNION ALL
SELECT dataset_id FROM dataset WHERE experiment_id = $1 AND name = $2 AND digest = $3
LIMIT 1
