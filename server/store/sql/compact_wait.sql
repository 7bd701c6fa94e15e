-- As compact_lock, but waits for who has it.
-- $1 bigint: run_id
SELECT pg_advisory_xact_lock(hashtextextended('cairn.compact', $1))
