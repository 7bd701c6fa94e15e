-- One level below a folder: files with their size, folders once each.
-- $1 text: the folder with a "/" at its end
-- $2 text: the first text after everything below it
SELECT $1 || part AS path, bool_or(deeper) AS is_dir, max(size_bytes) FILTER (WHERE NOT deeper) AS size_bytes,
	NULL::text AS key, NULL::bytea AS sha256
FROM (
	SELECT split_part(substr(a.path, length($1) + 1), '/', 1) AS part,
		strpos(substr(a.path, length($1) + 1), '/') > 0 AS deeper, b.size_bytes
	FROM artifact a JOIN blob b USING (blob_id)
	WHERE a.path >= $1 AND a.path < $2
) below
GROUP BY part
ORDER BY part COLLATE "C"
