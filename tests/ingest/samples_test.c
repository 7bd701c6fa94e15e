#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "ingest/buckets.h"
#include <cmocka.h>

#define NOT_A_NUMBER ((double)NAN)

static struct ctx cx;

static int
setup(void **state)
{
	(void)state;
	ctx_init(&cx, arena_new(), NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(cx.arena);
	return 0;
}

static void
nan_sorts_as_zero_and_equals_itself(void **state)
{
	(void)state;
	assert_int_equal(sample_compare_value(NOT_A_NUMBER, NOT_A_NUMBER), 0);
	assert_int_equal(sample_compare_value(-0.0, 0.0), 0);
	assert_true(sample_compare_value(-1, NOT_A_NUMBER) < 0);
	assert_true(sample_compare_value(NOT_A_NUMBER, 1) < 0);
	assert_true(sample_compare_value(0.0, NOT_A_NUMBER) != 0);
	assert_int_equal(sample_compare_value(0.0, NOT_A_NUMBER), -sample_compare_value(NOT_A_NUMBER, 0.0));
	assert_true(sample_compare_value(-(double)INFINITY, NOT_A_NUMBER) < 0);
}

static void
exact_duplicates_are_dropped(void **state)
{
	struct sample s[] = { { 1, 10, 2 }, { 1, 10, 1 }, { 1, 10, 2 }, { NOT_A_NUMBER, 10, 1 },
		{ NOT_A_NUMBER, 10, 1 }, { -0.0, 10, 1 }, { 0.0, 10, 1 }, { 1, 11, 1 } };

	(void)state;
	assert_int_equal(samples_settle(s, 8, sample_compare_stored), 5);
	assert_true(s[0].value == 0.0 && isnan(s[1].value) && s[2].value == 1 && s[2].time_unix_ms == 10);
	assert_true(s[3].time_unix_ms == 11 && s[4].step == 2);
	assert_int_equal(samples_settle(s, 5, sample_compare_stored), 5);
	assert_int_equal(samples_settle(NULL, 0, sample_compare_stored), 0);
}

/* ---- bins ---- */

static size_t
cut(const struct sample *s, size_t n, const struct grid *g, struct bucket *out)
{
	struct bins bins = { 0 };
	size_t made;

	bins_reset(&bins, g);
	bins_add(&bins, s, n);
	made = bins_take(&bins, out);
	bins_fini(&bins);
	return made;
}

static void
bins_keep_extremes_and_counts(void **state)
{
	const struct grid g = grid_make(false, 0, 999, 10);
	struct sample s[1000];
	struct bucket b[10];
	int64_t count = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		s[i] = (struct sample){ i % 10 == 3 ? NOT_A_NUMBER : (double)i, 1000 + i, i };
	s[517].value = -5;
	s[518].value = 5000;
	assert_int_equal(cut(s, 1000, &g, b), 10);
	for (size_t i = 0; i < 10; i++) {
		count += b[i].count;
		assert_int_equal(b[i].count, 100);
		assert_int_equal(b[i].step_lo, i * 100);
		assert_int_equal(b[i].step_hi, i * 100 + 99);
		assert_int_equal(b[i].time_lo_unix_ms, 1000 + i * 100);
		assert_true(b[i].first == (double)(i * 100) && b[i].last == (double)(i * 100 + 99));
	}
	assert_int_equal(count, 1000);
	assert_true(b[5].min == -5 && b[5].max == 5000);
	assert_true(b[0].min == 0 && b[0].max == 99);
	assert_true(fabs(b[0].mean - (4950.0 - 480.0) / 90.0) < 1e-9);
}

static void
bins_of_nan_and_infinities_say_so(void **state)
{
	const struct grid g = grid_make(false, 0, 2, 3);
	const struct sample s[] = { { NOT_A_NUMBER, 1, 0 }, { NOT_A_NUMBER, 2, 0 },
		{ (double)INFINITY, 1, 1 }, { NOT_A_NUMBER, 3, 1 }, { -(double)INFINITY, 1, 2 },
		{ 1, 2, 2 } };
	struct bucket b[3];

	(void)state;
	assert_int_equal(cut(s, 6, &g, b), 3);
	assert_true(isnan(b[0].min) && isnan(b[0].max) && isnan(b[0].mean) && b[0].count == 2);
	assert_true(b[1].min == (double)INFINITY && b[1].max == (double)INFINITY && isnan(b[1].last));
	assert_true(b[2].min == -(double)INFINITY && b[2].max == 1 && b[2].mean == -(double)INFINITY);
}

static void
gaps_leave_bins_out_and_extremes_of_int64_are_fine(void **state)
{
	const struct grid g = grid_make(false, INT64_MIN, INT64_MAX, 3);
	const struct sample s[] = { { 1, 0, INT64_MIN }, { 2, 0, INT64_MIN + 1 }, { 4, 0, INT64_MAX } };
	struct bucket b[3];

	(void)state;
	assert_int_equal(cut(s, 3, &g, b), 2);
	assert_int_equal(b[0].count, 2);
	assert_true(b[1].step_lo == INT64_MAX);
}

static void
parts_of_a_grid_are_equal_and_meet(void **state)
{
	static const int64_t ranges[][2] = { { 0, 0 }, { -7, 5 }, { 0, 4999 }, { 0, 12345678901 },
		{ INT64_MIN, INT64_MAX }, { INT64_MIN, INT64_MIN + 17 }, { INT64_MAX - 9999, INT64_MAX },
		{ -1, INT64_MAX } };
	static const size_t parts[] = { 1, 2, 3, 7, 500, 4999, 5000 };

	(void)state;
	for (size_t r = 0; r < sizeof(ranges) / sizeof(*ranges); r++)
		for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++) {
			const struct grid g = grid_make(false, ranges[r][0], ranges[r][1], parts[p]);
			uint64_t each = ((uint64_t)g.hi - (uint64_t)g.lo) / g.n;

			assert_true(g.n >= 1 && g.n <= parts[p]);
			assert_true(grid_edge(&g, 0) == g.lo && grid_part(&g, g.lo) == 0);
			assert_int_equal(grid_part(&g, g.hi), g.n - 1);
			for (size_t i = 1; i < g.n; i++) {
				int64_t edge = grid_edge(&g, i);
				uint64_t width = (uint64_t)edge - (uint64_t)grid_edge(&g, i - 1);

				assert_true(width >= each && width <= each + 1 + (each == 0));
				assert_int_equal(grid_part(&g, edge), i);
				assert_int_equal(grid_part(&g, edge - 1), i - 1);
			}
		}
}

static void
bins_by_time_and_of_previews_are_joined(void **state)
{
	const struct grid g = grid_make(true, 0, 99, 4);
	struct bins bins = { 0 };
	struct sample s[100];
	struct bucket b[4];
	struct preview p;

	(void)state;
	for (int i = 0; i < 100; i++)
		s[i] = (struct sample){ i, i, 500 - i };
	preview_start(&p, &s[30]);
	for (int i = 31; i < 40; i++)
		preview_add(&p, &s[i]);
	bins_reset(&bins, &g);
	bins_add_preview(&bins, &p);
	bins_add(&bins, s, 30);
	bins_add(&bins, s + 40, 60);
	assert_int_equal(bins_take(&bins, b), 4);
	assert_true(b[1].count == 25 && b[1].first == 25 && b[1].last == 49 && b[1].mean == 37 &&
		    b[1].min == 25 && b[1].max == 49);
	assert_true(b[1].time_lo_unix_ms == 25 && b[1].step_lo == 451 && b[1].step_hi == 475);
	bins_fini(&bins);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nan_sorts_as_zero_and_equals_itself),
		T(exact_duplicates_are_dropped),
		T(bins_keep_extremes_and_counts),
		T(bins_of_nan_and_infinities_say_so),
		T(gaps_leave_bins_out_and_extremes_of_int64_are_fine),
		T(parts_of_a_grid_are_equal_and_meet),
		T(bins_by_time_and_of_previews_are_joined),
	};

	if (!hash_setup())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
