-- a new password; sessions begun before it are over, wrong guesses are forgotten
-- $1 bigint: user_id
-- $2 text: argon2id PHC string
-- $3 bigint: now, unix ms
UPDATE user_account
SET password = $2, password_unix_ms = $3, failed_count = 0, failed_unix_ms = 0
WHERE user_id = $1
