/*
 * The latest values of all keys of many runs: what is in the tail, joined with the summaries of what is in chunks. A pass over some
 * runs is one statement, so a compaction beside it shows neither a gap nor a double.
 *
 * Latest, first, min and max do not mind order and duplicates; count and sum do. While the tail's samples of a series arrive in rising
 * order, and after all that is in chunks, there can be no duplicates, and counting is enough (the usual case). The runs of other
 * series are read once more, and the samples of these series kept and sorted. When one run is asked for, they are compared with those
 * in its chunks too; for many, what is in chunks and what is in the tail are simply added.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/codec.h"
#include "ingest/fold.h"
#include "ingest/samples.h"
#include "store/metric_chunks.h"
#include "store/metrics.h"

#define PASSES 4 /* from the third on all series are kept; after the last, what is found is taken as it is */

/* What is known of a series while it is read takes several times what is left of it: runs are read by so many. */
#define RUNS_FIRST     128
#define RUNS_MOST      1024
#define SERIES_AT_ONCE 65536

struct series {
	size_t run; /* index of the caller's list */
	int64_t experiment_id;
	const char *name;
	int32_t key_id;
	/* what the passes before have shown */
	bool keep;
	bool compare; /* with what is in chunks, from this moment on */
	struct chunk_moment from;
	/* of this pass */
	bool disordered;
	struct series_summary tail, stored; /* n 0: nothing */
	struct sample newest;               /* of the tail */
	struct sample *kept;                /* owned; of the tail */
	size_t n, room;
};

struct place {
	int64_t run_id;
	size_t index;
	bool again;
};

struct folding {
	struct ctx *cx;
	struct codec *codec;
	struct chunk_coder *coder;
	struct place *places; /* sorted by run_id */
	size_t runs;
	struct series *series; /* in the order they appeared */
	size_t n, room;
	size_t *table; /* (run, key_id) -> index + 1 */
	size_t slots;
	unsigned pass; /* from 0 */
	bool settled;  /* what is kept in this pass has been sorted */
};

static int
by_run_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static struct place *
place_of(const struct folding *f, int64_t run_id)
{
	struct place key = { .run_id = run_id };

	return bsearch(&key, f->places, f->runs, sizeof(key), by_run_id);
}

/* ---- the table of series ---- */

static size_t
spread(size_t run, int32_t key_id)
{
	uint64_t h = ((uint64_t)run << 32 ^ (uint64_t)(uint32_t)key_id) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h >> 32);
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
series_of(struct folding *f, const struct metric_stored *row, size_t run, int32_t key_id)
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
	f->series[f->n] = (struct series){
		.run = run, .key_id = key_id, .experiment_id = row->experiment_id, .keep = f->pass >= 2
	};
	*slot = ++f->n;
	return &f->series[f->n - 1];
}

/* ---- folding ---- */

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
fold_tail(struct folding *f, const struct metric_stored *row, size_t run)
{
	const struct tail_point *points;
	struct series *s = NULL;
	size_t n;

	if (!codec_decode(f->codec, row->data, row->len, &points, &n))
		return damaged_row(f->cx, row->run_id);
	for (size_t i = 0; i < n; i++) {
		struct sample sample = { points[i].value, points[i].time_unix_ms, points[i].step };

		if (s == NULL || s->key_id != points[i].key_id)
			s = series_of(f, row, run, points[i].key_id);
		if (s->tail.n > 0 && sample_compare_stored(&s->newest, &sample) >= 0)
			s->disordered = true;
		s->newest = sample;
		fold_sample(&s->tail, &sample);
		if (s->keep)
			keep_sample(s, &sample);
	}
	return OK;
}

static enum status
fold_summary(struct folding *f, const struct metric_stored *row, size_t run)
{
	const struct series_summary *series;
	size_t n;

	if (!summary_decode(f->coder, row->data, row->len, &series, &n))
		return damaged_row(f->cx, row->run_id);
	for (size_t i = 0; i < n; i++)
		series_of(f, row, run, series[i].key_id)->stored = series[i];
	return OK;
}

static void
settle_kept(struct folding *f)
{
	for (size_t i = 0; !f->settled && i < f->n; i++)
		f->series[i].n = samples_settle(f->series[i].kept, f->series[i].n, sample_compare_stored);
	f->settled = true;
}

static void
drop_stored(struct folding *f, int32_t key_id, const struct sample *samples, size_t n)
{
	size_t slot = *slot_of(f, 0, key_id);
	struct series *s = slot == 0 ? NULL : &f->series[slot - 1];

	if (s != NULL)
		s->n = samples_subtract(s->kept, s->n, samples, n);
}

/* After all of the tail: samples that are in a chunk too do not count again. */
static enum status
fold_chunk(struct folding *f, const struct metric_stored *row)
{
	const struct bundle_series *series;
	const struct sample *samples;
	size_t n;

	settle_kept(f);
	if (row->key_id > 0) {
		if (!chunk_decode(f->coder, row->data, row->len, &samples, &n))
			return damaged_row(f->cx, row->run_id);
		drop_stored(f, row->key_id, samples, n);
		return OK;
	}
	if (!bundle_decode(f->coder, row->data, row->len, NULL, 0, &series, &n))
		return damaged_row(f->cx, row->run_id);
	for (size_t i = 0; i < n; i++)
		drop_stored(f, series[i].key_id, series[i].samples, series[i].n);
	return OK;
}

static enum status
fold_row(void *arg, const struct metric_stored *row)
{
	struct folding *f = arg;
	size_t run = place_of(f, row->run_id)->index;

	switch (row->kind) {
	case STORED_TAIL:
		return fold_tail(f, row, run);
	case STORED_SUMMARY:
		return fold_summary(f, row, run);
	default:
		return fold_chunk(f, row);
	}
}

/* ---- passes ---- */

static bool
overlaps(const struct series *s)
{
	return s->tail.n > 0 && s->stored.n > 0 &&
	       sample_compare_stored(&s->tail.first, &s->stored.last) <= 0;
}

static bool
compared(const struct series *s)
{
	const struct sample *first = &s->tail.first;

	return s->compare &&
	       (first->step > s->from.step ||
		       (first->step == s->from.step && first->time_unix_ms >= s->from.time_unix_ms));
}

/* Does this pass leave the count of a series open? Then the next one looks closer. */
static bool
is_open(const struct folding *f, struct series *s)
{
	bool more = f->runs == 1 && overlaps(s) && !(s->keep && compared(s));
	bool open = more || (s->disordered && !s->keep);

	if (more) {
		s->compare = true;
		s->from = (struct chunk_moment){ s->tail.first.step, s->tail.first.time_unix_ms };
	}
	s->keep = s->keep || open;
	return open;
}

/* Which runs are to be read again; how many. */
static size_t
choose_again(struct folding *f, int64_t *run_ids, struct place *const *by_index)
{
	size_t n = 0;

	for (size_t i = 0; i < f->runs; i++)
		f->places[i].again = false;
	for (size_t i = 0; i < f->n; i++)
		if (is_open(f, &f->series[i]))
			by_index[f->series[i].run]->again = true;
	for (size_t i = 0; i < f->runs; i++)
		if (f->places[i].again)
			run_ids[n++] = f->places[i].run_id;
	return n;
}

static void
start_anew(struct folding *f, struct place *const *by_index)
{
	f->pass++;
	f->settled = false;
	for (size_t i = 0; i < f->n; i++) {
		struct series *s = &f->series[i];

		if (!by_index[s->run]->again)
			continue;
		s->tail = s->stored = (struct series_summary){ 0 };
		s->disordered = false;
		s->n = 0;
		s->keep = s->keep || f->pass >= 2;
	}
}

/* One run, with the chunks that its open series are compared with. */
static enum status
read_with_chunks(struct folding *f, struct tx *tx)
{
	struct chunk_start *starts = arena_array(f->cx->arena, f->n, sizeof(*starts));
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->series[i].compare)
			starts[n++] = (struct chunk_start){ f->series[i].key_id,
				bundle_of(f->series[i].key_id), f->series[i].from };
	return store_metric_stored_from(tx, f->places[0].run_id, starts, n, fold_row, f);
}

static enum status
read_all(struct folding *f, struct tx *tx, const int64_t *run_ids)
{
	struct place **by_index = arena_array(f->cx->arena, f->runs, sizeof(struct place *));
	int64_t *again = arena_array(f->cx->arena, f->runs, sizeof(*again));
	enum status st = store_metric_stored(tx, run_ids, f->runs, NULL, 0, fold_row, f);
	size_t n;

	for (size_t i = 0; i < f->runs; i++)
		by_index[f->places[i].index] = &f->places[i];
	while (st == OK && f->pass + 1 < PASSES && (n = choose_again(f, again, by_index)) > 0) {
		start_anew(f, by_index);
		st = f->runs == 1 ? read_with_chunks(f, tx)
				  : store_metric_stored(tx, again, n, NULL, 0, fold_row, f);
	}
	settle_kept(f);
	return st;
}

/* ---- names and what comes out ---- */

static bool
is_there(const struct series *s)
{
	return s->tail.n > 0 || s->stored.n > 0;
}

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

		f->series[i].name = name->name;
	}
	return OK;
}

static int
by_name(const void *a, const void *b)
{
	const struct latest *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static struct latest
latest_of(const struct series *s)
{
	struct series_summary all = s->tail, counted = { 0 };

	if (s->keep)
		fold_samples(&counted, s->kept, s->n);
	else
		counted = s->tail;
	fold_join(&all, &s->stored);
	fold_join(&counted, &s->stored);
	return (struct latest){ .key = s->name,
		.last = all.last,
		.first = all.first,
		.min = all.min,
		.max = all.max,
		.count = counted.n,
		.real = counted.real,
		.sum = counted.sum };
}

static void
hand_out(const struct folding *f, struct run_latest *out)
{
	for (size_t i = 0; i < f->n; i++)
		out[f->series[i].run].n += is_there(&f->series[i]);
	for (size_t i = 0; i < f->runs; i++) {
		out[i].keys = out[i].n > 0 ? arena_array(f->cx->arena, out[i].n, sizeof(*out[i].keys)) : NULL;
		out[i].n = 0;
	}
	for (size_t i = 0; i < f->n; i++) {
		struct run_latest *run = &out[f->series[i].run];

		if (is_there(&f->series[i]))
			run->keys[run->n++] = latest_of(&f->series[i]);
	}
	for (size_t i = 0; i < f->runs; i++)
		if (out[i].n > 1)
			qsort(out[i].keys, out[i].n, sizeof(*out[i].keys), by_name);
}

/* *series: how many they have. */
static enum status
read_some(struct tx *tx, const int64_t *run_ids, size_t n, struct run_latest *out, size_t *series)
{
	struct folding f = { .cx = tx_ctx(tx), .runs = n };
	enum status st;

	f.codec = codec_new();
	f.coder = chunk_coder_new();
	f.places = arena_array(f.cx->arena, n, sizeof(*f.places));
	for (size_t i = 0; i < n; i++) {
		f.places[i] = (struct place){ run_ids[i], i, false };
		out[i] = (struct run_latest){ .run_id = run_ids[i] };
	}
	qsort(f.places, n, sizeof(*f.places), by_run_id);
	if ((st = read_all(&f, tx, run_ids)) == OK && f.n > 0 && (st = find_names(&f, tx)) == OK)
		hand_out(&f, out);
	for (size_t i = 0; i < f.n; i++)
		free(f.series[i].kept);
	free(f.series);
	free(f.table);
	chunk_coder_free(f.coder);
	codec_free(f.codec);
	*series = f.n;
	return st;
}

/* How many runs come next, after some that had so many series. */
static size_t
runs_next(size_t runs, size_t series)
{
	size_t most = series == 0 ? RUNS_MOST : runs * SERIES_AT_ONCE / series;

	if (most > runs * 4)
		most = runs * 4;
	return most > RUNS_MOST ? RUNS_MOST : most == 0 ? 1 : most;
}

enum status
ingest_latest(struct tx *tx, const int64_t *run_ids, size_t n, struct run_latest *out)
{
	size_t most = RUNS_FIRST, count, series = 0;
	enum status st = OK;

	for (size_t i = 0; st == OK && i < n; i += count) {
		count = n - i < most ? n - i : most;
		st = read_some(tx, run_ids + i, count, out + i, &series);
		most = runs_next(count, series);
	}
	return st;
}
