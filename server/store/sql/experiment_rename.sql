-- Another name for an experiment.
-- $1 bigint: experiment_id
-- $2 text: name
-- $3 bigint: now, unix ms
UPDATE experiment SET name = $2, updated_unix_ms = $3 WHERE experiment_id = $1
