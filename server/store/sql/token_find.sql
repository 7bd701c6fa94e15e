-- whom a token stands for; nothing when it is revoked or expired, or its user is disabled
-- $1 bytea: SHA-256 of the whole token
-- $2 bigint: now, unix ms
SELECT t.token_id, t.expires_unix_ms, t.last_used_unix_ms AS used_unix_ms,
	u.user_id, u.name, u.is_admin, u.disabled, u.created_unix_ms
FROM token t JOIN user_account u USING (user_id)
WHERE t.hash = $1 AND NOT t.revoked AND coalesce(t.expires_unix_ms > $2, true) AND NOT u.disabled
