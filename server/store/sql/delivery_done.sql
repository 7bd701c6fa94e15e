-- It was delivered.
-- $1 bigint: delivery_id
DELETE FROM webhook_delivery WHERE delivery_id = $1
