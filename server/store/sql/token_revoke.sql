-- a token is worth nothing from now on
-- $1 bigint: user_id
-- $2 bigint: token_id
UPDATE token
SET revoked = true
WHERE user_id = $1 AND token_id = $2 AND NOT revoked
