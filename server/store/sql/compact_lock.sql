-- One at a time works on the stored metrics of a run, until its transaction ends; false: somebody does already.
-- $1 bigint: run_id
SELECT pg_try_advisory_xact_lock(hashtextextended('cairn.compact', $1)) AS locked
