-- Something that others will want to hear of.
-- $1 text: entity
-- $2 text: action
-- $3 jsonb: data
-- $4 bigint: now, unix ms
INSERT INTO outbox (entity, action, data, created_unix_ms) VALUES ($1, $2, $3, $4)
