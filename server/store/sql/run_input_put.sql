-- Link a dataset to a run; tags only with the first link.
-- $1 bigint: run_id
-- $2 bigint: dataset_id
-- $3 jsonb: tags, [{"key":…,"value":…}]
INSERT INTO run_input (run_id, dataset_id, tags) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
