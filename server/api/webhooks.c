/* Webhooks: the protocol's routes. A secret goes in and never comes out. */
#include "domain/webhook.h"

#include <string.h>

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"

#define LIST_DEFAULT 100

struct event_in {
	const char *entity, *action;
};

struct in {
	const char *name, *url, *description, *secret, *status, *page_token;
	struct event_in *events, *event;
	size_t event_count;
	int64_t max_results;
};

static const struct field event_fields[] = { FIELD_TEXT(struct event_in, entity, REQUIRED | NUMBER_OK),
	FIELD_TEXT(struct event_in, action, REQUIRED | NUMBER_OK), FIELD_END };

#define EVENTS      FIELD_LIST(struct in, events, event_count, 0, event_fields, struct event_in)
#define DESCRIPTION FIELD_TEXT(struct in, description, 0)
#define SECRET      FIELD_TEXT(struct in, secret, 0)
#define STATUS      FIELD_TEXT(struct in, status, NUMBER_OK)

static const struct field create_fields[] = { FIELD_TEXT(struct in, name, REQUIRED),
	FIELD_TEXT(struct in, url, REQUIRED), EVENTS, DESCRIPTION, SECRET, STATUS, FIELD_END };
static const struct field update_fields[] = { FIELD_TEXT(struct in, name, 0), FIELD_TEXT(struct in, url, 0),
	EVENTS, DESCRIPTION, SECRET, STATUS, FIELD_END };
static const struct field list_fields[] = { FIELD_INT(struct in, max_results, 0),
	FIELD_TEXT(struct in, page_token, 0), FIELD_END };
static const struct field test_fields[] = { FIELD_OBJECT(struct in, event, 0, event_fields, struct event_in),
	FIELD_END };

/* ---- in ---- */

/* A name of the protocol, or its number. */
static enum status
read_name(struct ctx *cx, const char *what, const char *text, const char *(*name)(int), const char **out)
{
	int64_t number;

	if (str_int64(text, &number)) {
		*out = number >= 1 && number <= 100 ? name((int)number) : NULL;
	} else {
		for (int i = 1; (*out = name(i)) != NULL && !str_eq(*out, text);)
			i++;
	}
	return *out != NULL ? OK
			    : fail(cx, INVALID, "Invalid value \"%.100s\" for parameter '%s' supplied", text,
				      what);
}

static enum status
read_event(struct ctx *cx, const struct event_in *in, struct webhook_event *out)
{
	enum status st = read_name(cx, "entity", in->entity, webhook_entity, &out->entity);

	return st == OK ? read_name(cx, "action", in->action, webhook_action, &out->action) : st;
}

static enum status
read_status(struct ctx *cx, const char *text, struct webhook_change *out)
{
	out->has_active = text != NULL;
	if (text == NULL)
		return OK;
	out->active = str_eq(text, "ACTIVE") || str_eq(text, "1");
	if (out->active || str_eq(text, "DISABLED") || str_eq(text, "2"))
		return OK;
	return fail(cx, INVALID,
		"Invalid value \"%.100s\" for parameter 'status' supplied: expected ACTIVE or DISABLED",
		text);
}

/* "" of a name or an address is as good as absent; of a description or a secret it is a value. */
static const char *
or_absent(const char *text)
{
	return str_empty(text) ? NULL : text;
}

static enum status
read_change(struct request *rq, const struct field *fields, struct webhook_change *out)
{
	struct ctx *cx = request_ctx(rq);
	struct webhook_event *events;
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, fields, &in)) != OK)
		return st;
	*out = (struct webhook_change){ .name = or_absent(in.name),
		.url = or_absent(in.url),
		.description = in.description,
		.secret = in.secret,
		.event_count = in.event_count };
	out->events = events = arena_array(cx->arena, in.event_count, sizeof(*events));
	for (size_t i = 0; i < in.event_count; i++)
		if ((st = read_event(cx, &in.events[i], &events[i])) != OK)
			return st;
	return read_status(cx, in.status, out);
}

/* ---- out ---- */

static void
write_event(struct jsonw *w, const char *event)
{
	size_t entity = strcspn(event, ".");

	jw_object(w);
	jw_key(w, "entity");
	jw_textn(w, event, entity);
	jw_text_at(w, "action", event[entity] == '.' ? event + entity + 1 : "");
	jw_end(w);
}

static void
write_webhook(struct jsonw *w, const void *item)
{
	const struct webhook *h = item;

	jw_text_at(w, "webhook_id", h->uuid);
	jw_text_at(w, "name", h->name);
	jw_text_at(w, "description", or_absent(h->description));
	jw_text_at(w, "url", h->url);
	jw_array_at(w, "events");
	for (size_t i = 0; i < h->event_count; i++)
		write_event(w, h->events[i]);
	jw_end(w);
	jw_text_at(w, "status", h->active ? "ACTIVE" : "DISABLED");
	jw_int_at(w, "creation_timestamp", h->created_unix_ms);
	jw_int_at(w, "last_updated_timestamp", h->updated_unix_ms);
}

static enum status
reply_webhook(struct response *rs, const struct webhook *h)
{
	struct jsonw w;

	io_begin(&w, rs);
	jw_object_at(&w, "webhook");
	write_webhook(&w, h);
	jw_end(&w);
	return io_end(&w);
}

/* ---- the routes ---- */

enum status
api_webhook_create(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct webhook_change change;
	struct webhook h;
	enum status st;

	if ((st = read_change(rq, create_fields, &change)) != OK)
		return st;
	if (change.event_count == 0)
		return fail(cx, INVALID, "Missing value for required parameter 'events'.");
	if ((st = webhook_create(cx, &change, &h)) != OK)
		return st;
	return reply_webhook(rs, &h);
}

enum status
api_webhook_list(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct io_list list = { .key = "webhooks", .size = sizeof(struct webhook), .write = write_webhook };
	struct webhook *all = NULL;
	enum status st;

	if ((st = io_read(rq, list_fields, &in)) != OK ||
		(st = webhook_list(request_ctx(rq), in.max_results == 0 ? LIST_DEFAULT : in.max_results,
			 in.page_token, &all, &list.n, &list.next_token)) != OK)
		return st;
	list.items = all;
	return io_reply_list(rs, &list);
}

enum status
api_webhook_get(struct request *rq, struct response *rs)
{
	struct webhook h;
	enum status st = webhook_get(request_ctx(rq), request_param(rq, "webhook_id"), &h);

	return st == OK ? reply_webhook(rs, &h) : st;
}

enum status
api_webhook_update(struct request *rq, struct response *rs)
{
	struct webhook_change change;
	struct webhook h;
	enum status st;

	if ((st = read_change(rq, update_fields, &change)) != OK ||
		(st = webhook_update(request_ctx(rq), request_param(rq, "webhook_id"), &change, &h)) != OK)
		return st;
	return reply_webhook(rs, &h);
}

enum status
api_webhook_delete(struct request *rq, struct response *rs)
{
	enum status st = webhook_delete(request_ctx(rq), request_param(rq, "webhook_id"));

	return st == OK ? io_empty(rs) : st;
}

enum status
api_webhook_test(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct webhook_result result;
	struct webhook_event event;
	struct in in = { 0 };
	struct jsonw w;
	enum status st;

	if ((st = io_read(rq, test_fields, &in)) != OK ||
		(in.event != NULL && (st = read_event(cx, in.event, &event)) != OK) ||
		(st = webhook_test(cx, request_param(rq, "webhook_id"), in.event == NULL ? NULL : &event,
			 &result)) != OK)
		return st;
	io_begin(&w, rs);
	jw_object_at(&w, "result");
	jw_bool_at(&w, "success", result.success);
	if (result.status != 0)
		jw_int_at(&w, "response_status", result.status);
	jw_text_at(&w, "response_body", result.body);
	jw_text_at(&w, "error_message", result.message);
	jw_end(&w);
	return io_end(&w);
}
