/* Series for charts over tail rows, bundles and chunks, against the plainest model: all samples in one array. */
#include "ingest/points.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ingest/samples.h"
#include "ingest/series.h"
#include "store/tx.h"

#define KEY          3
#define MOST         3000
#define NOT_A_NUMBER ((double)NAN)

/* ---- what comes ---- */

struct got {
	size_t series;
	size_t run, key;
	int64_t n;
	bool exact;
	struct bucket points[2 * MOST];
	size_t point_count;
};

static enum status
take(void *arg, const struct series *s)
{
	struct got *g = arg;

	assert_true(s->point_count > 0 && s->point_count <= 2 * MOST && s->n > 0);
	g->series++;
	g->run = s->run;
	g->key = s->key;
	g->n = s->n;
	g->exact = s->exact;
	g->point_count = s->point_count;
	memcpy(g->points, s->points, s->point_count * sizeof(*s->points));
	return OK;
}

static const char *const one_key[] = { "k" };

static struct series_in
all_of(const struct read_run *run, size_t buckets)
{
	return (struct series_in){ .runs = run,
		.run_count = 1,
		.keys = one_key,
		.key_count = 1,
		.buckets = buckets,
		.from = INT64_MIN,
		.to = INT64_MAX,
		.from_real = -(double)INFINITY,
		.to_real = (double)INFINITY };
}

static void
read_series(struct pg_test *t, const struct series_in *in, struct got *got)
{
	struct tx *tx = NULL;

	*got = (struct got){ 0 };
	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_equal(ingest_series(tx, in, take, got), OK);
	tx_rollback(&tx);
}

/* ---- the model ---- */

/* A double, and NaN is itself. */
static bool
is(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b;
}

static bool
near(double a, double b)
{
	return is(a, b) || fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)) + 1e-300;
}

/* Does the bucket say what these samples, which follow each other in order of x, say? */
static void
check_bucket(const struct bucket *b, const struct sample *s, size_t n)
{
	double min = NOT_A_NUMBER, max = NOT_A_NUMBER;
	int64_t step_lo = INT64_MAX, time_lo = INT64_MAX, step_hi = INT64_MIN, time_hi = INT64_MIN;
	long double sum = 0, size = 0;
	int64_t real = 0;

	assert_int_equal(b->count, n);
	for (size_t i = 0; i < n; i++) {
		step_lo = s[i].step < step_lo ? s[i].step : step_lo;
		step_hi = s[i].step > step_hi ? s[i].step : step_hi;
		time_lo = s[i].time_unix_ms < time_lo ? s[i].time_unix_ms : time_lo;
		time_hi = s[i].time_unix_ms > time_hi ? s[i].time_unix_ms : time_hi;
		if (isnan(s[i].value))
			continue;
		min = isnan(min) || s[i].value < min ? s[i].value : min;
		max = isnan(max) || s[i].value > max ? s[i].value : max;
		sum += (long double)s[i].value;
		size += fabsl((long double)s[i].value);
		real++;
	}
	assert_true(is(b->first, s[0].value) && is(b->last, s[n - 1].value));
	assert_true(is(b->min, min) && is(b->max, max));
	assert_true(b->step_lo == step_lo && b->step_hi == step_hi);
	assert_true(b->time_lo_unix_ms == time_lo && b->time_hi_unix_ms == time_hi);
	if (real == 0)
		assert_true(isnan(b->mean));
	else if (size < (long double)DBL_MAX) /* the sum of a preview is a double */
		assert_true(fabsl((long double)b->mean * (long double)real - sum) <= 1e-9L * size + 1e-300L);
}

/* The part of [lo, hi] cut into n that x is in, by looking at every edge. */
static size_t
part_of(int64_t x, int64_t lo, int64_t hi, size_t n)
{
	uint64_t span = (uint64_t)hi - (uint64_t)lo, d = (uint64_t)x - (uint64_t)lo;
	size_t part = 0;

	if (span < n)
		n = (size_t)span + 1;
	/* the last part whose edge, ceil(part * (span + 1) / n), is not above d */
	for (size_t p = 1; p < n; p++) {
		uint64_t each = span / n, more = span % n + 1; /* more may be n: then each holds one more */

		if (each * p + (p * more + n - 1) / n <= d)
			part = p;
	}
	return part;
}

/* samples: in order of x, without twins, in the range. */
static void
check_exact(
	const struct got *g, const struct sample *s, size_t n, size_t buckets, enum series_x x, bool by_time)
{
	size_t at = 0, point = 0;

	if (n == 0) {
		assert_int_equal(g->series, 0);
		return;
	}
	assert_true(g->series == 1 && g->exact && g->n == (int64_t)n);
	if (n <= buckets)
		assert_int_equal(g->point_count, n);
	for (; at < n; point++) {
		size_t end = at + 1;
		int64_t lo = by_time ? s[0].time_unix_ms : s[0].step;
		int64_t hi = by_time ? s[n - 1].time_unix_ms : s[n - 1].step;

		while (n > buckets && end < n &&
			part_of(by_time ? s[end].time_unix_ms : s[end].step, lo, hi, buckets) ==
				part_of(by_time ? s[at].time_unix_ms : s[at].step, lo, hi, buckets))
			end++;
		assert_true(point < g->point_count);
		check_bucket(&g->points[point], &s[at], end - at);
		assert_true(g->points[point].x == (x == SERIES_TIME ? s[at].time_unix_ms : s[at].step));
		at = end;
	}
	assert_int_equal(point, g->point_count);
}

/* Buckets that end where stretches do: each says the truth of the samples that it counts. */
static void
check_drawn(const struct got *g, const struct sample *s, size_t n)
{
	size_t at = 0;

	assert_true(g->series == 1 && g->n == (int64_t)n);
	for (size_t i = 0; i < g->point_count; i++) {
		assert_true(at + (size_t)g->points[i].count <= n);
		check_bucket(&g->points[i], &s[at], (size_t)g->points[i].count);
		at += (size_t)g->points[i].count;
	}
	assert_int_equal(at, n);
}

/* ---- random series ---- */

enum shape { APPENDED, RESUMED, ONE_STEP, WILD, SHAPES };

static struct sample
random_sample(uint64_t *seed, enum shape shape, size_t i)
{
	static const int64_t edges[] = { INT64_MIN, INT64_MAX, 0, -1, INT64_MIN + 1 };
	static const double values[] = { NOT_A_NUMBER, (double)INFINITY, -(double)INFINITY, 0.0, -0.0,
		1e308 };
	struct sample s = { (double)(spread_random(seed) % 1000) / 8, 100 + (int64_t)i * 10, (int64_t)i };

	if (shape == RESUMED)
		s.step = (int64_t)(i % 900);
	if (shape == ONE_STEP)
		s.step = 7;
	if (shape == WILD) {
		s.step = (int64_t)(spread_random(seed) % 300);
		s.time_unix_ms = (int64_t)(spread_random(seed) % 300) - 100;
		if (spread_random(seed) % 50 == 0)
			s.step = edges[spread_random(seed) % 5];
		if (spread_random(seed) % 50 == 0)
			s.time_unix_ms = edges[spread_random(seed) % 5];
	}
	if (spread_random(seed) % 40 == 0)
		s.value = values[spread_random(seed) % 6];
	return s;
}

static void
store_somehow(struct spread *s, int64_t run_id, uint64_t *seed, const struct sample *samples, size_t n)
{
	for (size_t at = 0; at < n;) {
		size_t len = 1 + spread_random(seed) % 900, again = spread_random(seed) % 6 == 0 ? 2 : 1;

		len = len > n - at ? n - at : len;
		for (; again > 0; again--)
			switch (spread_random(seed) % 5) {
			case 0:
				spread_tail(s, run_id, KEY, samples + at, len);
				break;
			case 1:
				spread_bundle(s, run_id, KEY, samples + at, len < 500 ? len : 500, KEY + 1,
					samples, 3);
				spread_tail(s, run_id, KEY, samples + at + (len < 500 ? len : 500),
					len < 500 ? 0 : len - 500);
				break;
			default:
				spread_chunk(s, run_id, KEY, samples + at, len);
			}
		at += len;
	}
}

/* Those of a range, in order of x. */
static size_t
cut(struct spread *s, const struct sample *samples, size_t n, const struct series_in *in, struct sample *out)
{
	bool by_time = in->x != SERIES_STEP;
	size_t settled_n, kept = 0;
	struct sample *settled = spread_settled(s, samples, n, by_time, &settled_n);

	for (size_t i = 0; i < settled_n; i++) {
		int64_t x = by_time ? settled[i].time_unix_ms : settled[i].step;

		if (x >= in->from && x <= in->to)
			out[kept++] = settled[i];
	}
	return kept;
}

static void
check_all_ways(struct spread *s, const struct read_run *run, enum shape shape, const struct sample *samples,
	size_t n)
{
	static const size_t buckets[] = { 1, 3, 40, 400, MOST };
	static const int64_t ranges[][2] = { { INT64_MIN, INT64_MAX }, { 13, 2000 }, { INT64_MIN, 0 },
		{ 150, 150 }, { INT64_MAX, INT64_MAX } };
	static struct got got;
	static struct sample in_range[MOST];

	for (size_t b = 0; b < sizeof(buckets) / sizeof(*buckets); b++)
		for (size_t r = 0; r < sizeof(ranges) / sizeof(*ranges); r++)
			for (int x = SERIES_STEP; x <= SERIES_TIME; x++) {
				struct series_in in = all_of(run, buckets[b]);
				bool whole = r == 0, time = x == SERIES_TIME;
				size_t left;

				in.x = (enum series_x)x;
				in.from = ranges[r][0];
				in.to = ranges[r][1];
				left = cut(s, samples, n, &in, in_range);
				in.exact = true;
				read_series(s->t, &in, &got);
				if (whole || left <= buckets[b])
					check_exact(&got, in_range, left, buckets[b], in.x,
						time || (shape == ONE_STEP && whole));
				else
					check_drawn(&got, in_range, left); /* the grid begins at from */
				in.exact = false;
				read_series(s->t, &in, &got);
				if (left == 0)
					assert_int_equal(got.series, 0);
				else if (left <= buckets[b])
					check_exact(&got, in_range, left, buckets[b], in.x, time);
				else if (got.exact || shape != RESUMED)
					check_drawn(&got, in_range, left);
				assert_int_equal(got.series == 0 ? 0 : got.n, left);
			}
}

static void
whatever_rows_hold_a_series_its_buckets_are_the_models(void **state)
{
	static struct sample samples[MOST];
	struct pg_test *t = *state;
	struct spread s;
	uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	spread_key(&s, 0, KEY + 1, "other");
	for (int round = 0; round < 8; round++) {
		enum shape shape = (enum shape)(round % SHAPES);
		size_t n = 1 + spread_random(&seed) % MOST;
		struct read_run run = spread_run(&s, arena_printf(t->arena, "r%d", round));

		for (size_t i = 0; i < n; i++)
			samples[i] = random_sample(&seed, shape, i);
		store_somehow(&s, run.run_id, &seed, samples, n);
		check_all_ways(&s, &run, shape, samples, n);
	}
	spread_fini(&s);
}

/* A long series of chunks, with a spike in each: what charts are usually drawn from. */
static struct read_run
long_series(struct spread *s, struct sample *samples, size_t n, size_t chunk)
{
	struct read_run run = spread_run(s, "long");
	uint64_t seed = 99;

	spread_key(s, 0, KEY, "k");
	for (size_t i = 0; i < n; i++) {
		samples[i] = (struct sample){ (double)(spread_random(&seed) % 1000), 1000 + (int64_t)i * 50,
			(int64_t)i };
		if (i % chunk == 17)
			samples[i].value = 1e6 + (double)i;
	}
	for (size_t at = 0; at < n; at += chunk)
		spread_chunk(s, run.run_id, KEY, samples + at, n - at < chunk ? n - at : chunk);
	return run;
}

static void
previews_draw_a_long_series_and_lose_no_extreme(void **state)
{
	enum { N = 40960, CHUNK = 1024, BUCKETS = 100 };
	static struct sample samples[N];
	static struct got got;
	struct pg_test *t = *state;
	struct spread s;
	struct read_run run;
	struct series_in in;
	double max = 0;

	spread_init(&s, t);
	run = long_series(&s, samples, N, CHUNK);
	/* were the data read, it would be noticed */
	(void)pg_sql(t, "UPDATE cairn.metric_chunk SET data = set_byte(data, 9, get_byte(data, 9) # 1)");
	for (int x = SERIES_STEP; x <= SERIES_RELATIVE; x++) {
		in = all_of(&run, BUCKETS);
		in.x = (enum series_x)x;
		read_series(t, &in, &got);
		assert_false(got.exact);
		assert_true(got.point_count == BUCKETS);
		check_drawn(&got, samples, N);
		for (size_t i = 0; i < got.point_count; i++) {
			int64_t edge = (int64_t)(i * N / BUCKETS);

			assert_true(llabs(got.points[i].step_lo - edge) <= N / BUCKETS * 2 / 3);
			max = fmax(max, got.points[i].max);
			if (x == SERIES_RELATIVE)
				assert_int_equal(got.points[i].x, got.points[i].step_lo * 50);
		}
		assert_true(max == 1e6 + N - CHUNK + 17);
	}
	/* a tail that goes on, and a range whose edges cut chunks, need only those */
	in.buckets = 30;
	in.x = SERIES_STEP;
	in.from = CHUNK * 5;
	in.to = CHUNK * 30 - 1;
	read_series(t, &in, &got);
	assert_false(got.exact);
	check_drawn(&got, samples + CHUNK * 5, CHUNK * 25);
	spread_fini(&s);
}

static void
a_stretch_that_is_too_wide_or_may_hold_twins_is_read_exactly(void **state)
{
	enum { N = 20480, CHUNK = 1024 };
	static struct sample samples[N + 10];
	static struct got got;
	struct pg_test *t = *state;
	struct spread s;
	struct read_run run;
	struct series_in in;

	spread_init(&s, t);
	run = long_series(&s, samples, N, CHUNK);
	spread_tail(&s, run.run_id, KEY, samples + 3000, 20); /* twins of a chunk's */
	in = all_of(&run, 40);
	read_series(t, &in, &got);
	assert_true(!got.exact && got.n == N);
	check_drawn(&got, samples, N);
	in.buckets = 1000; /* finer than stretches of 64 */
	read_series(t, &in, &got);
	check_exact(&got, samples, N, 1000, SERIES_STEP, false);
	for (int i = 0; i < 10;
		i++) /* far away: buckets grow, and what is left of the chunk stays fine enough */
		samples[N + i] = (struct sample){ -1, 5, 10 * N + i };
	spread_chunk(&s, run.run_id, KEY, samples + N, 10);
	in.buckets = 40;
	read_series(t, &in, &got);
	assert_true(!got.exact && got.n == N + 10);
	check_drawn(&got, samples, N + 10);
	spread_fini(&s);
}

/* Many rows, few samples: all of them are given, though stretches would be fine enough. */
static void
a_short_series_of_many_rows_is_given_exactly(void **state)
{
	enum { TWINS = 60, CHUNK = PREVIEW_FROM, N = 2 * CHUNK + 1 };
	static struct sample samples[N];
	static struct got got;
	struct pg_test *t = *state;
	struct spread s;
	struct read_run run;
	struct series_in in;

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	run = spread_run(&s, "r");
	for (int i = 0; i < N; i++)
		samples[i] = (struct sample){ i, i, i < N - 1 ? i : 1000000000 };
	for (int i = 0; i < TWINS; i++)
		spread_chunk(&s, run.run_id, KEY, samples, CHUNK);
	spread_chunk(&s, run.run_id, KEY, samples + CHUNK, CHUNK);
	spread_tail(&s, run.run_id, KEY, &samples[N - 1], 1);
	in = all_of(&run, N);
	read_series(t, &in, &got);
	check_exact(&got, samples, N, N, SERIES_STEP, false);
	in.buckets = 200;
	read_series(t, &in, &got);
	assert_false(got.exact);
	check_drawn(&got, samples, N);
	spread_fini(&s);
}

/* So many that a stretch of each would be finer than needed. */
static void
stretches_of_very_many_chunks_are_joined(void **state)
{
	enum { CHUNKS = 400, CHUNK = PREVIEW_FROM, N = CHUNKS * CHUNK, BUCKETS = 10 };
	static struct sample samples[N];
	static struct got got;
	struct pg_test *t = *state;
	struct spread s;
	struct read_run run;
	struct series_in in;

	spread_init(&s, t);
	run = long_series(&s, samples, N, CHUNK);
	(void)pg_sql(t, "UPDATE cairn.metric_chunk SET data = set_byte(data, 9, get_byte(data, 9) # 1)");
	in = all_of(&run, BUCKETS);
	read_series(t, &in, &got);
	assert_true(!got.exact && got.point_count == BUCKETS);
	check_drawn(&got, samples, N);
	for (size_t i = 0; i < BUCKETS; i++)
		assert_true(llabs(got.points[i].step_lo - (int64_t)(i * N / BUCKETS)) <= CHUNK);
	spread_fini(&s);
}

/* Charts hold the tail in memory; pages of a history do not. */
static void
a_tail_that_nobody_compacts_is_bounded(void **state)
{
	enum { ROW = 1 << 20, ROWS = 9 };
	struct pg_test *t = *state;
	struct sample *samples = calloc(ROW, sizeof(*samples)), *page;
	static struct got got;
	struct series_in in;
	struct read_run run;
	struct tx *tx = NULL;
	struct spread s;
	size_t n;

	assert_non_null(samples);
	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	run = spread_run(&s, "r");
	for (int i = 0; i < ROW; i++)
		samples[i] = (struct sample){ 1, i, i };
	spread_tail(&s, run.run_id, KEY, samples, ROW);
	(void)pg_sql(t, arena_printf(t->arena,
				"INSERT INTO cairn.metric_tail SELECT run_id, seq + i, n, data FROM "
				"cairn.metric_tail, "
				"generate_series(1, %d) AS i",
				ROWS - 1));
	in = all_of(&run, 10);
	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_equal(ingest_series(tx, &in, take, &got), UNAVAILABLE);
	assert_int_equal(ingest_history(tx, &run, "k", &samples[ROW - 10], 100, &page, &n), OK);
	assert_int_equal(n, 9);
	tx_rollback(&tx);
	free(samples);
	spread_fini(&s);
}

static void
many_series_are_read_some_at_a_time(void **state)
{
	struct pg_test *t = *state;
	static struct got got;
	struct sample samples[600];
	struct read_run runs[150];
	struct series_in in;
	struct spread s;

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	for (int i = 0; i < 600; i++)
		samples[i] = (struct sample){ i, i, i };
	for (int r = 0; r < 150; r++) {
		runs[r] = spread_run(&s, arena_printf(t->arena, "r%d", r));
		spread_chunk(&s, runs[r].run_id, KEY, samples, 300);
		spread_tail(&s, runs[r].run_id, KEY, samples + 250, 350);
	}
	in = all_of(runs, 7);
	in.run_count = 150;
	read_series(t, &in, &got);
	assert_true(got.series == 150 && got.run == 149 && got.n == 600);
	spread_fini(&s);
}

/* ---- relative time ---- */

static void
relative_time_counts_from_the_start_or_from_the_first_sample(void **state)
{
	const struct sample samples[] = { { 1, 5000, 1 }, { 2, 6000, 2 }, { 3, INT64_MAX, 3 } };
	struct pg_test *t = *state;
	static struct got got;
	struct series_in in;
	struct read_run run;
	struct spread s;

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	run = spread_run(&s, "r");
	spread_tail(&s, run.run_id, KEY, samples, 3);
	in = all_of(&run, 10);
	in.x = SERIES_RELATIVE;
	read_series(t, &in, &got);
	assert_true(got.points[0].x == 0 && got.points[1].x == 1000 && got.points[2].x == INT64_MAX - 5000);
	run.start_unix_ms = 5500;
	read_series(t, &in, &got);
	assert_true(got.points[0].x == -500 && got.points[1].x == 500);
	in.from = -500;
	in.to = 499;
	read_series(t, &in, &got);
	assert_int_equal(got.n, 1);
	run.start_unix_ms = INT64_MIN;
	in.from = INT64_MIN;
	in.to = INT64_MAX;
	read_series(t, &in, &got);
	assert_true(got.n == 3 && got.points[2].x == INT64_MAX);
	spread_fini(&s);
}

/* ---- over another metric ---- */

static void
a_metric_over_another_pairs_the_last_samples_of_steps(void **state)
{
	const struct sample y[] = { { 1, 1, 1 }, { 2, 2, 2 }, { 3, 3, 3 }, { 4, 4, 4 },
		{ NOT_A_NUMBER, 5, 4 }, { 6, 6, 6 } };
	const struct sample x[] = { { 9, 1, 1 }, { NOT_A_NUMBER, 2, 2 }, { -3, 2, 2 },
		{ (double)INFINITY, 3, 3 }, { 0, 4, 4 }, { 5, 5, 5 } };
	struct pg_test *t = *state;
	static struct got got;
	struct series_in in;
	struct read_run run;
	struct spread s;

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	spread_key(&s, 0, KEY + 1, "x");
	run = spread_run(&s, "r");
	spread_bundle(&s, run.run_id, KEY, y, 4, KEY + 1, x, 3);
	spread_tail(&s, run.run_id, KEY, y + 3, 3);
	spread_tail(&s, run.run_id, KEY + 1, x + 3, 3);
	in = all_of(&run, 10);
	in.x = SERIES_METRIC;
	in.x_key = "x";
	read_series(t, &in, &got);
	/* of step 2 the last is NaN: it sorts as 0, after -3 */
	assert_true(got.n == 2 && got.points[0].x_real == 0 && got.points[1].x_real == 9);
	assert_true(isnan(got.points[0].last) && got.points[1].last == 1 && got.points[0].step_lo == 4);
	in.buckets = 1;
	read_series(t, &in, &got);
	assert_true(got.point_count == 1 && got.points[0].count == 2 && got.points[0].mean == 1 &&
		    got.points[0].min == 1 && isnan(got.points[0].first) && got.points[0].last == 1);
	in.to_real = 8;
	read_series(t, &in, &got);
	assert_true(got.n == 1 && got.points[0].x_real == 0);
	in.x_key = "unknown";
	read_series(t, &in, &got);
	assert_int_equal(got.series, 0);
	spread_fini(&s);
}

/* ---- groups ---- */

struct groups_got {
	size_t n;
	size_t group[4], runs[4], count[4];
	struct group_point points[4][16];
};

static enum status
take_group(void *arg, const struct grouped *g)
{
	struct groups_got *to = arg;

	assert_true(to->n < 4 && g->point_count <= 16);
	to->group[to->n] = g->group;
	to->runs[to->n] = g->runs;
	to->count[to->n] = g->point_count;
	memcpy(to->points[to->n++], g->points, g->point_count * sizeof(*g->points));
	return OK;
}

static void
groups_are_statistics_of_the_means_of_their_runs(void **state)
{
	static const size_t first[] = { 0, 1, 2 }, second[] = { 3, 0 }, none[] = { 4 };
	const struct run_group groups[] = { { first, 3 }, { second, 2 }, { none, 1 } };
	struct pg_test *t = *state;
	struct groups_got got = { 0 };
	struct sample samples[100];
	struct read_run runs[5];
	struct grouped_in in;
	struct tx *tx = NULL;
	struct spread s;

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	for (int r = 0; r < 4; r++) {
		runs[r] = spread_run(&s, arena_printf(t->arena, "r%d", r));
		for (int i = 0; i < 100;
			i++) /* of run r: r in the first half, 10 r in the second; run 3 NaN there */
			samples[i] = (struct sample){ i < 50 ? r : r == 3 ? NOT_A_NUMBER : 10 * r, i, i };
		spread_chunk(&s, runs[r].run_id, KEY, samples, 60);
		spread_tail(&s, runs[r].run_id, KEY, samples + 40, 60);
	}
	runs[4] = spread_run(&s, "empty");
	in = (struct grouped_in){ all_of(runs, 2), groups, 3 };
	in.series.run_count = 5;
	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_equal(ingest_grouped(tx, &in, take_group, &got), OK);
	tx_rollback(&tx);
	assert_true(got.n == 2 && got.group[0] == 0 && got.runs[0] == 3 && got.count[0] == 2);
	assert_true(got.points[0][0].x == 0 && got.points[0][1].x == 50 && got.points[0][1].count == 3);
	assert_true(got.points[0][1].mean == 10 && got.points[0][1].median == 10 &&
		    got.points[0][1].min == 0 && got.points[0][1].max == 20 && got.points[0][1].std == 10);
	assert_true(near(got.points[0][1].standard_error, 10 / sqrt(3)));
	assert_true(got.group[1] == 1 && got.runs[1] == 2 && got.points[1][0].count == 2);
	assert_true(
		got.points[1][0].median == 1.5 && got.points[1][1].count == 1 && got.points[1][1].std == 0);
	spread_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(whatever_rows_hold_a_series_its_buckets_are_the_models),
		pg_test(previews_draw_a_long_series_and_lose_no_extreme),
		pg_test(a_stretch_that_is_too_wide_or_may_hold_twins_is_read_exactly),
		pg_test(a_short_series_of_many_rows_is_given_exactly),
		pg_test(stretches_of_very_many_chunks_are_joined),
		pg_test(a_tail_that_nobody_compacts_is_bounded),
		pg_test(many_series_are_read_some_at_a_time),
		pg_test(relative_time_counts_from_the_start_or_from_the_first_sample),
		pg_test(a_metric_over_another_pairs_the_last_samples_of_steps),
		pg_test(groups_are_statistics_of_the_means_of_their_runs),
	};
	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
