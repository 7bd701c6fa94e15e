-- A version of a registered model whose files lie in a folder.
-- $1 text: the address of the folder
-- $2 text: the same with a "/" at its end
-- $3 text: the first text after everything below it
SELECT format('"%s" version %s', m.name, v.version) AS version
FROM model_version v JOIN registered_model m USING (model_id)
WHERE NOT v.deleted AND (v.storage_location = $1 OR (v.storage_location COLLATE "C" >= $2 AND v.storage_location COLLATE "C" < $3))
LIMIT 1
