-- The tags that a search needs, of some runs.
-- $1 bigint[]: run_ids
-- $2 text[]: keys
SELECT t.run_id, t.key, t.value
FROM run_tag t
WHERE t.run_id = ANY ($1) AND t.key = ANY ($2)
