/*
 * The latest of a few keys of many runs: each point of the tail, and each summary, is compared with the few numbers that its
 * experiment has for them. One statement: a compaction beside it changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "ingest/chunk.h"
#include "ingest/codec.h"
#include "ingest/samples.h"
#include "store/metric_chunks.h"
#include "store/metrics.h"

struct place {
	int64_t run_id;
	size_t index;
};

/* A number and which of the caller's keys it stands for. */
struct wanted {
	int64_t experiment_id;
	int32_t key_id;
	size_t key;
};

struct pass {
	struct ctx *cx;
	struct codec *codec;
	struct chunk_coder *coder;
	struct place *places; /* sorted by run_id */
	size_t runs;
	struct wanted *wanted; /* sorted by experiment */
	size_t wanted_count;
	const struct wanted *from, *to; /* those of the experiment read last */
	struct last_value *out;
	size_t key_count;
};

static int
by_run_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static int
by_experiment(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return (x->experiment_id > y->experiment_id) - (x->experiment_id < y->experiment_id);
}

static void
find_wanted(struct pass *p, int64_t experiment_id)
{
	const struct wanted key = { .experiment_id = experiment_id }, *end = p->wanted + p->wanted_count;

	if (p->from != p->to && p->from->experiment_id == experiment_id)
		return;
	p->from = p->to = bsearch(&key, p->wanted, p->wanted_count, sizeof(key), by_experiment);
	if (p->from == NULL)
		return;
	while (p->from > p->wanted && p->from[-1].experiment_id == experiment_id)
		p->from--;
	while (p->to < end && p->to->experiment_id == experiment_id)
		p->to++;
}

static void
take_sample(const struct pass *p, struct last_value *out, int32_t key_id, const struct sample *s)
{
	for (const struct wanted *w = p->from; w < p->to; w++)
		if (w->key_id == key_id) {
			struct last_value *v = &out[w->key];

			if (!v->there || sample_compare_stored(s, &v->last) > 0)
				*v = (struct last_value){ *s, true };
			return;
		}
}

static enum status
take_summary(const struct pass *p, struct last_value *out, const struct metric_stored *row)
{
	const struct series_summary *series;
	size_t n;

	if (!summary_decode(p->coder, row->data, row->len, &series, &n))
		return damaged_row(p->cx, row->run_id);
	for (size_t i = 0; i < n; i++)
		take_sample(p, out, series[i].key_id, &series[i].last);
	return OK;
}

static enum status
take_tail(const struct pass *p, struct last_value *out, const struct metric_stored *row)
{
	const struct tail_point *points;
	size_t n;

	if (!codec_decode(p->codec, row->data, row->len, &points, &n))
		return damaged_row(p->cx, row->run_id);
	for (size_t i = 0; i < n; i++)
		take_sample(p, out, points[i].key_id,
			&(struct sample){ points[i].value, points[i].time_unix_ms, points[i].step });
	return OK;
}

static enum status
take_row(void *arg, const struct metric_stored *row)
{
	struct pass *p = arg;
	const struct place key = { .run_id = row->run_id };
	const struct place *at = bsearch(&key, p->places, p->runs, sizeof(key), by_run_id);
	struct last_value *out = p->out + at->index * p->key_count;

	find_wanted(p, row->experiment_id);
	if (p->from == p->to)
		return OK;
	return row->kind == STORED_SUMMARY ? take_summary(p, out, row) : take_tail(p, out, row);
}

static enum status
load_wanted(struct pass *p, struct tx *tx, const int64_t *run_ids, const char *const *keys)
{
	struct metric_key *found;
	enum status st;

	if ((st = store_metric_keys_of_runs(
		     tx, run_ids, p->runs, keys, p->key_count, &found, &p->wanted_count)) != OK)
		return st;
	p->wanted = arena_array(p->cx->arena, p->wanted_count, sizeof(*p->wanted));
	for (size_t i = 0; i < p->wanted_count; i++) {
		p->wanted[i] = (struct wanted){ found[i].experiment_id, found[i].key_id, 0 };
		for (size_t k = 0; k < p->key_count; k++)
			if (strcmp(keys[k], found[i].name) == 0)
				p->wanted[i].key = k;
	}
	if (p->wanted_count > 1)
		qsort(p->wanted, p->wanted_count, sizeof(*p->wanted), by_experiment);
	return OK;
}

/* The parts of summaries in which these numbers are; with twins. */
static int64_t *
parts_of(const struct pass *p)
{
	int64_t *parts = arena_array(p->cx->arena, p->wanted_count, sizeof(*parts));

	for (size_t i = 0; i < p->wanted_count; i++)
		parts[i] = p->wanted[i].key_id / BUNDLE_KEYS;
	return parts;
}

enum status
ingest_last(struct tx *tx, const int64_t *run_ids, size_t n, const char *const *keys, size_t key_count,
	struct last_value *out)
{
	struct pass p = { .cx = tx_ctx(tx), .runs = n, .out = out, .key_count = key_count };
	enum status st;

	if (n == 0 || key_count == 0)
		return OK;
	memset(out, 0, n * key_count * sizeof(*out));
	if ((st = load_wanted(&p, tx, run_ids, keys)) != OK || p.wanted_count == 0)
		return st;
	p.places = arena_array(p.cx->arena, n, sizeof(*p.places));
	for (size_t i = 0; i < n; i++)
		p.places[i] = (struct place){ run_ids[i], i };
	qsort(p.places, n, sizeof(*p.places), by_run_id);
	p.codec = codec_new();
	p.coder = chunk_coder_new();
	st = store_metric_stored(tx, run_ids, n, parts_of(&p), p.wanted_count, take_row, &p);
	codec_free(p.codec);
	chunk_coder_free(p.coder);
	return st;
}
