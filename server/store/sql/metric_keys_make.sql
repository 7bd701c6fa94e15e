-- The numbers of metric names, new ones numbered on from the greatest; under metric_keys_lock.
-- $1 bigint: experiment_id
-- $2 text[]: names, no twins
WITH fresh AS (
	INSERT INTO metric_key (experiment_id, key_id, name)
	SELECT $1, (SELECT coalesce(max(k.key_id), 0) FROM metric_key k WHERE k.experiment_id = $1)
		+ row_number() OVER (ORDER BY w.name), w.name
	FROM unnest($2::text[]) AS w (name)
	WHERE NOT EXISTS (SELECT FROM metric_key k WHERE k.experiment_id = $1 AND k.name = w.name)
	ON CONFLICT DO NOTHING
	RETURNING key_id, name
)
SELECT key_id, name FROM fresh
UNION ALL
SELECT k.key_id, k.name FROM metric_key k WHERE k.experiment_id = $1 AND k.name = ANY ($2)
