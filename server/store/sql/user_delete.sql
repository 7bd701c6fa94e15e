-- a user goes with his tokens and sessions; rows he made stay, made by nobody
-- $1 bigint: user_id
DELETE FROM user_account
WHERE user_id = $1
