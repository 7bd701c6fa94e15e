-- the administrators who may come in, locked in one order, so that two who leave at once do not both
SELECT user_id
FROM user_account
WHERE is_admin AND NOT disabled
ORDER BY user_id
FOR UPDATE
