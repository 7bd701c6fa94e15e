-- one more wrong password; not flushed, so that a wrong guess takes as long for a user who does not exist
-- $1 bigint: user_id
-- $2 bigint: now, unix ms
-- $3 bigint: older failures than this do not count, ms
UPDATE user_account
SET failed_count = CASE WHEN failed_unix_ms < $2::bigint - $3::bigint THEN 1 ELSE least(failed_count + 1, 1000) END,
	failed_unix_ms = $2
WHERE user_id = $1 AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
