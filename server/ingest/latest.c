/*
 * The latest values of all keys of many runs, in one pass over their tail rows. Latest, first, min and max do not mind order and
 * duplicates; the count does. While the samples of a series arrive in rising order there can be none, and counting them is enough
 * (the usual case). The others are read once more, kept, sorted and counted without duplicates.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/codec.h"
#include "ingest/samples.h"
#include "store/metrics.h"

struct series {
	size_t run; /* index of the caller's list */
	int64_t experiment_id;
	int32_t key_id;
	bool disordered;
	struct latest sum;
	struct sample newest; /* of those in rising order */
	struct sample *kept;  /* owned; second pass */
	size_t n, room;
};

struct place {
	int64_t run_id;
	size_t index;
};

struct folding {
	struct ctx *cx;
	struct codec *codec;
	struct place *places; /* sorted by run_id */
	size_t runs;
	struct series *series; /* in the order they appeared */
	size_t n, room;
	size_t *table; /* (run, key_id) -> index + 1 */
	size_t slots;
	bool second; /* pass: keep the samples of disordered series */
};

static int
by_run_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static size_t
run_index(const struct folding *f, int64_t run_id)
{
	struct place key = { .run_id = run_id };
	const struct place *found = bsearch(&key, f->places, f->runs, sizeof(key), by_run_id);

	return found->index;
}

/* ---- the table of series ---- */

static size_t
spread(size_t run, int32_t key_id)
{
	uint64_t h = ((uint64_t)run << 32 ^ (uint64_t)(uint32_t)key_id) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h >> 20);
}

static size_t *
slot_of(const struct folding *f, size_t run, int32_t key_id)
{
	size_t at = spread(run, key_id) & (f->slots - 1);

	for (; f->table[at] != 0; at = (at + 1) & (f->slots - 1)) {
		const struct series *s = &f->series[f->table[at] - 1];

		if (s->run == run && s->key_id == key_id)
			break;
	}
	return &f->table[at];
}

static void
more_slots(struct folding *f)
{
	if (f->n * 2 < f->slots)
		return;
	f->slots = f->slots == 0 ? 256 : f->slots * 2;
	free(f->table);
	f->table = mem_array(f->slots, sizeof(*f->table));
	for (size_t i = 0; i < f->n; i++)
		*slot_of(f, f->series[i].run, f->series[i].key_id) = i + 1;
}

static struct series *
series_of(struct folding *f, size_t run, int32_t key_id)
{
	size_t *slot;

	more_slots(f);
	slot = slot_of(f, run, key_id);
	if (*slot != 0)
		return &f->series[*slot - 1];
	if (f->n == f->room) {
		f->room = f->room * 2 + 64;
		f->series = mem_resize(f->series, f->room, sizeof(*f->series));
	}
	f->series[f->n] = (struct series){ .run = run, .key_id = key_id };
	*slot = ++f->n;
	return &f->series[f->n - 1];
}

/* ---- folding ---- */

/* Is `value` a better extreme than `kept`? Real numbers before NaN; of equals the earlier. */
static bool
better(const struct sample *s, const struct sample *kept, int sign)
{
	if (isnan(s->value) != isnan(kept->value))
		return isnan(kept->value);
	if (!isnan(s->value) && s->value != kept->value)
		return sign < 0 ? s->value < kept->value : s->value > kept->value;
	return sample_compare_stored(s, kept) < 0;
}

static void
fold_sample(struct latest *sum, const struct sample *s)
{
	if (sum->count++ == 0) {
		sum->last = sum->first = sum->min = sum->max = *s;
		return;
	}
	if (sample_compare_stored(s, &sum->last) > 0)
		sum->last = *s;
	if (sample_compare_stored(s, &sum->first) < 0)
		sum->first = *s;
	if (better(s, &sum->min, -1))
		sum->min = *s;
	if (better(s, &sum->max, 1))
		sum->max = *s;
}

static void
fold_first(struct series *s, const struct sample *sample)
{
	if (s->sum.count > 0 && sample_compare_stored(&s->newest, sample) >= 0)
		s->disordered = true;
	s->newest = *sample;
	fold_sample(&s->sum, sample);
}

static void
keep_sample(struct series *s, const struct sample *sample)
{
	if (s->n == s->room) {
		s->room = s->room * 2 + 256;
		s->kept = mem_resize(s->kept, s->room, sizeof(*s->kept));
	}
	s->kept[s->n++] = *sample;
}

static enum status
fold_row(void *arg, const struct metric_tail *row)
{
	struct folding *f = arg;
	const struct tail_point *points;
	struct series *s = NULL;
	size_t n, run = run_index(f, row->run_id);

	if (!codec_decode(f->codec, row->data, row->len, &points, &n))
		return damaged_row(f->cx, row->run_id);
	for (size_t i = 0; i < n; i++) {
		struct sample sample = { points[i].value, points[i].time_unix_ms, points[i].step };

		if (s == NULL || s->key_id != points[i].key_id)
			s = series_of(f, run, points[i].key_id);
		s->experiment_id = row->experiment_id;
		if (!f->second)
			fold_first(s, &sample);
		else if (s->disordered)
			keep_sample(s, &sample);
	}
	return OK;
}

static void
count_kept(struct series *s)
{
	size_t n = samples_settle(s->kept, s->n, sample_compare_stored);

	s->sum.count = 0;
	for (size_t i = 0; i < n; i++)
		fold_sample(&s->sum, &s->kept[i]);
	free(s->kept);
	s->kept = NULL;
	s->n = s->room = 0;
}

/* A series that appears only now was written since the first pass: it stays out (its count is 0), as of that pass. */
static enum status
second_pass(struct folding *f, struct tx *tx)
{
	int64_t *again = arena_array(f->cx->arena, f->runs, sizeof(*again));
	bool *chosen = arena_array(f->cx->arena, f->runs, sizeof(*chosen));
	size_t n = 0, known = f->n;
	enum status st;

	for (size_t i = 0; i < f->n; i++)
		chosen[f->series[i].run] |= f->series[i].disordered;
	for (size_t i = 0; i < f->runs; i++)
		if (chosen[f->places[i].index])
			again[n++] = f->places[i].run_id;
	if (n == 0)
		return OK;
	f->second = true;
	st = store_metric_tail_of_runs(tx, again, n, fold_row, f);
	f->n = known;
	for (size_t i = 0; i < known; i++)
		if (f->series[i].disordered)
			count_kept(&f->series[i]);
	return st;
}

/* ---- names and what comes out ---- */

static int
by_key(const void *a, const void *b)
{
	const struct metric_key *x = a, *y = b;

	if (x->experiment_id != y->experiment_id)
		return x->experiment_id < y->experiment_id ? -1 : 1;
	return (x->key_id > y->key_id) - (x->key_id < y->key_id);
}

/* The keys that are there, without twins, sorted. */
static struct metric_key *
distinct_keys(const struct folding *f, size_t *n)
{
	struct metric_key *keys = arena_array(f->cx->arena, f->n, sizeof(*keys));
	size_t left = 0;

	for (size_t i = 0; i < f->n; i++)
		keys[i] = (struct metric_key){ f->series[i].experiment_id, f->series[i].key_id, NULL };
	qsort(keys, f->n, sizeof(*keys), by_key);
	for (size_t i = 0; i < f->n; i++)
		if (left == 0 || by_key(&keys[left - 1], &keys[i]) != 0)
			keys[left++] = keys[i];
	*n = left;
	return keys;
}

static enum status
find_names(struct folding *f, struct tx *tx)
{
	size_t n, found;
	struct metric_key *keys = distinct_keys(f, &n), *named;
	int64_t *experiments = arena_array(f->cx->arena, n, sizeof(*experiments));
	int64_t *ids = arena_array(f->cx->arena, n, sizeof(*ids));
	enum status st;

	for (size_t i = 0; i < n; i++) {
		experiments[i] = keys[i].experiment_id;
		ids[i] = keys[i].key_id;
	}
	if ((st = store_metric_key_names(tx, experiments, ids, n, &named, &found)) != OK)
		return st;
	if (found != n)
		return fail(f->cx, INTERNAL, "%zu metric names are missing", n - found);
	qsort(named, found, sizeof(*named), by_key);
	for (size_t i = 0; i < f->n; i++) {
		struct metric_key key = { f->series[i].experiment_id, f->series[i].key_id, NULL };
		const struct metric_key *name = bsearch(&key, named, found, sizeof(key), by_key);

		f->series[i].sum.key = name->name;
	}
	return OK;
}

static int
by_name(const void *a, const void *b)
{
	const struct latest *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void
hand_out(const struct folding *f, struct run_latest *out)
{
	for (size_t i = 0; i < f->n; i++)
		out[f->series[i].run].n++;
	for (size_t i = 0; i < f->runs; i++) {
		out[i].keys = out[i].n > 0 ? arena_array(f->cx->arena, out[i].n, sizeof(*out[i].keys)) : NULL;
		out[i].n = 0;
	}
	for (size_t i = 0; i < f->n; i++) {
		struct run_latest *run = &out[f->series[i].run];

		run->keys[run->n++] = f->series[i].sum;
	}
	for (size_t i = 0; i < f->runs; i++)
		if (out[i].n > 1)
			qsort(out[i].keys, out[i].n, sizeof(*out[i].keys), by_name);
}

enum status
ingest_latest(struct tx *tx, const int64_t *run_ids, size_t n, struct run_latest *out)
{
	struct folding f = { .cx = tx_ctx(tx), .runs = n };
	enum status st;

	if (n == 0)
		return OK;
	f.codec = codec_new();
	f.places = arena_array(f.cx->arena, n, sizeof(*f.places));
	for (size_t i = 0; i < n; i++) {
		f.places[i] = (struct place){ run_ids[i], i };
		out[i] = (struct run_latest){ .run_id = run_ids[i] };
	}
	qsort(f.places, n, sizeof(*f.places), by_run_id);
	if ((st = store_metric_tail_of_runs(tx, run_ids, n, fold_row, &f)) == OK && f.n > 0) {
		if ((st = second_pass(&f, tx)) == OK && (st = find_names(&f, tx)) == OK)
			hand_out(&f, out);
	}
	for (size_t i = 0; i < f.n; i++)
		free(f.series[i].kept);
	free(f.series);
	free(f.table);
	codec_free(f.codec);
	return st;
}
