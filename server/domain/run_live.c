#include "domain/run_live.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "domain/run.h"
#include "ingest/cursor.h"
#include "ingest/news.h"
#include "store/runs.h"

#define POINTS        1000000 /* of one answer */
#define POINTS_OF_RUN 100000

static enum status
find_runs(struct tx *tx, const char *const *uuids, size_t n, struct live_run **out, size_t *found)
{
	struct run *runs;
	enum status st = store_run_find_many(tx, uuids, n, &runs, found);

	if (st != OK)
		return st;
	*out = arena_array(tx_ctx(tx)->arena, *found, sizeof(**out));
	for (size_t i = 0; i < *found; i++)
		(*out)[i] = (struct live_run){ runs[i].run_id, runs[i].experiment_id, runs[i].uuid };
	return OK;
}

enum status
run_live_find(struct ctx *cx, const char *const *uuids, size_t n, struct live_run **out, size_t *found)
{
	struct tx *tx = NULL;
	enum status st;

	*found = 0;
	if ((st = tx_auto(cx, &tx)) == OK && (st = find_runs(tx, uuids, n, out, found)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	if (st == OK && *found == 0)
		return fail(cx, NOT_FOUND, "Run with id=%s not found%s", uuids[0],
			n > 1 ? ", nor any of the others" : "");
	return st;
}

/* ---- since a cursor ---- */

struct since {
	const struct run_since_in *in;
	struct live_run *runs; /* sorted by run_id */
	size_t run_count;
	bool foreign;
	struct news news;
};

static int
by_run_id(const void *a, const void *b)
{
	const struct live_run *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **
sorted_keys(struct ctx *cx, const struct run_since_in *in, size_t *n)
{
	const char **keys = arena_copy(cx->arena, in->keys, in->key_count * sizeof(*keys));
	size_t kept = 0;

	if (in->key_count > 1)
		qsort(keys, in->key_count, sizeof(*keys), by_text);
	for (size_t i = 0; i < in->key_count; i++)
		if (kept == 0 || !str_eq(keys[kept - 1], keys[i]))
			keys[kept++] = keys[i];
	*n = kept;
	return keys;
}

static enum status
read_news(struct tx *tx, struct since *s, const char *snapshot)
{
	struct ctx *cx = tx_ctx(tx);
	struct news_run *runs = arena_array(cx->arena, s->run_count, sizeof(*runs));
	struct news_in in = { .since = snapshot,
		.runs = runs,
		.run_count = s->run_count,
		.most = POINTS,
		.most_of_run = POINTS_OF_RUN };

	for (size_t i = 0; i < s->run_count; i++)
		runs[i] = (struct news_run){ s->runs[i].run_id, s->runs[i].experiment_id };
	in.keys = sorted_keys(cx, s->in, &in.key_count);
	return ingest_news(tx, &in, &s->news);
}

static enum status
read_since(struct tx *tx, struct since *s, const char **cursor)
{
	struct ctx *cx = tx_ctx(tx);
	struct cursor since, now;
	enum status st;

	if ((st = cursor_read(cx, s->in->cursor, &since)) != OK || (st = cursor_now(tx, &now)) != OK ||
		(st = find_runs(tx, s->in->uuids, s->in->uuid_count, &s->runs, &s->run_count)) != OK)
		return st;
	if (s->run_count > 1)
		qsort(s->runs, s->run_count, sizeof(*s->runs), by_run_id);
	*cursor = cursor_write(cx, &now);
	s->foreign = since.system_identifier != now.system_identifier;
	return s->foreign ? OK : read_news(tx, s, since.snapshot);
}

static enum status
give_run(const struct since *s, const struct live_run *run, run_since_fn *each, void *arg)
{
	bool reset = s->foreign || news_is_reset(&s->news, run->run_id);
	enum status st = OK;

	for (size_t k = 0; st == OK && k < s->in->key_count; k++) {
		struct live_series series = { run->uuid, s->in->keys[k], NULL, 0 };
		const struct news_series *found = reset ? NULL : news_find(&s->news, run->run_id, series.key);

		if (found != NULL) {
			series.samples = found->samples;
			series.n = found->n;
		}
		if (reset || found != NULL)
			st = each(arg, &series, reset);
	}
	return st;
}

enum status
run_series_since(
	struct ctx *cx, const struct run_since_in *in, run_since_fn *each, void *arg, const char **cursor)
{
	struct since s = { .in = in };
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = read_since(tx, &s, cursor);
	tx_rollback(&tx);
	for (size_t i = 0; st == OK && i < s.run_count; i++)
		st = give_run(&s, &s.runs[i], each, arg);
	return st;
}
