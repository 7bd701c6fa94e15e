-- whom a session stands for; nothing when it is over
-- $1 bytea: SHA-256 of the cookie's value
-- $2 bigint: now, unix ms
-- $3 bigint: unseen for longer than this is over, ms
SELECT 0::bigint AS token_id, s.expires_unix_ms, s.last_seen_unix_ms AS used_unix_ms,
	u.user_id, u.name, u.is_admin, u.disabled, u.created_unix_ms
FROM session s JOIN user_account u USING (user_id)
WHERE s.hash = $1 AND s.expires_unix_ms > $2 AND s.last_seen_unix_ms > $2::bigint - $3::bigint
	AND s.created_unix_ms >= u.password_unix_ms AND NOT u.disabled
