/*
 * Webhooks: addresses that hear of changes in the registry. The change itself leaves a row in the outbox (event.h);
 * here it becomes a delivery for each webhook that wants it, and is sent until the receiver took it, at least once:
 * the delivery id tells a receiver that it has seen it before. What a receiver gets is MLflow's protocol:
 *
 *	{"entity": "model_version", "action": "created", "timestamp": "…", "data": {…}}
 *	X-MLflow-Delivery-Id: the same for every attempt    X-MLflow-Timestamp: unix seconds of the attempt
 *	X-MLflow-Signature: v1,base64(HMAC-SHA256(secret, "<delivery id>.<timestamp>.<body>")), with a secret only
 *
 * 2xx is taken. 429, 5xx and no answer are tried again; any other answer, a redirect among them, is the last one.
 */
#ifndef DOMAIN_WEBHOOK_H
#define DOMAIN_WEBHOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

#define WEBHOOK_ATTEMPTS    20     /* about a quarter of an hour */
#define WEBHOOK_LEASE_MS    120000 /* a server that died lets its deliveries go after this */
#define WEBHOOK_GIVEN_UP_MS (7 * 24 * 3600 * INT64_C(1000)) /* how long those are kept */

/* Entity and action as the protocol names them: "MODEL_VERSION", "CREATED". */
struct webhook_event {
	const char *entity;
	const char *action;
};

struct webhook {
	int64_t webhook_id;
	const char *uuid; /* the webhook_id of the protocol */
	const char *name;
	const char *url;
	const char **events; /* "MODEL_VERSION.CREATED" */
	size_t event_count;
	const char *description; /* NULL: none */
	bool active;
	int64_t created_unix_ms;
	int64_t updated_unix_ms;
	/* never leaves the server */
	const uint8_t *secret; /* sealed; NULL: none */
	size_t secret_len;
	const char *secret_key_id;
};

/* What a request says; NULL and none: not said. */
struct webhook_change {
	const char *name, *url, *description, *secret; /* secret "": none any more */
	const struct webhook_event *events;
	size_t event_count;
	bool has_active, active;
};

/* Names by their numbers in the protocol, from 1; NULL behind the last one. */
const char *webhook_entity(int number);
const char *webhook_action(int number);

enum status webhook_create(struct ctx *cx, const struct webhook_change *in, struct webhook *out) must_check;
enum status webhook_get(struct ctx *cx, const char *uuid, struct webhook *out) must_check;
/* The newest first; token NULL or "": the first page. */
enum status webhook_list(struct ctx *cx, int64_t max_results, const char *token, struct webhook **out,
	size_t *n, const char **next_token) must_check;
/* A webhook that is disabled loses what it has not heard yet. */
enum status webhook_update(
	struct ctx *cx, const char *uuid, const struct webhook_change *in, struct webhook *out) must_check;
enum status webhook_delete(struct ctx *cx, const char *uuid) must_check;

struct webhook_result {
	bool success;
	int status;          /* 0: no answer */
	const char *body;    /* the beginning of the answer; NULL without one */
	const char *message; /* what went wrong; NULL: nothing, or the answer says it */
};
/* Send an example, once. event NULL: the first that it wants. TOO_MANY while others are being tested. */
enum status webhook_test(struct ctx *cx, const char *uuid, const struct webhook_event *event,
	struct webhook_result *out) must_check;

/* ---- deliveries, for server/jobs ---- */

struct delivery {
	int64_t delivery_id, webhook_id;
	const char *uuid, *webhook_uuid, *url, *entity, *action, *data_json;
	int64_t event_unix_ms;
	int64_t attempts; /* with this one */
	int64_t lease_unix_ms;
	const uint8_t *secret;
	size_t secret_len;
	const char *secret_key_id;
};

/* Outbox rows into deliveries, some at a time. *n: how many events that were; 0: it is empty. */
enum status webhook_fan_out(struct ctx *cx, size_t *n) must_check;
/* What is due, one of a webhook, at most `most`; they are ours until WEBHOOK_LEASE_MS from now. In cx's arena. */
enum status webhook_claim(struct ctx *cx, size_t most, struct delivery **out, size_t *n) must_check;
/* One attempt, and what came of it into the database. Blocks for 30 s at most, less once *stop. */
enum status webhook_deliver(struct ctx *cx, const struct delivery *d, const atomic_bool *stop) must_check;
/* When to try again after so many attempts, in ms; `random` any number. */
int64_t webhook_backoff_ms(int64_t attempts, int64_t retry_after_s, uint64_t random);
enum status webhook_sweep(struct ctx *cx) must_check; /* given up long ago */

#endif
