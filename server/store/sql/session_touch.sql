-- a session was seen; not flushed
-- $1 bytea: SHA-256 of the cookie's value
-- $2 bigint: now, unix ms
UPDATE session
SET last_seen_unix_ms = $2
WHERE hash = $1 AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
