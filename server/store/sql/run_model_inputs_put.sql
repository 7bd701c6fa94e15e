-- Logged models that a run uses.
-- $1 bigint: run_id
-- $2 text[]: model uuids
INSERT INTO run_model_input (run_id, model_uuid)
SELECT $1::bigint, m FROM unnest($2::text[]) WITH ORDINALITY AS t (m, i) GROUP BY m ORDER BY min(i)
ON CONFLICT DO NOTHING
