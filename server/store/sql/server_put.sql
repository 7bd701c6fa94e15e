-- This server follows from now on, and reads all formats of metrics up to the present one (migrations/0004_metric_chunk.sql).
-- $1 text: server_id
INSERT INTO server (server_id, started_unix_ms, seen_unix_ms, snapshot, reads_format)
SELECT $1, now.ms, now.ms, pg_current_snapshot(), 2 FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms) now
ON CONFLICT (server_id) DO UPDATE SET seen_unix_ms = excluded.seen_unix_ms, snapshot = excluded.snapshot
