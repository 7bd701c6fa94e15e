/*
 * The thread that empties a run's queue: points as columns into POST /api/v1/runs/{run_id}/metrics, parameters and tags as JSON into
 * runs/log-batch. A server that is away or busy is tried again for as long as the run lives; a batch that is refused is cut in halves
 * until the item to blame stands alone, and that one is dropped. A server without that route gets its points as JSON too.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "lib/http.h"
#include "lib/run.h"
#include "wire/metrics.h"

#define LINGER_MS 250

enum verdict { SENT, REFUSED, REFUSED_FOR_CONTENT, STOPPED };

static void
write_metric(struct jsonw *w, const struct item *i)
{
	jw_object(w);
	jw_text_at(w, "key", i->key);
	jw_real_at(w, "value", i->value);
	jw_int_at(w, "timestamp", i->unix_ms);
	jw_int_at(w, "step", i->step);
	jw_end(w);
}

static void
write_label(struct jsonw *w, const struct item *i)
{
	jw_object(w);
	jw_text_at(w, "key", i->key);
	jw_text_at(w, "value", i->text);
	jw_end(w);
}

static void
write_kind(
	struct jsonw *w, const char *name, enum item_kind kind, const struct batch *b, size_t from, size_t to)
{
	bool open = false;

	for (size_t i = from; i < to; i++) {
		if (b->items[i].kind != kind)
			continue;
		if (!open)
			jw_array_at(w, name);
		open = true;
		if (kind == ITEM_POINT)
			write_metric(w, &b->items[i]);
		else
			write_label(w, &b->items[i]);
	}
	if (open)
		jw_end(w);
}

static void
write_json(cairn_run *run, size_t from, size_t to)
{
	struct jsonw w;

	jw_init(&w, &run->body);
	jw_object(&w);
	jw_text_at(&w, "run_id", run->id);
	write_kind(&w, "params", ITEM_PARAM, run->batch, from, to);
	write_kind(&w, "tags", ITEM_TAG, run->batch, from, to);
	write_kind(&w, "metrics", ITEM_POINT, run->batch, from, to);
	jw_end(&w);
}

static void
write_columns(cairn_run *run, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct item *item = &run->batch->items[i];

		run->points[i - from] =
			(struct wire_point){ item->key, item->value, item->unix_ms, item->step };
	}
	wire_metrics_write(&run->body, run->points, to - from);
}

/* All of [from, to) are points, or none is. */
static void
write_request(cairn_run *run, size_t from, size_t to, struct http_request *rq)
{
	bool columns = run->batch->items[from].kind == ITEM_POINT && !run->no_columns;

	buf_clear(&run->body);
	if (columns)
		write_columns(run, from, to);
	else
		write_json(run, from, to);
	rq->path = columns ? run->metrics_path : "/api/2.0/mlflow/runs/log-batch";
	rq->type = columns ? WIRE_METRICS_TYPE : NULL;
	rq->body = run->body.data;
	rq->body_len = run->body.len;
}

static void
notice(const cairn_run *run, const char *sentence)
{
	if (run->client->notice != NULL)
		run->client->notice(run->client->notice_arg, sentence);
}

/* An answer of a server that knows the run's columns not at all: another method's path, or no path. */
static bool
lacks_route(const struct http_request *rq, const struct http_answer *a)
{
	struct arena *arena = arena_new();
	struct ctx cx;
	bool lacks;

	ctx_init(&cx, arena, NULL);
	lacks = rq->type != NULL &&
		(a->status == 405 ||
			(a->status == 404 && !str_eq(http_error_code(&cx, a), "RESOURCE_DOES_NOT_EXIST")));
	arena_free(arena);
	return lacks;
}

/* Until the server has said yes or no, or we are stopped. */
static enum http_outcome
try_until(cairn_run *run, const struct http_request *rq, struct http_answer *a)
{
	enum http_outcome outcome;

	for (unsigned n = 0;; n++) {
		queue_request(&run->queue);
		outcome = http_try(run->client, rq, a);
		if (outcome == HTTP_OK && n > 0)
			notice(run, "the server is back");
		if (outcome != HTTP_AGAIN)
			break;
		queue_failure(&run->queue, rq->fault);
		if (n == 0)
			notice(run, rq->fault->message);
		if (!queue_sleep(&run->queue, http_pause_ms(n, a->retry_after_ms), a->retry_after_ms == 0))
			break;
	}
	return outcome;
}

static enum verdict
post(cairn_run *run, size_t from, size_t to, struct fault *f)
{
	struct http_request rq = { .method = "POST", .file_size = -1, .fault = f, .stop = &run->stop };
	struct http_answer a;
	enum http_outcome outcome;

	http_answer_init(&a, 0);
	write_request(run, from, to, &rq);
	outcome = try_until(run, &rq, &a);
	if (outcome == HTTP_REFUSED && lacks_route(&rq, &a)) {
		run->no_columns = true;
		write_request(run, from, to, &rq);
		outcome = try_until(run, &rq, &a);
	}
	http_answer_fini(&a);
	if (outcome == HTTP_OK)
		return SENT;
	if (outcome == HTTP_AGAIN || outcome == HTTP_LOCAL)
		return STOPPED;
	return a.status == 400 || a.status == 413 || a.status == 422 ? REFUSED_FOR_CONTENT : REFUSED;
}

/* False: stop. */
static bool
send_range(cairn_run *run, size_t from, size_t to)
{
	struct fault f = { 0 };
	size_t middle = from + (to - from) / 2;

	if (from == to)
		return true;
	switch (post(run, from, to, &f)) {
	case SENT:
		queue_sent(&run->queue, run->batch, from, to);
		return true;
	case REFUSED_FOR_CONTENT:
		if (to - from > 1)
			return send_range(run, from, middle) && send_range(run, middle, to);
		break;
	case REFUSED:
		break;
	case STOPPED:
		return false;
	}
	queue_lost(&run->queue, run->batch, from, to, &f);
	notice(run, f.message);
	return true;
}

void *
sender_main(void *arg)
{
	cairn_run *run = arg;
	locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = (locale_t)0;

	/* the program around us may write decimal commas; JSON may not */
	if (plain != (locale_t)0)
		before = uselocale(plain);
	while (queue_take(&run->queue, run->batch, LINGER_MS)) {
		size_t labels = run->batch->labels;
		bool go = send_range(run, 0, labels) && send_range(run, labels, run->batch->count);

		batch_clear(run->batch);
		if (!go)
			break;
	}
	batch_clear(run->batch);
	if (plain != (locale_t)0) {
		uselocale(before);
		freelocale(plain);
	}
	return NULL;
}
