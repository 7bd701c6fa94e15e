/*
 * The thread that empties a run's queue into POST runs/log-batch. A server that is away or busy is tried again for as long as the
 * run lives; a batch that is refused is cut in halves until the item to blame stands alone, and that one is dropped.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lib/http.h"
#include "lib/run.h"

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
write_batch(cairn_run *run, size_t from, size_t to)
{
	struct jsonw w;

	buf_clear(&run->body);
	jw_init(&w, &run->body);
	jw_object(&w);
	jw_text_at(&w, "run_id", run->id);
	write_kind(&w, "params", ITEM_PARAM, run->batch, from, to);
	write_kind(&w, "tags", ITEM_TAG, run->batch, from, to);
	write_kind(&w, "metrics", ITEM_POINT, run->batch, from, to);
	jw_end(&w);
}

static void
notice(const cairn_run *run, const char *sentence)
{
	if (run->client->notice != NULL)
		run->client->notice(run->client->notice_arg, sentence);
}

/* Until the server has said yes or no. */
static enum verdict
post(cairn_run *run, size_t from, size_t to, struct fault *f)
{
	struct http_request rq = {
		.method = "POST",
		.path = "/api/2.0/mlflow/runs/log-batch",
		.file_size = -1,
		.fault = f,
		.stop = &run->stop,
	};
	struct http_answer a;
	enum http_outcome outcome;

	write_batch(run, from, to);
	rq.body = run->body.data;
	rq.body_len = run->body.len;
	http_answer_init(&a, 0);
	for (unsigned n = 0;; n++) {
		queue_request(&run->queue);
		outcome = http_try(run->client, &rq, &a);
		if (outcome == HTTP_OK && n > 0)
			notice(run, "the server is back");
		if (outcome != HTTP_AGAIN)
			break;
		queue_failure(&run->queue, f);
		if (n == 0)
			notice(run, f->message);
		if (!queue_sleep(&run->queue, http_pause_ms(n, a.retry_after_ms), a.retry_after_ms == 0))
			break;
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
		bool go = send_range(run, 0, run->batch->count);

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
