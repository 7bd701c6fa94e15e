-- all users by name
SELECT user_id, name, is_admin, disabled, created_unix_ms
FROM user_account
ORDER BY name
