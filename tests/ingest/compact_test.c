/* Compaction against a model in memory: whatever was logged, in whatever order, every point is stored once. */
#include "support/pg.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ingest/chunk.h"
#include "ingest/codec.h"
#include "ingest/compact.h"
#include "ingest/ingest.h"
#include "ingest/samples.h"
#include "store/changes.h"
#include "store/metric_chunks.h"
#include "store/metrics.h"

#define NOT_A_NUMBER ((double)NAN)
#define KEYS         300 /* two blocks */

/* ---- chance, the same in every run that names its seed ---- */

static uint64_t chance_state;

static uint64_t
chance(uint64_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return chance_state % below;
}

static void
seed_chance(void)
{
	const char *given = getenv("CAIRN_SEED");

	chance_state = given != NULL ? strtoull(given, NULL, 10) : random_u64() | 1;
	print_message("CAIRN_SEED=%llu\n", (unsigned long long)chance_state);
}

/* ---- the model ---- */

struct series {
	struct sample *items;
	size_t n, room;
	struct sample newest;
};

struct world {
	struct pg_test *t;
	struct ingest *ingest;
	int64_t run_id;
	char names[KEYS][8];
	int32_t key_ids[KEYS]; /* 0: not known yet */
	struct series series[KEYS];
};

static void
series_add(struct series *s, const struct sample *sample)
{
	if (s->n == s->room) {
		s->room = s->room * 2 + 64;
		s->items = mem_resize(s->items, s->room, sizeof(*s->items));
	}
	s->items[s->n++] = *sample;
	if (s->n == 1 || sample_compare_stored(sample, &s->newest) > 0)
		s->newest = *sample;
}

static struct world *
world_new(struct pg_test *t)
{
	struct world *w = mem_alloc(sizeof(*w));

	w->t = t;
	w->ingest = ingest_start(&(struct ingest_options){ .pool = t->pool, .queue_limit_bytes = 64u << 20 });
	w->run_id =
		strtoll(pg_sql(t, "INSERT INTO run (uuid, experiment_id, name, start_unix_ms, artifact_uri, "
				  "created_unix_ms) VALUES ('r', 0, 'r', 0, '', 0) RETURNING run_id"),
			NULL, 10);
	for (int i = 0; i < KEYS; i++)
		(void)snprintf(w->names[i], sizeof(w->names[i]), "k%03d", i);
	return w;
}

static void
world_free(struct world *w)
{
	ingest_stop(w->ingest);
	for (int i = 0; i < KEYS; i++)
		free(w->series[i].items);
	free(w);
}

static void
log_points(struct world *w, const struct point *points, size_t n)
{
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(&w->t->cx, &tx), OK);
	assert_int_equal(ingest_write(w->ingest, tx, w->run_id, 0, points, n), OK);
	assert_int_equal(tx_commit(&tx), OK);
}

static struct point
point_of(const struct world *w, size_t key, const struct sample *s)
{
	return (struct point){ w->names[key], s->value, s->time_unix_ms, s->step };
}

/* ---- what is stored ---- */

struct stored {
	struct chunk_coder *coder;
	struct codec *codec;
	struct world *w;
	int32_t key_id;
	struct sample *items;
	size_t n, room, last_n;
};

static void
keep(struct stored *s, const struct sample *samples, size_t n)
{
	if (s->n + n > s->room) {
		s->room = (s->n + n) * 2;
		s->items = mem_resize(s->items, s->room, sizeof(*s->items));
	}
	memcpy(s->items + s->n, samples, n * sizeof(*samples));
	s->n += n;
}

static enum status
keep_chunk(void *arg, const void *data, size_t len)
{
	struct stored *s = arg;
	const struct sample *samples;

	assert_true(chunk_decode(s->coder, data, len, &samples, &s->last_n));
	keep(s, samples, s->last_n);
	return OK;
}

static enum status
keep_bundle(void *arg, const void *data, size_t len)
{
	struct stored *s = arg;
	const struct bundle_series *series;
	size_t n;

	assert_true(bundle_decode(s->coder, data, len, &s->key_id, 1, &series, &n));
	for (size_t i = 0; i < n; i++)
		keep(s, series[i].samples, series[i].n);
	return OK;
}

static enum status
keep_tail(void *arg, const struct metric_stored *row)
{
	struct stored *s = arg;
	const struct tail_point *points;
	size_t n;

	if (row->kind != STORED_TAIL)
		return OK;
	assert_true(codec_decode(s->codec, row->data, row->len, &points, &n));
	for (size_t i = 0; i < n; i++)
		if (points[i].key_id == s->key_id)
			keep(s, &(struct sample){ points[i].value, points[i].time_unix_ms, points[i].step },
				1);
	return OK;
}

static void
check_head(const struct chunk_head *h, const struct sample *samples, size_t n)
{
	int64_t time_hi = INT64_MIN;

	assert_int_equal(h->n, n);
	assert_int_equal(h->step_lo, samples[0].step);
	assert_int_equal(h->first_unix_ms, samples[0].time_unix_ms);
	assert_int_equal(h->step_hi, samples[n - 1].step);
	for (size_t i = 0; i < n; i++)
		if (samples[i].time_unix_ms > time_hi)
			time_hi = samples[i].time_unix_ms;
	assert_int_equal(h->time_hi_unix_ms, time_hi);
}

/* The chunks of a series, each in order and none into the next. How many. */
static size_t
read_chunks(struct stored *s, struct tx *tx)
{
	const struct chunk_range all = { { INT64_MIN, INT64_MIN }, { INT64_MAX, INT64_MAX }, 0, INT32_MAX };
	struct chunk_head *heads;
	size_t n;

	assert_int_equal(store_chunk_heads(tx, s->w->run_id, s->key_id, &all, &heads, &n), OK);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
			store_chunk_data(tx, s->w->run_id, s->key_id, &heads[i], 1, keep_chunk, s), OK);
		check_head(&heads[i], s->items + s->n - s->last_n, s->last_n);
	}
	for (size_t i = 1; i < s->n; i++)
		assert_true(sample_compare_stored(&s->items[i - 1], &s->items[i]) < 0);
	return n;
}

static void
same_samples(const struct sample *a, const struct sample *b)
{
	assert_int_equal(sample_compare_stored(a, b), 0);
	assert_int_equal(isnan(a->value) != 0, isnan(b->value) != 0);
}

static const struct series_summary *
read_summary(struct stored *s, struct tx *tx)
{
	const struct series_summary *series;
	const void *data;
	size_t len, n;

	assert_int_equal(store_summary_get(tx, s->w->run_id, s->key_id / BUNDLE_KEYS, &data, &len), OK);
	assert_non_null(data);
	assert_true(summary_decode(s->coder, data, len, &series, &n));
	for (size_t i = 0; i < n; i++)
		if (series[i].key_id == s->key_id)
			return &series[i];
	return NULL;
}

static bool
nearly(double a, double b)
{
	return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b));
}

static void
same_summary(const struct series_summary *a, const struct sample *items, size_t n)
{
	struct sample min = items[0], max = items[0];
	long double sum = 0, size = 0;
	int64_t real = 0;

	for (size_t i = 0; i < n; i++) {
		if (isnan(items[i].value))
			continue;
		if (real == 0 || items[i].value < min.value)
			min = items[i];
		if (real == 0 || items[i].value > max.value)
			max = items[i];
		sum += items[i].value;
		size += fabsl((long double)items[i].value);
		real++;
	}
	assert_int_equal(a->n, n);
	assert_int_equal(a->real, real);
	same_samples(&a->first, &items[0]);
	same_samples(&a->last, &items[n - 1]);
	same_samples(&a->min, &min);
	same_samples(&a->max, &max);
	if (!nearly(a->sum, (double)sum) && !(fabsl(a->sum - sum) <= 1e-12L * size))
		fail_msg("sum %.17g, should be %.17g", a->sum, (double)sum);
}

static void
learn_keys(struct world *w, struct tx *tx)
{
	const char *names[KEYS];
	struct metric_key *found;
	size_t n;

	for (int i = 0; i < KEYS; i++)
		names[i] = w->names[i];
	assert_int_equal(store_metric_keys_find(tx, 0, names, KEYS, &found, &n), OK);
	for (size_t i = 0; i < n; i++)
		w->key_ids[strtol(found[i].name + 1, NULL, 10)] = found[i].key_id;
}

/* `compacted`: the tail is empty, and no point is there twice. */
static void
check_series(struct stored *s, struct tx *tx, const struct series *model, bool compacted)
{
	struct chunk_head *bundles;
	size_t chunks, n;

	s->n = 0;
	chunks = read_chunks(s, tx);
	assert_true(chunks <= model->n / 512 + 1);
	assert_int_equal(store_chunk_bundles(tx, s->w->run_id, bundle_of(s->key_id), &bundles, &n), OK);
	assert_int_equal(
		store_chunk_data(tx, s->w->run_id, bundle_of(s->key_id), bundles, n, keep_bundle, s), OK);
	if (!compacted)
		assert_int_equal(store_metric_stored(tx, &s->w->run_id, 1, NULL, 0, keep_tail, s), OK);
	n = samples_settle(s->items, s->n, sample_compare_stored);
	if (compacted)
		assert_int_equal(n, s->n);
	assert_int_equal(n, model->n);
	for (size_t i = 0; i < n; i++)
		same_samples(&s->items[i], &model->items[i]);
	if (compacted && n > 0)
		same_summary(read_summary(s, tx), model->items, n);
}

static void
check_world(struct world *w, bool compacted)
{
	struct stored s = { .w = w, .coder = chunk_coder_new(), .codec = codec_new() };
	struct tx *tx = NULL;

	assert_int_equal(tx_begin_snapshot(&w->t->cx, &tx), OK);
	learn_keys(w, tx);
	for (int i = 0; i < KEYS; i++) {
		struct series *model = &w->series[i];

		model->n = samples_settle(model->items, model->n, sample_compare_stored);
		s.key_id = w->key_ids[i];
		if (s.key_id != 0)
			check_series(&s, tx, model, compacted);
		else
			assert_int_equal(model->n, 0);
	}
	tx_rollback(&tx);
	if (compacted)
		assert_string_equal(pg_sql(w->t, "SELECT count(*) FROM metric_tail"), "0");
	free(s.items);
	chunk_coder_free(s.coder);
	codec_free(s.codec);
	arena_reset(w->t->arena);
}

static void
same_latest(const struct latest *l, const struct sample *items, size_t n)
{
	const struct series_summary s = { 0, l->first, l->last, l->min, l->max, l->sum, l->count, l->real };

	same_summary(&s, items, n);
}

static void
check_last(struct world *w, struct tx *tx)
{
	const char *names[KEYS];
	struct last_value out[KEYS];

	for (int i = 0; i < KEYS; i++)
		names[i] = w->names[i];
	assert_int_equal(ingest_last(tx, &w->run_id, 1, names, KEYS, out), OK);
	for (int i = 0; i < KEYS; i++) {
		assert_int_equal(out[i].there, w->series[i].n > 0);
		if (out[i].there)
			same_samples(&out[i].last, &w->series[i].newest);
	}
}

/* What is read of the run is true at any moment: of one run all of it, of several all but count and sum. */
static void
check_latest(struct world *w)
{
	const int64_t two[2] = { w->run_id + 1, w->run_id };
	struct run_latest one, both[2];
	struct tx *tx = NULL;
	size_t at = 0;

	assert_int_equal(tx_auto(&w->t->cx, &tx), OK);
	assert_int_equal(ingest_latest(tx, &w->run_id, 1, &one), OK);
	assert_int_equal(ingest_latest(tx, two, 2, both), OK);
	for (int i = 0; i < KEYS; i++) {
		struct series *model = &w->series[i];

		model->n = samples_settle(model->items, model->n, sample_compare_stored);
		if (model->n == 0)
			continue;
		assert_string_equal(one.keys[at].key, w->names[i]);
		same_latest(&one.keys[at], model->items, model->n);
		same_samples(&both[1].keys[at].last, &one.keys[at].last);
		same_samples(&both[1].keys[at].first, &one.keys[at].first);
		same_samples(&both[1].keys[at].min, &one.keys[at].min);
		same_samples(&both[1].keys[at].max, &one.keys[at].max);
		at++;
	}
	assert_int_equal(one.n, at);
	check_last(w, tx);
	tx_rollback(&tx);
	arena_reset(w->t->arena);
}

/* All of the tail. How many points were new. */
static size_t
compact_all(struct world *w, struct compact *c, bool settle)
{
	struct compacted done = { .more = true };
	size_t fresh = 0;

	while (done.more) {
		assert_int_equal(compact_run(c, &w->t->cx, w->run_id, settle, &done), OK);
		assert_false(done.busy);
		fresh += done.fresh;
	}
	return fresh;
}

static size_t
model_points(const struct world *w)
{
	size_t n = 0;

	for (int i = 0; i < KEYS; i++)
		n += w->series[i].n;
	return n;
}

/* ---- what is logged ---- */

static double
some_value(void)
{
	static const double odd[] = { NOT_A_NUMBER, HUGE_VAL, -HUGE_VAL, 0.0, -0.0, 1e300, -1e300, 5e-324 };

	if (chance(50) == 0)
		return odd[chance(sizeof(odd) / sizeof(odd[0]))];
	return (double)(int64_t)chance(2000000) / 1000.0 - 1000.0;
}

static struct sample
next_sample(const struct series *s, int manner)
{
	struct sample next = s->newest;

	if (s->n == 0)
		next = (struct sample){ 0, 1000, 0 };
	switch (manner) {
	case 0: /* rising */
		next.step++;
		next.time_unix_ms += (int64_t)chance(1000);
		break;
	case 1: /* one step, time goes on */
		next.time_unix_ms += (int64_t)chance(3);
		break;
	case 2: /* anywhere before */
		next.step -= (int64_t)chance(s->n + 1);
		next.time_unix_ms -= (int64_t)chance(100);
		break;
	default: /* clocks jump */
		next.step += (int64_t)chance(2);
		next.time_unix_ms += (int64_t)chance(2000) - 1000;
	}
	next.value = some_value();
	return next;
}

/* A batch of n points: some keys often, some seldom; now and then a point that is there already. */
static void
log_some(struct world *w, size_t n, size_t keys, const int *manners, size_t manner_count)
{
	struct point *points = mem_array(n, sizeof(*points));

	for (size_t i = 0; i < n; i++) {
		size_t key = chance(2) == 0 ? chance(keys < 3 ? keys : 3) : chance(keys);
		struct series *s = &w->series[key];
		struct sample next;

		if (s->n > 0 && chance(10) == 0) {
			next = s->items[chance(s->n)];
		} else {
			next = next_sample(s, manners[chance(manner_count)]);
			series_add(s, &next);
		}
		points[i] = point_of(w, key, &next);
	}
	log_points(w, points, n);
	free(points);
}

/* ---- tests ---- */

static void
go_through(struct world *w, size_t rounds, size_t keys, const int *manners, size_t manner_count)
{
	struct compact *c = compact_new();
	size_t fresh = 0;

	for (size_t i = 0; i < rounds; i++) {
		for (size_t batches = 1 + chance(6); batches > 0; batches--)
			log_some(w, 1 + chance(chance(3) == 0 ? 9000 : 900), keys, manners, manner_count);
		check_latest(w);
		fresh += compact_all(w, c, chance(8) == 0);
		check_world(w, true);
		check_latest(w);
		assert_int_equal(fresh, model_points(w));
		assert_int_equal(compact_all(w, c, false), 0);
	}
	compact_free(c);
}

static void
every_point_is_stored_once_whatever_its_order(void **state)
{
	static const int manners[] = { 0, 0, 0, 1, 2, 3 };
	struct world *w = world_new(*state);

	seed_chance();
	go_through(w, 10, KEYS, manners, 6);
	world_free(w);
}

static void
series_in_order_grow_into_full_chunks(void **state)
{
	static const int manners[] = { 0 };
	struct world *w = world_new(*state);

	seed_chance();
	go_through(w, 15, 3, manners, 1);
	/* of some tens of thousands of points, few are in small chunks */
	assert_true(strtol(pg_sql(*state, "SELECT count(*) FROM metric_chunk WHERE key_id > 0 AND n < 2048"),
			    NULL, 10) <= 3 * 9);
	world_free(w);
}

static void
points_of_one_step_are_told_apart_by_time(void **state)
{
	static const int manners[] = { 1, 1, 1, 1, 3 };
	struct world *w = world_new(*state);

	seed_chance();
	go_through(w, 10, 4, manners, 5);
	world_free(w);
}

static void
points_anywhere_find_their_chunks(void **state)
{
	static const int manners[] = { 0, 0, 2 };
	struct world *w = world_new(*state);

	seed_chance();
	go_through(w, 12, 2, manners, 3);
	world_free(w);
}

/* n points of key 0, made by number. */
static void
log_made(struct world *w, size_t from, size_t n, struct sample (*make)(size_t i))
{
	struct series *s = &w->series[0];
	struct point *points = mem_array(n, sizeof(*points));

	for (size_t i = 0; i < n; i++) {
		struct sample made = make(from + i);

		series_add(s, &made);
		points[i] = point_of(w, 0, &made);
	}
	for (size_t i = 0; i < n; i += 20000)
		log_points(w, points + i, n - i < 20000 ? n - i : 20000);
	free(points);
}

static struct sample
in_order(size_t i)
{
	return (struct sample){ (double)(i % 977), 1000 + (int64_t)i, (int64_t)i * 10 };
}

/* Every 37th is there already, the others lie between. */
static struct sample
all_over(size_t i)
{
	size_t at = i * 7919 % 300000;
	struct sample s = in_order(at);

	if (i % 37 != 0)
		s.step += 1 + (int64_t)(i % 9);
	return s;
}

static void
a_long_series_takes_points_all_over(void **state)
{
	struct pg_test *t = *state;
	struct world *w = world_new(t);
	struct compact *c = compact_new();

	log_made(w, 0, 300000, in_order);
	assert_int_equal(compact_all(w, c, false), 300000);
	check_world(w, true);
	assert_true(strtol(pg_sql(t, "SELECT count(*) FROM metric_chunk"), NULL, 10) > 64);
	log_made(w, 0, 9000, all_over);
	check_latest(w);
	assert_int_equal(compact_all(w, c, false), 9000 - 9000 / 37 - 1);
	check_world(w, true);
	check_latest(w);
	assert_true(strtol(pg_sql(t, "SELECT max(n) FROM metric_chunk"), NULL, 10) < 8192);
	log_made(w, 100, 600, all_over); /* all of them are there */
	assert_int_equal(compact_all(w, c, false), 0);
	check_world(w, true);
	compact_free(c);
	world_free(w);
}

static struct sample
one_moment(size_t i)
{
	return (struct sample){ (double)i * 0.5, 5, 5 };
}

static void
any_number_of_points_may_have_one_moment(void **state)
{
	struct world *w = world_new(*state);
	struct compact *c = compact_new();

	log_made(w, 0, 150000, one_moment);
	assert_int_equal(compact_all(w, c, false), 150000);
	check_world(w, true);
	log_made(w, 149000, 2000, one_moment);
	log_made(w, 0, 100, one_moment);
	assert_int_equal(compact_all(w, c, false), 1000);
	check_world(w, true);
	check_latest(w);
	compact_free(c);
	world_free(w);
}

static void
steps_and_times_may_be_any_int64(void **state)
{
	static const int64_t edges[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX };
	struct world *w = world_new(*state);
	struct compact *c = compact_new();

	for (int round = 0; round < 3; round++) {
		struct point points[49];

		for (int i = 0; i < 49; i++) {
			struct sample s = { round, edges[i % 7], edges[i / 7] };

			series_add(&w->series[0], &s);
			points[i] = point_of(w, 0, &s);
		}
		log_points(w, points, 49);
		log_points(w, points, 49);
		assert_int_equal(compact_all(w, c, false), 49);
		check_world(w, true);
	}
	compact_free(c);
	world_free(w);
}

/* Few points at a time: rows stay few, and each point is written a handful of times. */
static void
a_slow_series_is_rewritten_seldom(void **state)
{
	struct pg_test *t = *state;
	struct world *w = world_new(t);
	struct compact *c = compact_new();

	for (int i = 0; i < 600; i++) {
		struct sample s = { i, 1000 + i, i };
		struct point p = point_of(w, 0, &s);

		series_add(&w->series[0], &s);
		log_points(w, &p, 1);
		assert_int_equal(compact_all(w, c, false), 1);
	}
	check_world(w, true);
	assert_true(strtol(pg_sql(t, "SELECT count(*) FROM metric_chunk"), NULL, 10) <= 1 + 3 * 7);
	assert_int_equal(compact_all(w, c, true), 0);
	compact_free(c);
	world_free(w);
}

/* ---- several at once, and ends in the middle ---- */

struct rival {
	struct world *w;
	pthread_t thread;
	bool failed;
	atomic_bool *over;
};

static void *
compact_in_thread(void *arg)
{
	struct rival *r = arg;
	struct compact *c = compact_new();
	struct arena *arena = arena_new();
	struct compacted done;
	struct ctx cx;

	while (!*r->over) {
		ctx_init(&cx, arena, &r->w->t->parts);
		if (compact_run(c, &cx, r->w->run_id, false, &done) != OK)
			r->failed = true;
		if (done.rows == 0)
			(void)usleep(1000);
		arena_reset(arena);
	}
	arena_free(arena);
	compact_free(c);
	return NULL;
}

static void
two_compactors_lose_and_double_nothing(void **state)
{
	static const int manners[] = { 0, 0, 1, 2, 3 };
	struct world *w = world_new(*state);
	atomic_bool over = false;
	struct rival rivals[2] = { { .w = w, .over = &over }, { .w = w, .over = &over } };
	struct compact *c = compact_new();

	seed_chance();
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&rivals[i].thread, NULL, compact_in_thread, &rivals[i]), 0);
	for (int i = 0; i < 30; i++) {
		log_some(w, 1 + chance(3000), 5, manners, 5);
		if (i % 10 == 0)
			check_world(w, false);
	}
	over = true;
	for (int i = 0; i < 2; i++) {
		(void)pthread_join(rivals[i].thread, NULL);
		assert_false(rivals[i].failed);
	}
	(void)compact_all(w, c, false);
	check_world(w, true);
	compact_free(c);
	world_free(w);
}

static void
a_connection_that_ends_in_the_middle_loses_nothing(void **state)
{
	static const int manners[] = { 0, 0, 1, 2, 3 };
	struct pg_test *t = *state;
	struct world *w = world_new(t);
	atomic_bool over = false;
	struct rival rival = { .w = w, .over = &over };
	struct compact *c = compact_new();
	long ended = 0;

	seed_chance();
	assert_int_equal(pthread_create(&rival.thread, NULL, compact_in_thread, &rival), 0);
	for (int i = 0; i < 30; i++) {
		log_some(w, 1 + chance(3000), 5, manners, 5);
		ended += strtol(pg_sql(t, "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN "
					  "pg_stat_activity a USING "
					  "(pid) WHERE l.locktype = 'advisory' AND a.state = 'active'"),
			NULL, 10);
		if (i % 10 == 0)
			check_world(w, false);
	}
	over = true;
	(void)pthread_join(rival.thread, NULL);
	assert_true(ended > 0);
	while (compact_run(c, &t->cx, w->run_id, false, &(struct compacted){ 0 }) != OK)
		continue; /* connections of the pool that are dead */
	(void)compact_all(w, c, false);
	check_world(w, true);
	compact_free(c);
	world_free(w);
}

static void
what_is_left_of_a_run_that_is_gone_is_taken_away(void **state)
{
	static const int manners[] = { 0 };
	struct pg_test *t = *state;
	struct world *w = world_new(t);
	struct compact *c = compact_new();
	struct compacted done;

	seed_chance();
	log_some(w, 3000, 5, manners, 1);
	(void)compact_all(w, c, false);
	log_some(w, 3000, 5, manners, 1);
	(void)pg_sql(t, "DELETE FROM run");
	assert_int_equal(compact_run(c, &t->cx, w->run_id, false, &done), OK);
	assert_true(done.gone);
	assert_string_equal(
		pg_sql(t, "SELECT (SELECT count(*) FROM metric_tail) + (SELECT count(*) FROM metric_chunk) + "
			  "(SELECT count(*) FROM run_summary)"),
		"0");
	compact_free(c);
	world_free(w);
}

/* ---- who may ---- */

static bool
all_read(struct pg_test *t, const char *server_id, int64_t settled_ms)
{
	struct tx *tx = NULL;
	bool yes;

	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	assert_int_equal(store_server_all_read(tx, server_id, 2, settled_ms, &yes), OK);
	tx_rollback(&tx);
	return yes;
}

static void
put_server(struct pg_test *t, const char *server_id)
{
	struct tx *tx = NULL;

	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	assert_int_equal(store_server_put(tx, server_id), OK);
	tx_rollback(&tx);
}

static void
nobody_writes_what_a_living_server_cannot_read(void **state)
{
	struct pg_test *t = *state;

	assert_false(all_read(t, "one", 0)); /* a crash has emptied the table: who knows */
	put_server(t, "two");
	assert_false(all_read(t, "one", 0));
	put_server(t, "one");
	assert_true(all_read(t, "one", 0));
	assert_false(all_read(t, "one", 86400000)); /* not before all have come back */
	(void)pg_sql(t, "INSERT INTO server (server_id, started_unix_ms, seen_unix_ms, snapshot) VALUES "
			"('old', 0, 0, "
			"pg_current_snapshot())");
	assert_false(all_read(t, "one", 0));
	(void)pg_sql(t, "DELETE FROM server WHERE server_id = 'old'");
	assert_true(all_read(t, "one", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(every_point_is_stored_once_whatever_its_order),
		pg_test(series_in_order_grow_into_full_chunks),
		pg_test(points_of_one_step_are_told_apart_by_time),
		pg_test(points_anywhere_find_their_chunks),
		pg_test(a_long_series_takes_points_all_over),
		pg_test(any_number_of_points_may_have_one_moment),
		pg_test(steps_and_times_may_be_any_int64),
		pg_test(a_slow_series_is_rewritten_seldom),
		pg_test(two_compactors_lose_and_double_nothing),
		pg_test(a_connection_that_ends_in_the_middle_loses_nothing),
		pg_test(what_is_left_of_a_run_that_is_gone_is_taken_away),
		pg_test(nobody_writes_what_a_living_server_cannot_read),
	};

	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
