-- A file by its path.
-- $1 text: path
SELECT a.path, b.key, b.size_bytes, b.sha256, false AS is_dir FROM artifact a JOIN blob b USING (blob_id) WHERE a.path = $1
