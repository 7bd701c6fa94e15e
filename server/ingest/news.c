#include "ingest/news.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/codec.h"
#include "ingest/samples.h"
#include "store/metric_live.h"
#include "store/metrics.h"

struct fresh {
	struct sample sample;
	uint32_t run, key;
};

/* A number and which of the caller's keys it stands for. */
struct wanted {
	int64_t experiment_id;
	int32_t key_id;
	uint32_t key;
};

struct gathering {
	struct ctx *cx;
	const struct news_in *in;
	struct codec *codec;
	struct wanted *wanted; /* sorted */
	size_t wanted_count;
	struct fresh *fresh; /* owned */
	size_t n, room;
	size_t *counts; /* of each run */
	bool *reset;
};

static int
by_run(const void *a, const void *b)
{
	const struct news_run *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static int
by_number(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->experiment_id != y->experiment_id)
		return x->experiment_id > y->experiment_id ? 1 : -1;
	return (x->key_id > y->key_id) - (x->key_id < y->key_id);
}

static int
by_name(const void *name, const void *of)
{
	return strcmp(name, *(const char *const *)of);
}

static int
by_place(const void *a, const void *b)
{
	const struct fresh *x = a, *y = b;

	if (x->run != y->run)
		return x->run > y->run ? 1 : -1;
	if (x->key != y->key)
		return x->key > y->key ? 1 : -1;
	return sample_compare_stored(&x->sample, &y->sample);
}

static enum status
find_numbers(struct gathering *g, struct tx *tx, const int64_t *ids)
{
	const struct news_in *in = g->in;
	struct metric_key *found;
	enum status st;

	if ((st = store_metric_keys_of_runs(
		     tx, ids, in->run_count, in->keys, in->key_count, &found, &g->wanted_count)) != OK)
		return st;
	g->wanted = arena_array(g->cx->arena, g->wanted_count, sizeof(*g->wanted));
	for (size_t i = 0; i < g->wanted_count; i++) {
		const char *const *at =
			bsearch(found[i].name, in->keys, in->key_count, sizeof(*in->keys), by_name);

		g->wanted[i] = (struct wanted){ found[i].experiment_id, found[i].key_id,
			at == NULL ? 0 : (uint32_t)(at - in->keys) };
	}
	if (g->wanted_count > 1)
		qsort(g->wanted, g->wanted_count, sizeof(*g->wanted), by_number);
	return OK;
}

static void
take_point(struct gathering *g, size_t run, const struct tail_point *p)
{
	const struct wanted number = { g->in->runs[run].experiment_id, p->key_id, 0 };
	const struct wanted *w = bsearch(&number, g->wanted, g->wanted_count, sizeof(*g->wanted), by_number);

	if (w == NULL)
		return;
	if (g->counts[run] == g->in->most_of_run || g->n == g->in->most) {
		g->reset[run] = true;
		return;
	}
	if (g->n == g->room) {
		g->room = g->room * 2 + 256;
		g->fresh = mem_resize(g->fresh, g->room, sizeof(*g->fresh));
	}
	g->counts[run]++;
	g->fresh[g->n++] = (struct fresh){ { p->value, p->time_unix_ms, p->step }, (uint32_t)run, w->key };
}

static enum status
take_row(void *arg, const struct metric_news *row)
{
	struct gathering *g = arg;
	const struct news_run key = { row->run_id, 0 };
	const struct news_run *at =
		bsearch(&key, g->in->runs, g->in->run_count, sizeof(*g->in->runs), by_run);
	const struct tail_point *points;
	struct ctx aside;
	size_t run, n;

	if (at == NULL)
		return OK;
	run = (size_t)(at - g->in->runs);
	g->reset[run] |= row->moved;
	if (g->reset[run] || g->wanted_count == 0)
		return OK;
	if (!codec_decode(g->codec, row->data, row->len, &points, &n)) {
		aside = *g->cx;
		(void)!damaged_row(&aside, row->run_id);
		g->reset[run] =
			true; /* who reads it anew hears of it; those who watch other runs are not kept from theirs */
		return OK;
	}
	for (size_t i = 0; i < n && !g->reset[run]; i++)
		take_point(g, run, &points[i]);
	return OK;
}

/* ---- out ---- */

static void
note_reset(const struct gathering *g, struct news *out)
{
	const struct news_in *in = g->in;

	out->reset = arena_array(g->cx->arena, in->run_count, sizeof(*out->reset));
	for (size_t i = 0; i < in->run_count; i++)
		if (g->reset[i])
			out->reset[out->reset_count++] = in->runs[i].run_id;
}

static bool
same_series(const struct fresh *a, const struct fresh *b)
{
	return a->run == b->run && a->key == b->key;
}

static void
note_series(struct gathering *g, struct news *out)
{
	struct sample *samples = arena_array(g->cx->arena, g->n, sizeof(*samples));
	struct news_series *s = NULL;

	for (size_t i = 0; i < g->n; i++) {
		const struct fresh *f = &g->fresh[i];

		if (g->reset[f->run] || (i > 0 && by_place(f - 1, f) == 0))
			continue;
		if (s == NULL || !same_series(f - 1, f)) {
			s = &out->series[out->n++];
			*s = (struct news_series){ g->in->runs[f->run].run_id, g->in->keys[f->key],
				samples + out->points, 0 };
		}
		samples[out->points++] = f->sample;
		s->n++;
	}
}

static void
settle(struct gathering *g, struct news *out)
{
	size_t series = 0;

	if (g->n > 1)
		qsort(g->fresh, g->n, sizeof(*g->fresh), by_place);
	for (size_t i = 0; i < g->n; i++)
		series += i == 0 || !same_series(&g->fresh[i - 1], &g->fresh[i]);
	out->series = arena_array(g->cx->arena, series, sizeof(*out->series));
	note_series(g, out);
	note_reset(g, out);
}

enum status
ingest_news(struct tx *tx, const struct news_in *in, struct news *out)
{
	struct gathering g = { .cx = tx_ctx(tx), .in = in };
	int64_t *ids;
	enum status st;

	*out = (struct news){ 0 };
	if (in->run_count == 0)
		return OK;
	ids = arena_array(g.cx->arena, in->run_count, sizeof(*ids));
	for (size_t i = 0; i < in->run_count; i++)
		ids[i] = in->runs[i].run_id;
	g.counts = arena_array(g.cx->arena, in->run_count, sizeof(*g.counts));
	g.reset = arena_array(g.cx->arena, in->run_count, sizeof(*g.reset));
	g.codec = codec_new();
	if ((st = find_numbers(&g, tx, ids)) == OK &&
		(st = store_metric_live(tx, in->since, ids, in->run_count, take_row, &g)) == OK)
		settle(&g, out);
	codec_free(g.codec);
	free(g.fresh);
	return st;
}

static int
by_series(const void *a, const void *b)
{
	const struct news_series *x = a, *y = b;

	if (x->run_id != y->run_id)
		return x->run_id > y->run_id ? 1 : -1;
	return strcmp(x->key, y->key);
}

const struct news_series *
news_find(const struct news *news, int64_t run_id, const char *key)
{
	const struct news_series what = { run_id, key, NULL, 0 };

	return news->n == 0 ? NULL : bsearch(&what, news->series, news->n, sizeof(what), by_series);
}

static int
by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

bool
news_is_reset(const struct news *news, int64_t run_id)
{
	return news->reset_count > 0 &&
	       bsearch(&run_id, news->reset, news->reset_count, sizeof(run_id), by_id) != NULL;
}
