#include "domain/webhook.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/box.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "domain/names.h"
#include "domain/webhook_events.h"
#include "outbound/outbound.h"
#include "store/webhooks.h"

#define NAME_LENGTH   63
#define URL_LENGTH    2000
#define SECRET_LENGTH 1000
#define LIST_MOST     1000
#define FAN_OUT       500 /* events a statement */

/* ---- what a webhook may say ---- */

static enum status
check_name(struct ctx *cx, const char *name)
{
	size_t len = strlen(name);
	bool good = len >= 1 && len <= NAME_LENGTH && isalnum((unsigned char)name[0]) &&
		    isalnum((unsigned char)name[len - 1]);

	for (size_t i = 0; good && i < len; i++)
		good = isalnum((unsigned char)name[i]) || strchr("._-", name[i]) != NULL;
	if (good)
		return OK;
	return fail(cx, INVALID,
		"Webhook name '%.100s' is invalid. It must start and end with a letter or digit, be at most "
		"63 characters long, and contain only letters, digits, dots (.), underscores (_), and "
		"hyphens (-).",
		name);
}

/* Everything but the events; talks to the name servers, so not inside of a transaction. */
static enum status
check(struct ctx *cx, const struct webhook_change *in)
{
	enum status st = OK;

	if (in->name != NULL && (st = check_name(cx, in->name)) != OK)
		return st;
	if (in->description != NULL &&
		(st = name_length(cx, "description", DESCRIPTION_LENGTH, in->description)) != OK)
		return st;
	if (in->secret != NULL && (st = name_length(cx, "secret", SECRET_LENGTH, in->secret)) != OK)
		return st;
	if (in->url != NULL && (st = name_length(cx, "url", URL_LENGTH, in->url)) == OK)
		st = outbound_check(cx, "webhook URL", in->url);
	return st;
}

/* Each once, in the order given. */
static enum status
take_events(struct ctx *cx, const struct webhook_change *in, struct webhook *w)
{
	enum status st;

	w->events = arena_array(cx->arena, in->event_count, sizeof(*w->events));
	w->event_count = 0;
	for (size_t i = 0; i < in->event_count; i++) {
		const char *text;
		size_t k = 0;

		if ((st = webhook_event_check(cx, &in->events[i])) != OK)
			return st;
		text = arena_printf(cx->arena, "%s.%s", in->events[i].entity, in->events[i].action);
		while (k < w->event_count && !str_eq(w->events[k], text))
			k++;
		if (k == w->event_count)
			w->events[w->event_count++] = text;
	}
	return OK;
}

static void
take_secret(struct ctx *cx, const char *secret, struct webhook *w)
{
	const struct box *box = cx->parts->box;
	size_t len = strlen(secret);
	uint8_t *sealed;

	w->secret = NULL;
	w->secret_len = 0;
	w->secret_key_id = NULL;
	if (len == 0)
		return;
	sealed = arena_array(cx->arena, len + BOX_OVERHEAD, 1);
	box_seal(box, w->uuid, secret, len, sealed);
	w->secret = sealed;
	w->secret_len = len + BOX_OVERHEAD;
	w->secret_key_id = box_key_id(box);
}

static enum status
take(struct ctx *cx, const struct webhook_change *in, struct webhook *w)
{
	if (in->name != NULL)
		w->name = in->name;
	if (in->url != NULL)
		w->url = in->url;
	if (in->description != NULL)
		w->description = in->description;
	if (in->has_active)
		w->active = in->active;
	if (in->secret != NULL)
		take_secret(cx, in->secret, w);
	return in->event_count == 0 ? OK : take_events(cx, in, w);
}

static enum status
no_webhook(struct ctx *cx, enum status st, const char *uuid)
{
	return st == NOT_FOUND ? fail(cx, NOT_FOUND, "Webhook with ID %.100s not found.", uuid) : st;
}

/* ---- changes ---- */

/* What has happened so far is for the webhooks as they were. */
static enum status
settle(struct tx *tx)
{
	int64_t n = FAN_OUT;
	enum status st = OK;

	while (st == OK && n == FAN_OUT)
		st = store_outbox_fan_out(tx, clock_unix_ms(), FAN_OUT, &n);
	return st;
}

const char *
webhook_uuid(struct ctx *cx)
{
	char hex[33];

	random_hex(hex, 16);
	hex[12] = '4';
	hex[16] = "89ab"[random_u64() & 3];
	return arena_printf(
		cx->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

enum status
webhook_create(struct ctx *cx, const struct webhook_change *in, struct webhook *out)
{
	struct webhook w = { .uuid = webhook_uuid(cx), .active = true };
	struct tx *tx = NULL;
	enum status st;

	if ((st = check(cx, in)) != OK || (st = take(cx, in, &w)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK && (st = settle(tx)) == OK &&
		(st = store_webhook_insert(tx, &w, clock_unix_ms())) == OK &&
		(st = store_webhook_get(tx, w.uuid, out)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
webhook_update(struct ctx *cx, const char *uuid, const struct webhook_change *in, struct webhook *out)
{
	struct webhook w;
	struct tx *tx = NULL;
	enum status st;

	if ((st = check(cx, in)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = no_webhook(cx, store_webhook_lock(tx, uuid, &w), uuid)) != OK ||
		(st = take(cx, in, &w)) != OK || (st = settle(tx)) != OK ||
		(st = store_webhook_update(tx, &w, clock_unix_ms())) != OK)
		goto out;
	if (!w.active && (st = store_delivery_drop(tx, w.webhook_id)) != OK)
		goto out;
	if ((st = store_webhook_get(tx, uuid, out)) == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
webhook_delete(struct ctx *cx, const char *uuid)
{
	struct webhook w;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK &&
		(st = no_webhook(cx, store_webhook_lock(tx, uuid, &w), uuid)) == OK &&
		(st = settle(tx)) == OK &&
		(st = store_webhook_delete(tx, w.webhook_id, clock_unix_ms())) == OK &&
		(st = store_delivery_drop(tx, w.webhook_id)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

/* ---- looking ---- */

enum status
webhook_get(struct ctx *cx, const char *uuid, struct webhook *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = no_webhook(cx, store_webhook_get(tx, uuid, out), uuid);
	tx_rollback(&tx);
	return st;
}

static const char *
token_make(struct ctx *cx, const struct webhook *last)
{
	char text[48], token[65];
	int len = snprintf(text, sizeof(text), "%lld,%lld", (long long)last->created_unix_ms,
		(long long)last->webhook_id);

	base64url_encode(token, sizeof(token), text, (size_t)len);
	return arena_str(cx->arena, token);
}

static enum status
token_read(struct ctx *cx, const char *token, int64_t *created_unix_ms, int64_t *webhook_id)
{
	char text[48], *comma;
	size_t len;

	*created_unix_ms = INT64_MAX;
	*webhook_id = INT64_MAX;
	if (str_empty(token))
		return OK;
	if (base64url_decode(text, sizeof(text) - 1, &len, token, strlen(token))) {
		text[len] = '\0';
		comma = strchr(text, ',');
		if (comma != NULL) {
			*comma = '\0';
			if (str_int64(text, created_unix_ms) && str_int64(comma + 1, webhook_id))
				return OK;
		}
	}
	return fail(cx, INVALID, "Invalid page token '%.100s': give the next_page_token of the page before",
		token);
}

enum status
webhook_list(struct ctx *cx, int64_t max_results, const char *token, struct webhook **out, size_t *n,
	const char **next_token)
{
	int64_t created_unix_ms, webhook_id;
	struct tx *tx = NULL;
	enum status st;

	*next_token = NULL;
	if (max_results < 1 || max_results > LIST_MOST)
		return fail(cx, INVALID, "max_results must be between 1 and %d.", LIST_MOST);
	if ((st = token_read(cx, token, &created_unix_ms, &webhook_id)) != OK)
		return st;
	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_webhook_list(tx, created_unix_ms, webhook_id, max_results + 1, out, n);
	tx_rollback(&tx);
	if (st == OK && *n > (size_t)max_results) {
		*n = (size_t)max_results;
		*next_token = token_make(cx, &(*out)[*n - 1]);
	}
	return st;
}

/* ---- deliveries ---- */

enum status
webhook_fan_out(struct ctx *cx, size_t *n)
{
	struct tx *tx = NULL;
	int64_t events = 0;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_outbox_fan_out(tx, clock_unix_ms(), FAN_OUT, &events);
	tx_rollback(&tx);
	*n = (size_t)events;
	return st;
}

enum status
webhook_claim(struct ctx *cx, size_t most, struct delivery **out, size_t *n)
{
	int64_t now = clock_unix_ms(), *ids;
	struct tx *tx = NULL;
	enum status st;

	*n = 0;
	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = store_webhook_claim(tx, now, (int64_t)most, &ids, n)) != OK)
		goto out;
	if (*n > 0) {
		/* a statement of its own: it sees what those who had them before us have done */
		const struct delivery_claim claim = { ids, *n, now, now + WEBHOOK_LEASE_MS };

		if ((st = store_delivery_claim(tx, &claim, out, n)) != OK)
			goto out;
	}
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
webhook_sweep(struct ctx *cx)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_delivery_sweep(tx, clock_unix_ms() - WEBHOOK_GIVEN_UP_MS);
	tx_rollback(&tx);
	return st;
}
