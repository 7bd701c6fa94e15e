-- a session ends
-- $1 bytea: SHA-256 of the cookie's value
DELETE FROM session
WHERE hash = $1
