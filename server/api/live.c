/* GET /api/v1/metrics/live: server-sent events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/io.h"
#include "auth/caller.h"
#include "auth/permission.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "domain/run_live.h"
#include "http/push.h"

#define SERIES_MOST  1000
#define WAITING_MOST ((size_t)256 << 10) /* bytes that a slow reader may be behind */
#define RETRY_MS     2000
#define HEARTBEAT_MS 15000
#define CHECK_MS     10000 /* whether the watcher still may: mostly from memory (auth/caller.h) */

struct live_in_query {
	const char **run_ids, **keys;
	size_t run_count, key_count;
	const char *cursor;
};
static const struct field live_fields[] = {
	{ "run_id", FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct live_in_query, run_ids),
		offsetof(struct live_in_query, run_count), 0, NULL, 0 },
	{ "key", FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct live_in_query, keys),
		offsetof(struct live_in_query, key_count), 0, NULL, 0 },
	FIELD_TEXT(struct live_in_query, cursor, 0),
	FIELD_END,
};

/* One who watches. What is borrowed from the request lives as long as the push. */
struct watcher {
	struct push *push;
	const struct parts *parts;
	struct caller_input caller;
	enum permission needs;
	int64_t user_id;
	int64_t said_mono_ms, checked_mono_ms;
	bool full; /* the last event was not taken */
};

/* ---- the text of events ---- */

static void
write_columns(struct jsonw *w, const struct live_series *s)
{
	jw_object_at(w, "points");
	jw_array_at(w, "step");
	for (size_t i = 0; i < s->n; i++)
		jw_int(w, s->samples[i].step);
	jw_end(w);
	jw_array_at(w, "time");
	for (size_t i = 0; i < s->n; i++)
		jw_int(w, s->samples[i].time_unix_ms);
	jw_end(w);
	jw_array_at(w, "value");
	for (size_t i = 0; i < s->n; i++)
		jw_real(w, s->samples[i].value);
	jw_end(w);
	jw_end(w);
}

static void
begin_event(struct jsonw *w, struct buf *b, const char *name, const char *cursor)
{
	buf_printf(b, "event: %s\nid: %s\ndata: ", name, cursor);
	jw_init(w, b);
	jw_object(w);
	jw_text_at(w, "cursor", cursor);
}

static void
end_event(struct jsonw *w)
{
	jw_end(w);
	jw_end(w);
	buf_str(w->buf, "\n\n");
}

static void
write_event(struct buf *b, const struct live_event *e)
{
	struct jsonw w;

	if (e->reset_count > 0) {
		begin_event(&w, b, "reset", e->cursor);
		jw_array_at(&w, "run_ids");
		for (size_t i = 0; i < e->reset_count; i++)
			jw_text(&w, e->reset[i]);
		end_event(&w);
	}
	if (e->n > 0) {
		begin_event(&w, b, "points", e->cursor);
		jw_array_at(&w, "series");
		for (size_t i = 0; i < e->n && !b->overflow; i++) {
			jw_object(&w);
			jw_text_at(&w, "run_id", e->series[i].uuid);
			jw_text_at(&w, "key", e->series[i].key);
			write_columns(&w, &e->series[i]);
			jw_end(&w);
		}
		end_event(&w);
	}
	if (e->n == 0 && e->reset_count == 0)
		buf_printf(b, "retry: %d\nid: %s\n\n", RETRY_MS, e->cursor);
}

/* ---- the sink; on the feeder's thread ---- */

static enum live_reply
push_text(struct watcher *w, const struct buf *b)
{
	enum push_state state = b->overflow ? PUSH_FULL : push_write(w->push, b->data, b->len);

	w->full = state == PUSH_FULL;
	if (state == PUSH_OPEN)
		w->said_mono_ms = clock_mono_ms();
	return state == PUSH_OPEN ? LIVE_GOES_ON : state == PUSH_FULL ? LIVE_FULL : LIVE_OVER;
}

static enum live_reply
on_event(void *arg, const struct live_event *e)
{
	struct watcher *w = arg;
	struct buf b;
	enum live_reply reply;

	/* not at the first little room: it would be full again at once */
	if (w->full && push_alive(w->push) && !push_drained(w->push))
		return LIVE_FULL;
	buf_init(&b, WAITING_MOST);
	write_event(&b, e);
	reply = push_text(w, &b);
	buf_fini(&b);
	return reply;
}

/* A comment keeps proxies from hanging up; with the cursor, who comes back has little to catch up. */
static enum live_reply
heartbeat(struct watcher *w, const char *cursor)
{
	struct buf b;
	enum live_reply reply;

	buf_init(&b, WAITING_MOST);
	buf_str(&b, ": here\n");
	if (cursor != NULL)
		buf_printf(&b, "id: %s\n", cursor);
	buf_str(&b, "\n");
	reply = push_text(w, &b);
	buf_fini(&b);
	return reply == LIVE_OVER ? LIVE_OVER : LIVE_GOES_ON;
}

/* Signed out, disabled, not allowed any more. When that cannot be found out now, it is asked again. */
static bool
may_still(struct watcher *w)
{
	struct arena *arena = arena_new();
	struct ctx cx;
	int64_t retry_after_s;
	enum status st;

	ctx_init(&cx, arena, w->parts);
	cx.deadline_mono_ms = clock_mono_ms() + 5000;
	if ((st = caller_check(&cx, &w->caller, &retry_after_s)) == OK)
		st = cx.actor.user_id == w->user_id ? permission_of(&cx, w->needs) : DENIED;
	arena_free(arena);
	return st != UNAUTHENTICATED && st != DENIED;
}

static enum live_reply
on_tick(void *arg, const char *cursor)
{
	struct watcher *w = arg;
	int64_t now = clock_mono_ms();

	if (!push_alive(w->push))
		return LIVE_OVER;
	if (now - w->checked_mono_ms >= CHECK_MS) {
		w->checked_mono_ms = now;
		if (!may_still(w))
			return LIVE_OVER;
	}
	return now - w->said_mono_ms >= HEARTBEAT_MS ? heartbeat(w, cursor) : LIVE_GOES_ON;
}

static void
on_closed(void *arg)
{
	struct watcher *w = arg;

	push_end(w->push);
	free(w);
}

static const struct live_sink sink = { on_event, on_tick, on_closed };

/* ---- the route ---- */

static enum status
read_query(struct request *rq, struct live_in_query *in)
{
	struct ctx *cx = request_ctx(rq);
	const char *last = request_header(rq, "Last-Event-ID");
	enum status st;

	if ((st = io_read(rq, live_fields, in)) != OK)
		return st;
	if (in->run_count * in->key_count > SERIES_MOST)
		return fail(cx, INVALID,
			"%zu runs times %zu keys are more than the %d series of one stream: open several",
			in->run_count, in->key_count, SERIES_MOST);
	/* a browser that comes back asks with the URL of its first time */
	if (!str_empty(last))
		in->cursor = last;
	if (str_empty(in->cursor))
		in->cursor = NULL;
	return OK;
}

static struct watcher *
watcher_new(struct request *rq, struct response *rs)
{
	struct watcher *w = mem_alloc(sizeof(*w));

	w->parts = request_ctx(rq)->parts;
	w->caller = (struct caller_input){ .origin = caller_origin(rq),
		.authorization = request_header(rq, "Authorization"),
		.cookie = request_header(rq, "Cookie"),
		.address = request_address(rq) };
	w->needs = (enum permission)request_route(rq)->needs;
	w->user_id = request_ctx(rq)->actor.user_id;
	w->said_mono_ms = w->checked_mono_ms = clock_mono_ms();
	w->push = push_open(rs, WAITING_MOST);
	return w;
}

static const char *
owner_of(struct request *rq)
{
	struct ctx *cx = request_ctx(rq);

	if (cx->actor.user_id == 0)
		return request_address(rq);
	return arena_printf(cx->arena, "user %lld", (long long)cx->actor.user_id);
}

enum status
api_metric_live(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct live_in_query in = { 0 };
	struct live_in what = { .owner = owner_of(rq) };
	struct live_run *runs;
	struct watch *watch;
	enum status st;

	if ((st = read_query(rq, &in)) != OK ||
		(st = run_live_find(cx, in.run_ids, in.run_count, &runs, &what.run_count)) != OK)
		return st;
	what.runs = runs;
	what.keys = in.keys;
	what.key_count = in.key_count;
	what.cursor = in.cursor;
	if ((st = live_enter(cx->parts->live, cx, &what, &watch)) != OK)
		return st;
	response_type(rs, "text/event-stream");
	response_header(rs, "Cache-Control", "no-store");
	response_header(rs, "X-Accel-Buffering", "no");
	if (response_is_head(rs))
		live_leave(cx->parts->live, watch);
	else
		live_watch(cx->parts->live, watch, &sink, watcher_new(rq, rs));
	return OK;
}
