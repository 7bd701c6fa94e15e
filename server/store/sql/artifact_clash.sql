-- A file where the new path needs a folder, or the folder that the new path would replace by a file.
-- $1 text[]: the folders above the new path
-- $2 text: the new path with a "/" at its end
-- $3 text: the first text after everything below it
SELECT path FROM artifact WHERE path = ANY ($1)
UNION ALL
(SELECT path FROM artifact WHERE path >= $2 AND path < $3 LIMIT 1)
LIMIT 1
