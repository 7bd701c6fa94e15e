#include "store/webhooks.h"

#include "store/pairs.h"
#include "store/query.h"
#include "store/sql.h"

static enum status
webhook_from_row(struct row *row, void *out)
{
	struct webhook *w = out;

	*w = (struct webhook){
		.webhook_id = row_int8(row, "webhook_id"),
		.uuid = row_text(row, "uuid"),
		.name = row_text(row, "name"),
		.url = row_text(row, "url"),
		.description = row_text(row, "description"),
		.active = row_bool(row, "active"),
		.created_unix_ms = row_int8(row, "created_unix_ms"),
		.updated_unix_ms = row_int8(row, "updated_unix_ms"),
		.secret_key_id = row_text(row, "secret_key_id"),
	};
	w->events = row_texts(row, "events", &w->event_count);
	w->secret = row_bytea(row, "secret", &w->secret_len);
	return OK;
}

static enum status
delivery_from_row(struct row *row, void *out)
{
	struct delivery *d = out;

	*d = (struct delivery){
		.delivery_id = row_int8(row, "delivery_id"),
		.webhook_id = row_int8(row, "webhook_id"),
		.uuid = row_text(row, "uuid"),
		.webhook_uuid = row_text(row, "webhook_uuid"),
		.url = row_text(row, "url"),
		.entity = row_text(row, "entity"),
		.action = row_text(row, "action"),
		.data_json = row_text(row, "data"),
		.event_unix_ms = row_int8(row, "event_unix_ms"),
		.attempts = row_int8(row, "attempts"),
		.secret_key_id = row_text(row, "secret_key_id"),
	};
	d->secret = row_bytea(row, "secret", &d->secret_len);
	return OK;
}

/* What a client may set, in the order that insert and update share. */
static void
bind_settings(struct query *q, const struct webhook *w)
{
	query_text(q, w->name);
	query_text(q, w->url);
	query_texts(q, w->events, w->event_count);
	query_text(q, w->description);
	query_bytea(q, w->secret, w->secret_len);
	query_text(q, w->secret_key_id);
	query_bool(q, w->active);
}

enum status
store_webhook_insert(struct tx *tx, const struct webhook *w, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_insert);
	query_text(&q, w->uuid);
	bind_settings(&q, w);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	return query_run(&q, NULL);
}

enum status
store_webhook_get(struct tx *tx, const char *uuid, struct webhook *out)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_get);
	query_text(&q, uuid);
	return query_one(&q, webhook_from_row, out);
}

enum status
store_webhook_lock(struct tx *tx, const char *uuid, struct webhook *out)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_lock);
	query_text(&q, uuid);
	return query_one(&q, webhook_from_row, out);
}

enum status
store_webhook_list(struct tx *tx, int64_t created_unix_ms, int64_t webhook_id, int64_t limit,
	struct webhook **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_list);
	query_int8(&q, created_unix_ms);
	query_int8(&q, webhook_id);
	query_int8(&q, limit);
	return query_list(&q, webhook_from_row, sizeof(**out), out, n);
}

enum status
store_webhook_update(struct tx *tx, const struct webhook *w, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_update);
	query_int8(&q, w->webhook_id);
	bind_settings(&q, w);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_webhook_delete(struct tx *tx, int64_t webhook_id, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_delete);
	query_int8(&q, webhook_id);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_webhook_release(struct tx *tx, const struct delivery *d)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_release);
	query_int8(&q, d->webhook_id);
	query_int8(&q, d->lease_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_outbox_fan_out(struct tx *tx, int64_t now_unix_ms, int64_t most, int64_t *events)
{
	struct query q;

	query_init(&q, tx, &SQL_outbox_fan_out);
	query_int8(&q, now_unix_ms);
	query_int8(&q, most);
	return query_one(&q, row_read_int8, events);
}

enum status
store_webhook_claim(struct tx *tx, int64_t now_unix_ms, int64_t most, int64_t **webhook_ids, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_webhook_claim);
	query_int8(&q, now_unix_ms);
	query_int8(&q, most);
	return query_list(&q, row_read_int8, sizeof(**webhook_ids), webhook_ids, n);
}

enum status
store_delivery_claim(struct tx *tx, const struct delivery_claim *claim, struct delivery **out, size_t *n)
{
	struct query q;
	enum status st;

	query_init(&q, tx, &SQL_delivery_claim);
	query_int8s(&q, claim->webhook_ids, claim->n);
	query_int8(&q, claim->now_unix_ms);
	query_int8(&q, claim->until_unix_ms);
	st = query_list(&q, delivery_from_row, sizeof(**out), out, n);
	for (size_t i = 0; st == OK && i < *n; i++)
		(*out)[i].lease_unix_ms = claim->until_unix_ms;
	return st;
}

enum status
store_delivery_done(struct tx *tx, int64_t delivery_id)
{
	struct query q;

	query_init(&q, tx, &SQL_delivery_done);
	query_int8(&q, delivery_id);
	return query_run(&q, NULL);
}

enum status
store_delivery_failed(struct tx *tx, int64_t delivery_id, const struct delivery_failure *f)
{
	struct query q;

	query_init(&q, tx, &SQL_delivery_failed);
	query_int8(&q, delivery_id);
	query_int8(&q, f->next_unix_ms);
	query_bool(&q, f->give_up);
	query_int8_or_null(&q, f->status != 0, f->status);
	query_text(&q, f->error);
	query_int8(&q, f->now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_delivery_postpone(struct tx *tx, int64_t delivery_id)
{
	struct query q;

	query_init(&q, tx, &SQL_delivery_postpone);
	query_int8(&q, delivery_id);
	return query_run(&q, NULL);
}

enum status
store_delivery_drop(struct tx *tx, int64_t webhook_id)
{
	struct query q;

	query_init(&q, tx, &SQL_delivery_drop);
	query_int8(&q, webhook_id);
	return query_run(&q, NULL);
}

enum status
store_delivery_sweep(struct tx *tx, int64_t before_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_delivery_sweep);
	query_int8(&q, before_unix_ms);
	return query_run(&q, NULL);
}
