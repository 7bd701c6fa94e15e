-- The first param whose value is another than the one given.
-- $1 bigint: run_id
-- $2 text[]: keys
-- $3 text[]: values
SELECT p.key, p.value AS old, t.value AS new
FROM unnest($2::text[], $3::text[]) AS t (key, value)
JOIN param p ON p.run_id = $1 AND p.key = t.key AND p.value <> t.value
ORDER BY p.key
LIMIT 1
