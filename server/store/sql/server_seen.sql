-- This server lives and has seen what a snapshot shows. When it was taken for dead meanwhile, nothing happens: its next look tells.
-- $1 text: server_id
-- $2 text: snapshot
UPDATE server SET seen_unix_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint, snapshot = $2::text::pg_snapshot WHERE server_id = $1
