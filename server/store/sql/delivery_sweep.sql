-- Forget what was given up before then.
-- $1 bigint: unix ms
DELETE FROM webhook_delivery WHERE given_up_unix_ms < $1
