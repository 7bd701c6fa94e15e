/*
 * Histories, tiles and samples over tail rows, chunks and bundles, against the plainest model: all points in one array, sorted,
 * twins dropped.
 */
#include "ingest/points.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "ingest/samples.h"
#include "store/tx.h"

#define KEY  3
#define MOST 4000

/* ---- helpers ---- */

static bool
same(const struct sample *a, const struct sample *b)
{
	return sample_compare_stored(a, b) == 0;
}

static void
assert_samples(const struct sample *got, size_t n, const struct sample *want, size_t want_n)
{
	assert_int_equal(n, want_n);
	for (size_t i = 0; i < n; i++)
		if (!same(&got[i], &want[i]))
			fail_msg("sample %zu: step %lld time %lld value %g, not %lld %lld %g", i,
				(long long)got[i].step, (long long)got[i].time_unix_ms, got[i].value,
				(long long)want[i].step, (long long)want[i].time_unix_ms, want[i].value);
}

static void
read_pages(struct spread *s, const struct read_run *run, size_t page, const struct sample *want, size_t n)
{
	const struct sample *after = NULL;
	struct sample last, *got;
	size_t at = 0, got_n;

	do {
		struct tx *tx = NULL;

		assert_int_equal(tx_begin_snapshot(&s->t->cx, &tx), OK);
		assert_int_equal(ingest_history(tx, run, "k", after, page, &got, &got_n), OK);
		tx_rollback(&tx);
		assert_true(got_n <= page + 1);
		assert_samples(got, got_n, want + at, n - at < page + 1 ? n - at : page + 1);
		if (got_n <= page)
			return;
		at += page;
		last = got[page - 1];
		after = &last;
	} while (true);
}

struct collected {
	struct sample samples[3 * MOST];
	size_t run[3 * MOST];
	size_t n;
};

static enum status
collect(void *arg, size_t run, const struct sample *samples, size_t n)
{
	struct collected *c = arg;

	for (size_t i = 0; i < n; i++) {
		assert_true(c->n < 3 * MOST);
		c->run[c->n] = run;
		c->samples[c->n++] = samples[i];
	}
	return OK;
}

/* As the protocol says it: NTILE over the rows, the first of each tile, the last row always. */
static size_t
ntile(const struct sample *samples, size_t n, size_t most, struct sample *out)
{
	size_t tiles = n < most ? n : most, at = 0;

	for (size_t t = 0; t < tiles; t++) {
		out[t] = samples[at];
		at += n / tiles + (t < n % tiles);
	}
	if (n > most)
		out[tiles - 1] = samples[n - 1];
	return tiles;
}

static void
read_tiles(struct spread *s, const struct read_run *run, int64_t lo, int64_t hi, size_t most,
	const struct sample *stored, size_t n)
{
	static struct collected got;
	static struct sample want[3 * MOST];
	struct sample *in = arena_array(s->t->arena, n + 1, sizeof(*in));
	struct tx *tx = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (stored[i].step >= lo && stored[i].step <= hi)
			in[kept++] = stored[i];
	got.n = 0;
	assert_int_equal(tx_begin_snapshot(&s->t->cx, &tx), OK);
	assert_int_equal(ingest_tiles(tx, run, 1, "k", lo, hi, most, collect, &got), OK);
	tx_rollback(&tx);
	assert_samples(got.samples, got.n, want, ntile(in, kept, most, want));
}

/* ---- random series ---- */

enum shape { APPENDED, RESUMED, ONE_STEP, WILD, SHAPES };

static struct sample
random_sample(uint64_t *seed, enum shape shape, size_t i)
{
	static const int64_t edges[] = { INT64_MIN, INT64_MAX, 0, -1, INT64_MIN + 1 };
	static const double values[] = { (double)NAN, (double)INFINITY, -(double)INFINITY, 0.0, -0.0, 1e308 };
	struct sample s = { (double)(spread_random(seed) % 100) / 8, (int64_t)i * 10, (int64_t)i };

	if (shape == RESUMED)
		s.step = (int64_t)(i % 700);
	if (shape == ONE_STEP)
		s.step = 0;
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

/* Cut into rows of every kind, some of them stored twice. */
static void
store_somehow(struct spread *s, int64_t run_id, uint64_t *seed, const struct sample *samples, size_t n)
{
	for (size_t at = 0; at < n;) {
		size_t len = 1 + spread_random(seed) % 600, again = spread_random(seed) % 5 == 0 ? 2 : 1;

		if (len > n - at)
			len = n - at;
		for (; again > 0; again--)
			switch (spread_random(seed) % 4) {
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

static void
whatever_rows_hold_a_series_its_history_and_tiles_are_the_models(void **state)
{
	static const size_t pages[] = { 1, 7, 100, 1000, 100000 };
	static struct sample samples[MOST];
	struct pg_test *t = *state;
	struct spread s;
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	spread_key(&s, 0, KEY + 1, "other");
	for (int round = 0; round < 12; round++) {
		enum shape shape = (enum shape)(round % SHAPES);
		size_t n = 1 + spread_random(&seed) % MOST, by_time_n, stored_n;
		struct read_run run = spread_run(&s, arena_printf(t->arena, "r%d", round));
		struct sample *by_time, *stored;

		for (size_t i = 0; i < n; i++)
			samples[i] = random_sample(&seed, shape, i);
		store_somehow(&s, run.run_id, &seed, samples, n);
		by_time = spread_settled(&s, samples, n, true, &by_time_n);
		stored = spread_settled(&s, samples, n, false, &stored_n);
		for (size_t p = 0; p < sizeof(pages) / sizeof(*pages); p++)
			if (by_time_n / pages[p] < 60)
				read_pages(&s, &run, pages[p], by_time, by_time_n);
		read_tiles(&s, &run, INT64_MIN, INT64_MAX, 1, stored, stored_n);
		read_tiles(&s, &run, INT64_MIN, INT64_MAX, 100, stored, stored_n);
		read_tiles(&s, &run, INT64_MIN, INT64_MAX, 2 * MOST, stored, stored_n);
		read_tiles(&s, &run, 17, 250, 20, stored, stored_n);
		read_tiles(&s, &run, INT64_MAX, INT64_MAX, 5, stored, stored_n);
	}
	spread_fini(&s);
}

static void
several_histories_stop_at_their_limit(void **state)
{
	static struct collected got;
	struct pg_test *t = *state;
	struct sample samples[300];
	struct read_run runs[40];
	struct tx *tx = NULL;
	struct spread s;

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	for (int i = 0; i < 300; i++)
		samples[i] = (struct sample){ i, i, i };
	for (int r = 0; r < 40; r++) {
		runs[r] = spread_run(&s, arena_printf(t->arena, "r%d", r));
		if (r % 3 == 0)
			spread_chunk(&s, runs[r].run_id, KEY, samples, 200);
		if (r % 3 != 1)
			spread_tail(&s, runs[r].run_id, KEY, samples + 150, 150);
	}
	for (size_t limit = 0; limit < 8000; limit = limit * 3 + 100) {
		size_t at = 0;

		got.n = 0;
		assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
		assert_int_equal(ingest_histories(tx, runs, 40, "k", limit, collect, &got), OK);
		tx_rollback(&tx);
		for (size_t r = 0; r < 40; r++)
			for (size_t i = r % 3 == 0 ? 0 : r % 3 == 1 ? 300 : 150; i < 300; i++, at++)
				if (at < limit)
					assert_true(got.run[at] == r && same(&got.samples[at], &samples[i]));
		assert_int_equal(got.n, at < limit ? at : limit);
	}
	spread_fini(&s);
}

static void
a_run_of_another_experiment_has_its_own_numbers(void **state)
{
	struct pg_test *t = *state;
	struct sample one = { 1, 1, 1 }, two = { 2, 2, 2 }, *got;
	struct tx *tx = NULL;
	struct spread s;
	struct read_run run;
	size_t n;

	spread_init(&s, t);
	(void)pg_sql(t, "INSERT INTO cairn.experiment (experiment_id, name, artifact_location, "
			"created_unix_ms, updated_unix_ms) VALUES (7, 'other', '', 0, 0)");
	spread_key(&s, 0, KEY, "k");
	spread_key(&s, 7, KEY, "else");
	spread_key(&s, 7, 300, "k");
	run = spread_run(&s, "r");
	(void)pg_sql(t, "UPDATE cairn.run SET experiment_id = 7");
	run.experiment_id = 7;
	spread_tail(&s, run.run_id, KEY, &one, 1);
	spread_tail(&s, run.run_id, 300, &two, 1);
	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_equal(ingest_history(tx, &run, "k", NULL, 10, &got, &n), OK);
	assert_samples(got, n, &two, 1);
	assert_int_equal(ingest_history(tx, &run, "unknown", NULL, 10, &got, &n), OK);
	assert_int_equal(n, 0);
	tx_rollback(&tx);
	spread_fini(&s);
}

static void
a_damaged_chunk_is_an_error_not_a_gap(void **state)
{
	static const char *const tables[] = { "key_id > 0", "key_id < 0" };
	struct pg_test *t = *state;
	struct sample samples[300], *got;
	struct spread s;
	struct read_run run;
	size_t n;

	spread_init(&s, t);
	spread_key(&s, 0, KEY, "k");
	run = spread_run(&s, "r");
	for (int i = 0; i < 300; i++)
		samples[i] = (struct sample){ i, i, i };
	spread_chunk(&s, run.run_id, KEY, samples, 300);
	spread_bundle(&s, run.run_id, KEY, samples, 10, KEY + 1, samples, 1);
	for (int i = 0; i < 2; i++) {
		struct tx *tx = NULL;
		const char *undo = pg_sql(
			t, arena_printf(t->arena,
				   "SELECT encode(data, 'hex') FROM cairn.metric_chunk WHERE %s", tables[i]));

		(void)pg_sql(t, arena_printf(t->arena,
					"UPDATE cairn.metric_chunk SET data = set_byte(data, 9, "
					"get_byte(data, 9) # 1) "
					"WHERE %s",
					tables[i]));
		assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
		assert_int_equal(ingest_history(tx, &run, "k", NULL, 1000, &got, &n), INTERNAL);
		tx_rollback(&tx);
		(void)pg_sql(
			t, arena_printf(t->arena, "UPDATE cairn.metric_chunk SET data = '\\x%s' WHERE %s",
				   undo, tables[i]));
		assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
		assert_int_equal(ingest_history(tx, &run, "k", NULL, 1000, &got, &n), OK);
		assert_int_equal(n, 300);
		tx_rollback(&tx);
	}
	spread_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(whatever_rows_hold_a_series_its_history_and_tiles_are_the_models),
		pg_test(several_histories_stop_at_their_limit),
		pg_test(a_run_of_another_experiment_has_its_own_numbers),
		pg_test(a_damaged_chunk_is_an_error_not_a_gap),
	};
	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
