-- Who made a run, and when by the server's clock.
-- $1 text: uuid
SELECT r.created_unix_ms, u.name AS created_by, k.name AS created_token
FROM run r LEFT JOIN user_account u ON u.user_id = r.created_by LEFT JOIN token k ON k.token_id = r.created_token
WHERE r.uuid = $1
