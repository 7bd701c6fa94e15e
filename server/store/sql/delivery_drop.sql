-- What was still to be said to a webhook is not said any more.
-- $1 bigint: webhook_id
DELETE FROM webhook_delivery WHERE webhook_id = $1 AND given_up_unix_ms IS NULL
