/* One webhook is sent to: the body, the signature, what the answer means, and the row that remembers it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/box.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "domain/webhook.h"
#include "domain/webhook_events.h"
#include "outbound/outbound.h"
#include "store/webhooks.h"

#define SEND_MS       INT64_C(30000)
#define TEST_MS       INT64_C(10000)
#define TESTS         4 /* at the same time: each holds a worker */
#define BACKOFF_MS    INT64_C(1000)
#define BACKOFF_MOST  INT64_C(60000)
#define RETRY_AFTER_S INT64_C(3600) /* the longest that is honoured */
#define RECORD_TRIES  20
#define BODY_BYTES    ((size_t)32 << 20)

static atomic_int tests_running;

/* ---- the body ---- */

static void
lower_at(struct jsonw *w, const char *key, const char *text)
{
	char out[40];
	size_t i = 0;

	for (; text[i] != '\0' && i < sizeof(out) - 1; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[i] = '\0';
	jw_text_at(w, key, out);
}

/* As Python's isoformat() says it. */
static void
time_at(struct jsonw *w, const char *key, int64_t unix_ms)
{
	time_t s = (time_t)(unix_ms / 1000);
	char date[32], text[64];
	struct tm tm;

	(void)gmtime_r(&s, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text, sizeof(text), "%s.%03d000+00:00", date, (int)(unix_ms % 1000));
	jw_text_at(w, key, text);
}

static void
write_body(struct buf *body, const struct delivery *d)
{
	struct jsonw w;

	jw_init(&w, body);
	jw_object(&w);
	lower_at(&w, "entity", d->entity);
	lower_at(&w, "action", d->action);
	time_at(&w, "timestamp", d->event_unix_ms);
	jw_key(&w, "data");
	jw_raw(&w, d->data_json, strlen(d->data_json));
	jw_end(&w);
}

/* ---- the signature ---- */

static enum status
open_secret(struct ctx *cx, const struct delivery *d, char **secret, size_t *len)
{
	*len = d->secret_len - BOX_OVERHEAD;
	*secret = arena_array(cx->arena, *len + 1, 1);
	if (box_open(cx->parts->box, d->webhook_uuid, d->secret, d->secret_len, *secret))
		return OK;
	return fail(cx, INTERNAL,
		"its secret was sealed with the key %s, and this server has %s: servers of one database need "
		"the same --secret-key-file",
		d->secret_key_id, box_key_id(cx->parts->box));
}

static enum status
sign(struct ctx *cx, const struct delivery *d, const char *timestamp, const struct buf *body,
	const char **header)
{
	uint8_t mac[SHA256_BYTES];
	char *secret, text[48];
	struct buf signs;
	size_t len;
	enum status st = open_secret(cx, d, &secret, &len);

	if (st != OK)
		return st;
	buf_init(&signs, BODY_BYTES + 200);
	buf_printf(&signs, "%s.%s.", d->uuid, timestamp);
	buf_add(&signs, body->data, body->len);
	hmac_sha256(secret, len, signs.data, signs.len, mac);
	buf_fini(&signs);
	wipe(secret, len);
	base64_encode(text, sizeof(text), mac, sizeof(mac));
	*header = arena_printf(cx->arena, "X-MLflow-Signature: v1,%s", text);
	return OK;
}

/* Fails before anything is sent: the secret does not open. */
static enum status
send_body(struct ctx *cx, const struct delivery *d, const struct buf *body, struct outbound_post *p,
	struct outbound_answer *a)
{
	const char *headers[4] = { "Content-Type: application/json" };
	char timestamp[24];
	enum status st;

	(void)snprintf(timestamp, sizeof(timestamp), "%lld", (long long)(clock_unix_ms() / 1000));
	headers[1] = arena_printf(cx->arena, "X-MLflow-Delivery-Id: %s", d->uuid);
	headers[2] = arena_printf(cx->arena, "X-MLflow-Timestamp: %s", timestamp);
	p->header_count = 3;
	if (d->secret != NULL) {
		if ((st = sign(cx, d, timestamp, body, &headers[3])) != OK)
			return st;
		p->header_count = 4;
	}
	p->url = d->url;
	p->headers = headers;
	p->body = body->data;
	p->len = body->len;
	outbound_post(cx->parts->outbound, p, a);
	return OK;
}

static enum status
send_delivery(struct ctx *cx, const struct delivery *d, struct outbound_post *p, struct outbound_answer *a)
{
	struct buf body;
	enum status st;

	buf_init(&body, BODY_BYTES);
	write_body(&body, d);
	st = send_body(cx, d, &body, p, a);
	buf_fini(&body);
	return st;
}

/* ---- what came of it ---- */

static bool
was_taken(const struct outbound_answer *a)
{
	return a->status >= 200 && a->status < 300;
}

static bool
is_final(const struct outbound_answer *a)
{
	return a->refused || (a->status != 0 && a->status != 429 && a->status < 500);
}

int64_t
webhook_backoff_ms(int64_t attempts, int64_t retry_after_s, uint64_t random)
{
	int64_t ms = attempts > 6 ? BACKOFF_MOST : BACKOFF_MS << (attempts < 1 ? 0 : attempts - 1);
	int64_t asked_ms = (retry_after_s < RETRY_AFTER_S ? retry_after_s : RETRY_AFTER_S) * 1000;

	if (ms < asked_ms)
		ms = asked_ms;
	else if (ms > BACKOFF_MOST)
		ms = BACKOFF_MOST;
	return ms + (int64_t)(random % 1000);
}

static const char *
explain(struct ctx *cx, const struct outbound_answer *a)
{
	if (a->status == 0)
		return arena_str(cx->arena, a->error);
	if (a->status >= 300 && a->status < 400)
		return arena_printf(cx->arena, "it answered %d, and redirects are not followed", a->status);
	return arena_printf(cx->arena, "it answered %d: %.200s", a->status, a->body);
}

static enum status
put_result(struct ctx *cx, const struct delivery *d, const struct outbound_answer *a, const char *why)
{
	int64_t now = clock_unix_ms();
	struct delivery_failure f = { .now_unix_ms = now, .status = a->status, .error = why };
	struct tx *tx = NULL;
	enum status st;

	f.give_up = is_final(a) || d->attempts >= WEBHOOK_ATTEMPTS;
	f.next_unix_ms = now + webhook_backoff_ms(d->attempts, a->retry_after_s, random_u64());
	/* the webhook's row first, as those do who disable or delete it */
	if ((st = tx_begin(cx, &tx)) != OK || (st = store_webhook_release(tx, d)) != OK)
		goto out;
	if (was_taken(a))
		st = store_delivery_done(tx, d->delivery_id);
	else if (a->stopped)
		st = store_delivery_postpone(tx, d->delivery_id);
	else
		st = store_delivery_failed(tx, d->delivery_id, &f);
	if (st == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

/* PostgreSQL may be away just now; forgetting what was delivered would deliver it again. */
static enum status
record(struct ctx *cx, const struct delivery *d, const struct outbound_answer *a, const atomic_bool *stop)
{
	const char *why = was_taken(a) ? NULL : explain(cx, a);
	enum status st;

	for (int i = 0; (st = put_result(cx, d, a, why)) == UNAVAILABLE && i < RECORD_TRIES; i++) {
		if (atomic_load(stop))
			break;
		(void)nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	return st;
}

static void
say(const struct delivery *d, const struct outbound_answer *a)
{
	if (was_taken(a) || a->stopped)
		log_debug("webhook", "webhook=%s delivery=%s status=%d attempt=%lld", d->webhook_uuid,
			d->uuid, a->status, (long long)d->attempts);
	else
		log_warn("webhook", "webhook=%s delivery=%s status=%d attempt=%lld%s error=\"%s\"",
			d->webhook_uuid, d->uuid, a->status, (long long)d->attempts,
			is_final(a) || d->attempts >= WEBHOOK_ATTEMPTS ? " given_up=true" : "", a->error);
}

enum status
webhook_deliver(struct ctx *cx, const struct delivery *d, const atomic_bool *stop)
{
	struct outbound_post p = { .timeout_ms = SEND_MS, .stop = stop };
	struct outbound_answer a = { 0 };

	if (send_delivery(cx, d, &p, &a) != OK)
		(void)snprintf(a.error, sizeof(a.error), "%.390s", cx->message);
	say(d, &a);
	return record(cx, d, &a, stop);
}

/* ---- trying it out ---- */

static enum status
test(struct ctx *cx, const struct webhook *w, const struct webhook_event *event, struct webhook_result *out)
{
	const struct delivery d = {
		.uuid = webhook_uuid(cx),
		.webhook_uuid = w->uuid,
		.url = w->url,
		.entity = event->entity,
		.action = event->action,
		.data_json = webhook_event_example(event),
		.event_unix_ms = clock_unix_ms(),
		.secret = w->secret,
		.secret_len = w->secret_len,
		.secret_key_id = w->secret_key_id,
	};
	struct outbound_post p = { .timeout_ms = TEST_MS };
	struct outbound_answer a = { 0 };

	*out = (struct webhook_result){ 0 };
	if (send_delivery(cx, &d, &p, &a) != OK) {
		out->message = arena_printf(cx->arena, "Failed to test webhook: %s", cx->message);
		return OK;
	}
	out->success = was_taken(&a);
	out->status = a.status;
	if (a.status != 0)
		out->body = arena_str(cx->arena, a.body);
	if (a.status == 0 || (a.status >= 300 && a.status < 400))
		out->message = arena_printf(cx->arena, "Failed to test webhook: %s", explain(cx, &a));
	return OK;
}

enum status
webhook_test(struct ctx *cx, const char *uuid, const struct webhook_event *event, struct webhook_result *out)
{
	struct webhook_event first;
	struct webhook w;
	enum status st;

	if (event != NULL && (st = webhook_event_check(cx, event)) != OK)
		return st;
	if ((st = webhook_get(cx, uuid, &w)) != OK)
		return st;
	first = event != NULL ? *event : webhook_event_from(cx, w.events[0]);
	if (atomic_fetch_add(&tests_running, 1) < TESTS)
		st = test(cx, &w, &first, out);
	else
		st = fail(cx, TOO_MANY, "%d webhooks are being tested just now: try again", TESTS);
	atomic_fetch_sub(&tests_running, 1);
	return st;
}
