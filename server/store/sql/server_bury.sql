-- Servers that were silent for too long are taken for dead; one that was only asleep finds out at its next look.
-- $1 bigint: how long, ms
DELETE FROM server WHERE seen_unix_ms < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1
