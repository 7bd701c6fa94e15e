-- every session of a user ends
-- $1 bigint: user_id
DELETE FROM session
WHERE user_id = $1
