-- May what metric_tail holds go where older servers do not look? All living servers say that they read it, this one among them; and
-- PostgreSQL has run long enough for the others to come back, for a crash empties the table.
-- $1 text: server_id
-- $2 int: the format
-- $3 bigint: how long PostgreSQL must have run, ms
SELECT coalesce(bool_and(reads_format >= $2), false) AND coalesce(bool_or(server_id = $1), false)
	AND clock_timestamp() - pg_postmaster_start_time() > $3::bigint * interval '1 ms' AS allowed
FROM server
