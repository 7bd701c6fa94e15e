-- a session begins
-- $1 bytea: SHA-256 of the cookie's value
-- $2 bigint: user_id
-- $3 bigint: now, unix ms
-- $4 bigint: its end whatever happens, unix ms
INSERT INTO session (hash, user_id, created_unix_ms, last_seen_unix_ms, expires_unix_ms)
VALUES ($1, $2, $3, $3, $4)
