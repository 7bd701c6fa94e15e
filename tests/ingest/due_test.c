#include "ingest/due.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include "base/clock.h"

static int64_t
take(struct due *d)
{
	struct due_run run = { 0 };

	return due_take(d, 0, &run) ? run.run_id : 0;
}

static void
a_run_is_due_with_many_rows_or_many_points(void **state)
{
	struct due *d = due_new();

	(void)state;
	due_note(d, 1, DUE_ROWS - 1, 1000);
	due_note(d, 2, 1, DUE_POINTS - 1);
	assert_int_equal(take(d), 0);
	due_note(d, 2, 1, 1);
	due_note(d, 1, 1, 1);
	assert_int_equal(take(d), 2);
	assert_int_equal(take(d), 1);
	assert_int_equal(take(d), 0);
	due_note(d, 1, DUE_ROWS - 1, 1); /* what was taken does not count again */
	assert_int_equal(take(d), 0);
	due_free(d);
}

static void
a_long_tail_is_first_in_line(void **state)
{
	struct due *d = due_new();

	(void)state;
	due_note(d, 1, DUE_ROWS, 1);
	due_note(d, 2, DUE_ROWS, 1);
	due_note(d, 3, 1, DUE_POINTS * DUE_URGENT);
	due_note(d, 2, DUE_ROWS * DUE_URGENT, 1);
	assert_int_equal(take(d), 2);
	assert_int_equal(take(d), 3);
	assert_int_equal(take(d), 1);
	due_free(d);
}

static void
a_run_that_ends_is_due_at_once(void **state)
{
	struct due *d = due_new();
	struct due_run run;

	(void)state;
	due_note(d, 1, 1, 1);
	due_now(d, 1, true);
	due_now(d, 2, false);
	due_note(d, 2, 1, 1);
	assert_true(due_take(d, 0, &run));
	assert_int_equal(run.run_id, 1);
	assert_true(run.settle);
	assert_true(due_take(d, 0, &run));
	assert_int_equal(run.run_id, 2);
	assert_false(run.settle);
	assert_false(due_take(d, 0, &run));
	due_free(d);
}

static void
a_run_put_off_waits_and_its_end_is_not_forgotten(void **state)
{
	struct due *d = due_new();
	struct due_run run = { 0 };
	int64_t begin = clock_mono_ms();

	(void)state;
	due_later(d, 1, true, 30);
	due_later(d, 2, false, 10000);
	due_later(d, 3, false, 60000);
	assert_int_equal(take(d), 0);
	assert_true(due_take(d, begin + 20000, &run));
	assert_true(clock_mono_ms() - begin >= 30);
	assert_int_equal(run.run_id, 1);
	assert_true(run.settle);
	due_now(d, 3, false);
	assert_int_equal(take(d), 3);
	assert_int_equal(take(d), 0);
	due_free(d);
}

static void
many_runs_are_all_taken_in_their_order(void **state)
{
	struct due *d = due_new();

	(void)state;
	for (int64_t i = 1; i <= 5000; i++)
		due_note(d, i * 7919, 1, 1);
	for (int64_t i = 1; i <= 5000; i++)
		due_note(d, i * 7919, DUE_ROWS, 1);
	for (int64_t i = 1; i <= 5000; i++)
		assert_int_equal(take(d), i * 7919);
	assert_int_equal(take(d), 0);
	due_free(d);
}

static void
memory_has_an_end(void **state)
{
	struct due *d = due_new();
	int64_t n = 0;

	(void)state;
	for (int64_t i = 1; i <= DUE_MOST + 10; i++)
		due_now(d, i, false);
	while (take(d) != 0)
		n++;
	assert_int_equal(n, DUE_MOST);
	due_free(d);
}

static void *
stop_soon(void *arg)
{
	due_stop(arg);
	return NULL;
}

static void
stopping_ends_every_wait(void **state)
{
	struct due *d = due_new();
	struct due_run run;
	pthread_t thread;

	(void)state;
	due_note(d, 1, DUE_ROWS, 1);
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, d), 0);
	assert_false(due_pause(d, clock_mono_ms() + 600000));
	assert_false(due_take(d, clock_mono_ms() + 600000, &run));
	assert_true(due_stopped(d));
	(void)pthread_join(thread, NULL);
	due_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_due_with_many_rows_or_many_points),
		cmocka_unit_test(a_long_tail_is_first_in_line),
		cmocka_unit_test(a_run_that_ends_is_due_at_once),
		cmocka_unit_test(a_run_put_off_waits_and_its_end_is_not_forgotten),
		cmocka_unit_test(many_runs_are_all_taken_in_their_order),
		cmocka_unit_test(memory_has_an_end),
		cmocka_unit_test(stopping_ends_every_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
