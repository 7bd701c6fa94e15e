-- a user with what a sign-in needs to know
-- $1 text: name
SELECT user_id, name, is_admin, disabled, created_unix_ms, password, password_unix_ms, failed_count, failed_unix_ms
FROM user_account
WHERE name = $1
