-- the tokens of a user that were not revoked, newest first
-- $1 bigint: user_id
SELECT token_id, name, created_unix_ms, expires_unix_ms, last_used_unix_ms
FROM token
WHERE user_id = $1 AND NOT revoked
ORDER BY token_id DESC
