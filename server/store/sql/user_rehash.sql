-- the same password at a higher cost, unless it was changed meanwhile
-- $1 bigint: user_id
-- $2 text: the PHC string that was verified
-- $3 text: the new PHC string
UPDATE user_account
SET password = $3
WHERE user_id = $1 AND password = $2
