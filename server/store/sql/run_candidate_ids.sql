-- Candidates of a search: some runs of some experiments, rising.
-- $1 bigint[]: experiment_ids
-- $2 boolean: deleted ones, NULL for both
-- $3 bigint: run_ids above this
-- $4 bigint: how many at most
SELECT run_id
FROM run
WHERE experiment_id = ANY ($1) AND ($2::boolean IS NULL OR deleted = $2) AND run_id > $3
ORDER BY run_id
LIMIT $4
