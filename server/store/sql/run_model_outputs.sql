-- The logged models that some runs made.
-- $1 bigint[]: run_ids
SELECT run_id, model_uuid, step FROM run_model_output WHERE run_id = ANY ($1) ORDER BY run_id, ordinal
