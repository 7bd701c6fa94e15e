-- The attempt was broken off by us: it does not count.
-- $1 bigint: delivery_id
UPDATE webhook_delivery SET attempts = attempts - 1 WHERE delivery_id = $1
