-- Nobody sends to this webhook any more; unless the time was over and somebody else does.
-- $1 bigint: webhook_id
-- $2 bigint: busy_until_unix_ms as it was claimed
UPDATE webhook SET busy_until_unix_ms = 0 WHERE webhook_id = $1 AND busy_until_unix_ms = $2
