-- A file below a folder by its digest.
-- $1 text: the folder with a "/" at its end
-- $2 text: the first text after everything below it
-- $3 bytea: sha256
SELECT a.path, b.key, b.size_bytes, b.sha256, false AS is_dir
FROM blob b JOIN artifact a USING (blob_id)
WHERE b.sha256 = $3 AND a.path >= $1 AND a.path < $2
ORDER BY a.path
LIMIT 1
