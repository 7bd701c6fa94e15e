#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "ingest/samples.h"
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

static void
few_samples_are_their_own_buckets(void **state)
{
	const struct sample s[] = { { 1, 10, 1 }, { 2, 20, 2 }, { NOT_A_NUMBER, 30, 2 } };
	struct bucket *b;
	size_t n;

	(void)state;
	assert_int_equal(ingest_buckets(&cx, s, 3, 3, &b, &n), OK);
	assert_int_equal(n, 3);
	assert_true(b[1].first == 2 && b[1].last == 2 && b[1].min == 2 && b[1].max == 2 && b[1].mean == 2 &&
		    b[1].count == 1);
	assert_true(b[1].step_lo == 2 && b[1].step_hi == 2 && b[1].time_lo_unix_ms == 20);
	assert_true(isnan(b[2].min) && isnan(b[2].mean));
	assert_int_equal(ingest_buckets(&cx, NULL, 0, 3, &b, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(ingest_buckets(&cx, s, 3, 0, &b, &n), INVALID);
}

static void
buckets_keep_extremes_and_counts(void **state)
{
	struct sample s[1000];
	struct bucket *b;
	size_t n;
	int64_t count = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		s[i] = (struct sample){ i % 10 == 3 ? NOT_A_NUMBER : (double)i, 1000 + i, i };
	s[517].value = -5;
	s[518].value = 5000;
	assert_int_equal(ingest_buckets(&cx, s, 1000, 10, &b, &n), OK);
	assert_int_equal(n, 10);
	for (size_t i = 0; i < n; i++) {
		count += b[i].count;
		assert_int_equal(b[i].count, 100);
		assert_int_equal(b[i].step_lo, i * 100);
		assert_int_equal(b[i].step_hi, i * 100 + 99);
		assert_true(b[i].first == (double)(i * 100) && b[i].last == (double)(i * 100 + 99));
	}
	assert_int_equal(count, 1000);
	assert_true(b[5].min == -5 && b[5].max == 5000);
	assert_true(b[0].min == 0 && b[0].max == 99);
	assert_true(fabs(b[0].mean - (4950.0 - 480.0) / 90.0) < 1e-9);
}

static void
gaps_leave_buckets_out_and_extremes_of_int64_are_fine(void **state)
{
	const struct sample s[] = { { 1, 0, INT64_MIN }, { 2, 0, INT64_MIN + 1 }, { 3, 0, 0 },
		{ 4, 0, INT64_MAX } };
	struct bucket *b;
	size_t n;

	(void)state;
	assert_int_equal(ingest_buckets(&cx, s, 4, 3, &b, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(b[0].count, 2);
	assert_true(b[2].step_lo == INT64_MAX);
}

static void
samples_of_one_step_are_cut_by_time(void **state)
{
	struct sample s[100];
	struct bucket *b;
	size_t n;

	(void)state;
	for (int i = 0; i < 100; i++)
		s[i] = (struct sample){ i, 1000 + i * 10, 0 };
	assert_int_equal(ingest_buckets(&cx, s, 100, 5, &b, &n), OK);
	assert_int_equal(n, 5);
	assert_true(b[1].time_lo_unix_ms == 1200 && b[1].time_hi_unix_ms == 1390 && b[1].count == 20);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nan_sorts_as_zero_and_equals_itself),
		T(exact_duplicates_are_dropped),
		T(few_samples_are_their_own_buckets),
		T(buckets_keep_extremes_and_counts),
		T(gaps_leave_buckets_out_and_extremes_of_int64_are_fine),
		T(samples_of_one_step_are_cut_by_time),
	};

	if (!hash_setup())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
