-- Logged models that a run made.
-- $1 bigint: run_id
-- $2 text[]: model uuids, no twins
-- $3 bigint[]: steps
INSERT INTO run_model_output (run_id, model_uuid, step)
SELECT $1, m, s FROM unnest($2::text[], $3::bigint[]) AS t (m, s)
ON CONFLICT DO NOTHING
