-- clears away sessions that are over, and the oldest of a user who has too many
-- $1 bigint: now, unix ms
-- $2 bigint: unseen for longer than this is over, ms
-- $3 bigint: user_id
-- $4 bigint: how many of this user stay
DELETE FROM session
WHERE expires_unix_ms <= $1 OR last_seen_unix_ms <= $1::bigint - $2::bigint
	OR hash IN (SELECT hash FROM session WHERE user_id = $3 ORDER BY last_seen_unix_ms DESC OFFSET $4)
