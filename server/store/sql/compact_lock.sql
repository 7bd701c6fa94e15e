-- One at a time works on the stored metrics of a run, until its transaction ends; false: somebody does already. Its commit does not wait
-- for the disk: what a crash takes back stands in the tail again.
-- $1 bigint: run_id
SELECT pg_try_advisory_xact_lock(hashtextextended('cairn.compact', $1)) AND set_config('synchronous_commit', 'off', true) IS NOT NULL AS locked
