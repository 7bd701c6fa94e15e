-- a new user
-- $1 text: name
-- $2 text: argon2id PHC string
-- $3 boolean: administrator
-- $4 bigint: now, unix ms
INSERT INTO user_account (name, password, is_admin, created_unix_ms, password_unix_ms)
VALUES ($1, $2, $3, $4, $4)
RETURNING user_id, name, is_admin, disabled, created_unix_ms
