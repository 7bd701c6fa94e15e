-- It was not delivered: try again later, or never.
-- $1 bigint: delivery_id
-- $2 bigint: next attempt, unix ms
-- $3 boolean: give it up
-- $4 bigint: HTTP status, NULL when none came
-- $5 text: why
-- $6 bigint: now, unix ms
UPDATE webhook_delivery
SET next_unix_ms = $2, given_up_unix_ms = CASE WHEN $3 THEN $6::bigint END, last_status = $4::bigint::int, last_error = $5
WHERE delivery_id = $1
