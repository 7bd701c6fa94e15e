-- The logged models that some runs used.
-- $1 bigint[]: run_ids
SELECT run_id, model_uuid, 0::bigint AS step FROM run_model_input WHERE run_id = ANY ($1) ORDER BY run_id, ordinal
