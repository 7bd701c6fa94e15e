-- administrator or not, disabled or not
-- $1 bigint: user_id
-- $2 boolean: administrator
-- $3 boolean: disabled
UPDATE user_account
SET is_admin = $2, disabled = $3
WHERE user_id = $1
RETURNING user_id, name, is_admin, disabled, created_unix_ms
