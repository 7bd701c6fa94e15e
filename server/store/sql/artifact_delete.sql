-- Take away a file, or everything below a folder; their objects are discarded.
-- $1 text: path
-- $2 text: the path with a "/" at its end
-- $3 text: the first text after everything below it
WITH gone AS (
	DELETE FROM artifact WHERE path = $1 OR (path >= $2 AND path < $3) RETURNING blob_id
)
UPDATE blob SET state = 3 FROM gone WHERE blob.blob_id = gone.blob_id
