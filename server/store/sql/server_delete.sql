-- This server follows no longer.
-- $1 text: server_id
DELETE FROM server WHERE server_id = $1
