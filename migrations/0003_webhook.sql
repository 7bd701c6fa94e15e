-- Who wants to hear of what (webhook), and what is still to be said to whom (webhook_delivery). The outbox is emptied into
-- webhook_delivery, a row for each webhook that wants the event; rows that nobody wants end there.

CREATE TABLE webhook (
	webhook_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	uuid text COLLATE "C" NOT NULL UNIQUE, -- the webhook_id of the protocol
	name text NOT NULL,                   -- need not be unique
	url text NOT NULL,
	events text[] COLLATE "C" NOT NULL,   -- "MODEL_VERSION.CREATED": entity and action as in outbox
	description text,                     -- NULL: not given
	secret bytea,                         -- sealed with the server's key, about the uuid (server/base/box.h); NULL: unsigned
	secret_key_id text,                   -- of the key it is sealed with; NULL: no secret
	active boolean NOT NULL DEFAULT true, -- false: DISABLED
	deleted boolean NOT NULL DEFAULT false,
	busy_until_unix_ms bigint NOT NULL DEFAULT 0, -- a server sends to it until then at most; 0: nobody does
	claimed_unix_ms bigint NOT NULL DEFAULT 0, -- when a server last began to send: who waited longest is next
	created_unix_ms bigint NOT NULL,
	updated_unix_ms bigint NOT NULL,
	created_by bigint REFERENCES user_account ON DELETE SET NULL,
	created_token bigint
);
CREATE INDEX webhook_listed ON webhook (created_unix_ms DESC, webhook_id DESC) WHERE NOT deleted;

CREATE TABLE webhook_delivery (
	delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	uuid text COLLATE "C" NOT NULL,       -- X-MLflow-Delivery-Id: the same for every attempt
	webhook_id bigint NOT NULL REFERENCES webhook ON DELETE CASCADE,
	entity text NOT NULL,
	action text NOT NULL,
	data jsonb NOT NULL,                  -- these three as in outbox
	event_unix_ms bigint NOT NULL,        -- when it happened
	attempts int NOT NULL DEFAULT 0,      -- begun so far
	next_unix_ms bigint NOT NULL,         -- not before then
	last_status int,                      -- HTTP status of the last attempt; NULL: none came
	last_error text,                      -- why the last attempt failed; NULL: no attempt yet
	given_up_unix_ms bigint               -- NULL: it is still to be sent; a delivered one has no row
);
COMMENT ON TABLE webhook_delivery IS 'Claimed through the row of its webhook, one at a time; given up ones stay a week';
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_unix_ms, delivery_id) WHERE given_up_unix_ms IS NULL;
CREATE INDEX webhook_delivery_given_up ON webhook_delivery (given_up_unix_ms) WHERE given_up_unix_ms IS NOT NULL;
