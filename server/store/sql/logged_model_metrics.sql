-- The points of some logged models, in a fixed order.
-- $1 bigint[]: logged_model_ids
SELECT logged_model_id, run_uuid, key, value, time_unix_ms, step, dataset_name, dataset_digest
FROM logged_model_metric
WHERE logged_model_id = ANY ($1)
ORDER BY logged_model_id, key, step, time_unix_ms, value
