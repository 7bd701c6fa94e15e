-- the right password: wrong ones are forgotten
-- $1 bigint: user_id
UPDATE user_account
SET failed_count = 0, failed_unix_ms = 0
WHERE user_id = $1
