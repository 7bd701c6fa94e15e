-- Every file below a folder, in the order of their bytes.
-- $1 text: the folder with a "/" at its end
-- $2 text: the first text after everything below it
SELECT a.path, b.key, b.size_bytes, b.sha256, false AS is_dir
FROM artifact a JOIN blob b USING (blob_id)
WHERE a.path >= $1 AND a.path < $2
ORDER BY a.path
