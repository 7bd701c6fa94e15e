-- One at a time makes a path a file; meanwhile nobody makes a folder above it a file. In the order of the path, so that no
-- two wait for each other.
-- $1 text[]: the folders above the path, the shortest first
-- $2 text: path
SELECT pg_advisory_xact_lock_shared(hashtextextended('cairn.artifact ' || folder, 0)) FROM unnest($1::text[]) AS folder
UNION ALL
SELECT pg_advisory_xact_lock(hashtextextended('cairn.artifact ' || $2::text, 0))
