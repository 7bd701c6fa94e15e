/* The sender against a server of faults: what was queued arrives, or is counted as lost. */
#include "client/cm.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cairn/cairn.h"
#include "client/injector.h"

#define PATIENCE_MS 60000

static cairn_client *client;
static cairn_run *run;
static char noticed[4096];

static void
take_notice(void *arg, const char *sentence)
{
	size_t n = strlen(noticed);

	(void)arg;
	snprintf(noticed + n, sizeof(noticed) - n, "%s\n", sentence);
}

static void
open_run(cairn_options o)
{
	o.address = injector_address();
	o.token = "cairn_secret";
	o.notice = take_notice;
	assert_int_equal(cairn_open(&o, &client), CAIRN_OK);
	assert_int_equal(cairn_run_resume(client, "r1", &run), CAIRN_OK);
}

static int
setup(void **state)
{
	(void)state;
	alarm(120);
	noticed[0] = '\0';
	injector_clear();
	injector_start(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	injector_stop();
	cairn_run_free(run);
	cairn_close(client);
	run = NULL;
	client = NULL;
	return 0;
}

static void
log_points(int64_t from, int64_t to)
{
	for (int64_t step = from; step < to; step++)
		assert_int_equal(cairn_run_metric(run, "loss", 1.0 / (double)(step + 1), step), CAIRN_OK);
}

static void
every_point_arrived_once(int64_t n)
{
	for (int64_t step = 0; step < n; step++)
		if (injector_seen(step) != 1)
			fail_msg("step %lld arrived %u times", (long long)step, injector_seen(step));
}

static void
points_travel_in_batches(void **state)
{
	cairn_run_counts n;
	struct injected got;

	(void)state;
	open_run((cairn_options){ 0 });
	log_points(0, 20000);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	every_point_arrived_once(20000);
	got = injector_counts();
	cairn_run_stats(run, &n);
	assert_int_equal(got.points, 20000);
	assert_int_equal(got.largest, 1000);
	assert_in_range(got.requests, 20, 60);
	assert_string_equal(got.last_authorization, "Bearer cairn_secret");
	assert_int_equal(n.sent, 20000);
	assert_int_equal(n.queued, 0);
	assert_int_equal(n.dropped, 0);
}

static void
the_connection_is_kept(void **state)
{
	(void)state;
	open_run((cairn_options){ 0 });
	for (int i = 0; i < 20; i++) {
		log_points(i, i + 1);
		assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	}
	assert_int_equal(injector_counts().requests, 20);
	assert_int_equal(injector_counts().connections, 1);
}

static void
a_busy_or_failing_server_is_asked_again(void **state)
{
	const int kinds[] = { 503, 500, 502, 504, 408, 429, FAULT_CUT, FAULT_CUT };
	cairn_run_counts n;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		injector_fault(kinds[i], 1);
	open_run((cairn_options){ 0 });
	log_points(0, 500);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	every_point_arrived_once(500);
	cairn_run_stats(run, &n);
	assert_int_equal(n.sent, 500);
	assert_int_equal(n.dropped, 0);
	assert_in_range(n.retries, 6,
		8); /* libcurl repeats a request that a kept connection swallowed, once, by itself */
	assert_int_equal(injector_counts().requests, 9);
	assert_int_equal(n.last_code, CAIRN_ENETWORK);
	assert_non_null(strstr(noticed, "the server is back"));
}

static void
a_restart_of_the_server_loses_nothing(void **state)
{
	uint16_t port;

	(void)state;
	open_run((cairn_options){ 0 });
	log_points(0, 3000);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	port = injector_port();
	injector_stop();
	log_points(3000, 6000);
	assert_int_equal(cairn_run_flush(run, 300), CAIRN_ETIMEOUT);
	injector_start(port);
	log_points(6000, 7000);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	every_point_arrived_once(7000);
}

static void
one_bad_point_does_not_take_the_others_with_it(void **state)
{
	char message[256];
	cairn_run_counts n;

	(void)state;
	injector_poison("poison");
	open_run((cairn_options){ 0 });
	cairn_run_param(run, "rate", "0.1");
	log_points(0, 600);
	cairn_run_metric(run, "poison", 1, 99999);
	log_points(600, 900);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_EINVAL);
	every_point_arrived_once(900);
	cairn_run_stats(run, &n);
	assert_int_equal(n.sent, 901);
	assert_int_equal(n.dropped, 1);
	assert_int_equal(n.retries, 0);
	assert_string_equal(n.last_error, "poisoned");
	assert_int_equal(cairn_run_error(run, message, sizeof(message)), CAIRN_EINVAL);
	assert_string_equal(message, "poisoned");
}

static void
a_refused_user_is_not_tried_again(void **state)
{
	cairn_run_counts n;

	(void)state;
	injector_fault(401, 1);
	open_run((cairn_options){ 0 });
	log_points(0, 100);
	assert_int_equal(cairn_run_end(run, CAIRN_FINISHED), CAIRN_EDENIED);
	cairn_run_stats(run, &n);
	assert_int_equal(n.dropped, 100);
	assert_int_equal(n.queued, 0);
	assert_int_equal(n.requests, 1);
	assert_int_equal(n.last_code, CAIRN_EDENIED);
}

static void
the_end_gives_up_when_the_server_stays_away(void **state)
{
	char message[1024];
	uint16_t port;

	(void)state;
	open_run((cairn_options){ .end_timeout_ms = 500 });
	port = injector_port();
	injector_stop();
	log_points(0, 10);
	assert_int_equal(cairn_run_end(run, CAIRN_FINISHED), CAIRN_ETIMEOUT);
	cairn_run_error(run, message, sizeof(message));
	assert_non_null(strstr(message, "10 items still wait"));
	assert_non_null(strstr(message, "was not reached"));
	injector_start(port); /* the sender did not give up: a second try ends it */
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	assert_int_equal(cairn_run_end(run, CAIRN_FINISHED), CAIRN_OK);
	every_point_arrived_once(10);
}

static void
a_full_queue_forgets_the_oldest_and_never_blocks(void **state)
{
	cairn_run_counts n;
	uint16_t port;

	(void)state;
	open_run((cairn_options){ .queue_points = 2000 });
	port = injector_port();
	injector_stop();
	log_points(0, 50000);
	cairn_run_stats(run, &n);
	assert_int_equal(n.queued + n.dropped, 50000);
	assert_in_range(n.dropped, 47000, 48000); /* a batch of 1000 may be in flight beside the 2000 */
	injector_start(port);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_ECONFLICT);
	cairn_run_stats(run, &n);
	assert_int_equal(n.sent + n.dropped, 50000);
	assert_int_equal(injector_counts().points, n.sent);
	assert_int_equal(injector_seen(49999), 1);
}

static void
a_full_queue_may_refuse_the_newest(void **state)
{
	cairn_run_counts n;
	int full = 0;

	(void)state;
	open_run((cairn_options){ .queue_points = 2000, .drop = CAIRN_DROP_NEWEST });
	injector_stop();
	for (int64_t step = 0; step < 5000; step++)
		full += cairn_run_metric(run, "loss", 1, step) == CAIRN_ECONFLICT;
	cairn_run_stats(run, &n);
	assert_in_range(full, 2000, 3000);
	assert_int_equal(n.dropped, full);
	assert_int_equal(n.queued, 5000 - full);
}

static void
freeing_a_run_does_not_wait_for_a_server_that_hangs(void **state)
{
	(void)state;
	injector_fault(FAULT_HANG, 1);
	open_run((cairn_options){ 0 });
	log_points(0, 10);
	assert_int_equal(cairn_run_flush(run, 500), CAIRN_ETIMEOUT);
	cairn_run_free(run);
	run = NULL;
}

static void
every_double_travels_to_the_last_bit(void **state)
{
	static const struct injected_point sent[] = { { "a", -0.0, 7, 1 }, { "b", (double)INFINITY, 7, 2 },
		{ "c", -(double)INFINITY, INT64_MAX, INT64_MAX }, { "d", 0.1, 0, INT64_MIN },
		{ "gr\xc3\xb6\xc3\x9f"
		  "e",
			5e-324, 7, 5 } };
	struct injected got;

	(void)state;
	open_run((cairn_options){ 0 });
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		cairn_run_metric_at(run, sent[i].key, sent[i].value, sent[i].step, sent[i].unix_ms);
	cairn_run_metric_at(run, "nan", (double)NAN, 6, 7);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	got = injector_counts();
	assert_int_equal(got.columns, 1);
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		assert_string_equal(got.last_points[i].key, sent[i].key);
		assert_memory_equal(&got.last_points[i].value, &sent[i].value, sizeof(double));
		assert_true(got.last_points[i].step == sent[i].step &&
			    got.last_points[i].unix_ms == sent[i].unix_ms);
	}
	assert_true(isnan(got.last_points[5].value));
}

static void
a_server_without_columns_gets_json(void **state)
{
	cairn_run_counts n;

	(void)state;
	injector_old(true);
	open_run((cairn_options){ 0 });
	cairn_run_param(run, "rate", "0.1");
	log_points(0, 2500);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	every_point_arrived_once(2500);
	cairn_run_stats(run, &n);
	assert_int_equal(n.sent, 2501);
	assert_int_equal(n.dropped, 0);
	assert_int_equal(injector_counts().columns, 0);
	assert_int_equal(n.requests, injector_counts().requests + 1); /* it was asked once */
}

static void
doubles_of_json_are_written_so_that_they_are_read_back(void **state)
{
	struct injected got;

	(void)state;
	injector_old(true);
	setlocale(LC_ALL,
		"de_DE.UTF-8"); /* where it is installed, a decimal comma must not get into the JSON */
	open_run((cairn_options){ 0 });
	cairn_run_metric_at(run, "a", NAN, 1, 7);
	cairn_run_metric_at(run, "b", INFINITY, 2, 7);
	cairn_run_metric_at(run, "c", -INFINITY, 3, 7);
	cairn_run_metric_at(run, "d", 0.1, -4, 7);
	cairn_run_metric_at(run, "e", 5e-324, 5, 7);
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	setlocale(LC_ALL, "C");
	got = injector_counts();
	assert_string_equal(got.last_body,
		"{\"run_id\":\"r1\",\"metrics\":["
		"{\"key\":\"a\",\"value\":\"NaN\",\"timestamp\":7,\"step\":1},"
		"{\"key\":\"b\",\"value\":\"Infinity\",\"timestamp\":7,\"step\":2},"
		"{\"key\":\"c\",\"value\":\"-Infinity\",\"timestamp\":7,\"step\":3},"
		"{\"key\":\"d\",\"value\":0.1,\"timestamp\":7,\"step\":-4},"
		"{\"key\":\"e\",\"value\":5e-324,\"timestamp\":7,\"step\":5}]}");
}

static void
many_parameters_are_spread_over_requests(void **state)
{
	char key[32];

	(void)state;
	open_run((cairn_options){ 0 });
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "p%d", i);
		assert_int_equal(cairn_run_param(run, key, "v"), CAIRN_OK);
	}
	assert_int_equal(cairn_run_flush(run, PATIENCE_MS), CAIRN_OK);
	assert_int_equal(injector_counts().params, 1000);
	assert_in_range(injector_counts().requests, 10, 20);
}

static void
a_forked_child_touches_nothing_of_its_parent(void **state)
{
	cairn_run_counts n;
	int status = -1;
	pid_t pid;

	(void)state;
	open_run((cairn_options){ 0 });
	log_points(0, 10);
	pid = fork();
	if (pid == 0) {
		int wrong = cairn_run_metric(run, "loss", 1, 11) != CAIRN_EINVAL;

		wrong += cairn_run_flush(run, 1000) != CAIRN_EINVAL;
		wrong += cairn_run_end(run, CAIRN_FAILED) != CAIRN_EINVAL;
		cairn_run_free(run);
		cairn_close(client);
		_exit(wrong);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(cairn_run_end(run, CAIRN_FINISHED), CAIRN_OK);
	cairn_run_stats(run, &n);
	assert_int_equal(n.sent, 10);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(points_travel_in_batches),
		CASE(the_connection_is_kept),
		CASE(a_busy_or_failing_server_is_asked_again),
		CASE(a_restart_of_the_server_loses_nothing),
		CASE(one_bad_point_does_not_take_the_others_with_it),
		CASE(a_refused_user_is_not_tried_again),
		CASE(the_end_gives_up_when_the_server_stays_away),
		CASE(a_full_queue_forgets_the_oldest_and_never_blocks),
		CASE(a_full_queue_may_refuse_the_newest),
		CASE(freeing_a_run_does_not_wait_for_a_server_that_hangs),
		CASE(every_double_travels_to_the_last_bit),
		CASE(a_server_without_columns_gets_json),
		CASE(doubles_of_json_are_written_so_that_they_are_read_back),
		CASE(many_parameters_are_spread_over_requests),
		CASE(a_forked_child_touches_nothing_of_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
