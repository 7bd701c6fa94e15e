-- a user, locked before a change
-- $1 bigint: user_id
SELECT user_id, name, is_admin, disabled, created_unix_ms, password, password_unix_ms, failed_count, failed_unix_ms
FROM user_account
WHERE user_id = $1
FOR UPDATE
