-- a token was used; not flushed
-- $1 bigint: token_id
-- $2 bigint: now, unix ms
UPDATE token
SET last_used_unix_ms = $2
WHERE token_id = $1 AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
