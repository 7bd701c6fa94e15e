#include "support/pg.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "store/query.h"
#include "store/tx.h"

static const struct statement one = { "test_one", "SELECT 1::bigint" };
static const struct statement sleep_for = { "test_sleep", "SELECT pg_sleep($1 / 1000.0)::text" };
static const struct statement backend = { "test_backend", "SELECT pg_backend_pid()" };
static const struct statement setting = { "test_setting", "SELECT current_setting($1)" };
static const struct statement write_tag = { "test_write",
	"INSERT INTO experiment_tag (experiment_id, key, value) VALUES (0, $1, '')" };

static enum status
ask(struct ctx *cx)
{
	struct tx *tx = NULL;
	struct query q;
	int64_t got = 0;
	enum status st;

	if ((st = tx_auto(cx, &tx)) != OK)
		return st;
	query_init(&q, tx, &one);
	if ((st = query_one(&q, row_read_int8, &got)) == OK)
		assert_int_equal(got, 1);
	tx_rollback(&tx);
	return st;
}

static enum status
write_in(struct tx *tx, const char *key)
{
	struct query q;

	query_init(&q, tx, &write_tag);
	query_text(&q, key);
	return query_run(&q, NULL);
}

static enum status
sleep_in(struct tx *tx, double seconds)
{
	struct query q;
	const char *text = NULL;

	query_init(&q, tx, &sleep_for);
	query_int8(&q, (int64_t)(seconds * 1000));
	return query_one(&q, row_read_text, &text);
}

static pid_t
backend_of(struct tx *tx)
{
	struct query q;
	int64_t pid = 0;

	query_init(&q, tx, &backend);
	assert_int_equal(query_one(&q, row_read_int8, &pid), OK);
	return (pid_t)pid;
}

static bool
becomes(struct pool *p, bool healthy)
{
	int64_t until = clock_mono_ms() + 10000;

	while (pool_healthy(p) != healthy && clock_mono_ms() < until)
		(void)usleep(20000);
	return pool_healthy(p) == healthy;
}

/* ---- settings ---- */

static void
is_setting(struct pg_test *t, const char *name, const char *want)
{
	struct tx *tx = NULL;
	struct query q;
	const char *got = NULL;

	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	query_init(&q, tx, &setting);
	query_text(&q, name);
	assert_int_equal(query_one(&q, row_read_text, &got), OK);
	assert_string_equal(got, want);
	assert_int_equal(tx_commit(&tx), OK);
}

static void
connections_carry_our_settings(void **state)
{
	struct pg_test *t = *state;

	is_setting(t, "search_path", "cairn");
	is_setting(t, "client_encoding", "UTF8");
	is_setting(t, "statement_timeout", "5s");
	is_setting(t, "lock_timeout", "10s");
	is_setting(t, "idle_in_transaction_session_timeout", "1min");
	is_setting(t, "application_name", "cairnd");
	assert_non_null(strstr(pool_conninfo(t->pool), "tcp_user_timeout='10000'"));
	assert_non_null(strstr(pool_conninfo(t->pool), "connect_timeout='3'"));
}

static void
what_the_user_set_is_kept(void **state)
{
	struct pg_test *t = *state;
	struct pool *ours = t->parts.pool;
	char conninfo[512];
	struct pool_options o = {
		.conninfo = conninfo, .size = 1, .acquire_timeout_ms = 2000, .statement_timeout_ms = 1000
	};

	(void)snprintf(conninfo, sizeof(conninfo),
		"%s application_name='it\\'s mine' connect_timeout=7 client_encoding=LATIN1 options='-c "
		"work_mem=1MB'",
		t->conninfo);
	t->parts.pool = pool_new(&o);
	is_setting(t, "application_name", "it's mine");
	is_setting(t, "work_mem", "1MB");
	is_setting(t, "client_encoding", "UTF8");
	is_setting(t, "search_path", "cairn");
	assert_non_null(strstr(pool_conninfo(t->parts.pool), "connect_timeout='7'"));
	pool_free(t->parts.pool);
	t->parts.pool = ours;
}

static void
a_malformed_connection_string_is_a_sentence(void **state)
{
	struct pg_test *t = *state;
	struct pool *ours = t->parts.pool;
	struct pool_options o = { .conninfo = "nonsense", .size = 1, .acquire_timeout_ms = 100 };

	t->parts.pool = pool_new(&o);
	assert_int_equal(ask(&t->cx), INVALID);
	assert_non_null(strstr(t->cx.message, "malformed"));
	assert_null(strstr(t->cx.message, "nonsense"));
	pool_free(t->parts.pool);
	t->parts.pool = ours;
}

/* ---- bounds ---- */

static void
a_pool_that_is_all_lent_is_unavailable(void **state)
{
	struct pg_test *t = *state;
	struct connection *c[4], *more = NULL;
	int64_t start;
	struct pool *small;

	small = pg_pool(t, 4, 200, 5000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pool_acquire(small, &t->cx, &c[i]), OK);
	start = clock_mono_ms();
	assert_int_equal(pool_acquire(small, &t->cx, &more), UNAVAILABLE);
	assert_null(more);
	assert_true(clock_mono_ms() - start >= 190);
	assert_non_null(strstr(t->cx.message, "busy"));
	pool_release(small, c[3]);
	assert_int_equal(pool_acquire(small, &t->cx, &c[3]), OK);
	for (int i = 0; i < 4; i++)
		pool_release(small, c[i]);
	pool_release(small, NULL);
	pool_free(small);
}

struct worker {
	struct pg_test *t;
	pthread_t thread;
	int failures;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct arena *arena = arena_new();
	struct ctx cx;

	for (int i = 0; i < 100; i++) {
		ctx_init(&cx, arena, &w->t->parts);
		w->failures += ask(&cx) != OK;
		arena_reset(arena);
	}
	arena_free(arena);
	return NULL;
}

static void
many_threads_share_a_few_connections(void **state)
{
	struct pg_test *t = *state;
	struct worker workers[12];
	long backends;

	for (int i = 0; i < 12; i++) {
		workers[i] = (struct worker){ .t = t };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	backends =
		strtol(pg_sql(t, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cairnd'"),
			NULL, 10);
	for (int i = 0; i < 12; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	assert_true(backends <= 4);
}

static void
what_was_left_open_is_rolled_back(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(write_in(tx, "left open"), OK);
	tx_rollback(&tx);
	assert_string_equal(pg_sql(t, "SELECT count(*) FROM cairn.experiment_tag"), "0");
	assert_string_equal(
		pg_sql(t, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in trans%'"), "0");
}

/* ---- bad days ---- */

static void
statements_have_a_timeout(void **state)
{
	struct pg_test *t = *state;
	struct pool *ours = t->parts.pool;
	struct tx *tx = NULL;
	int64_t start = clock_mono_ms();

	t->parts.pool = pg_pool(t, 1, 1000, 200);
	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	assert_int_equal(sleep_in(tx, 30), TIMED_OUT);
	assert_true(clock_mono_ms() - start < 10000);
	assert_int_equal(sleep_in(tx, 0), OK); /* the connection is as good as before */
	assert_int_equal(tx_commit(&tx), OK);
	pool_free(t->parts.pool);
	t->parts.pool = ours;
}

static void
a_request_past_its_deadline_asks_nothing(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;

	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	assert_int_equal(sleep_in(tx, 0), OK);
	t->cx.deadline_mono_ms = clock_mono_ms() - 1;
	assert_int_equal(sleep_in(tx, 0), TIMED_OUT);
	assert_int_equal(ask(&t->cx), TIMED_OUT);
	t->cx.deadline_mono_ms = 0;
	assert_int_equal(sleep_in(tx, 0), OK);
	tx_rollback(&tx);
}

static void
a_commit_past_its_deadline_keeps_nothing(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(write_in(tx, "late"), OK);
	t->cx.deadline_mono_ms = clock_mono_ms() - 1;
	assert_int_equal(tx_commit(&tx), TIMED_OUT);
	assert_null(tx);
	assert_string_equal(pg_sql(t, "SELECT count(*) FROM cairn.experiment_tag"), "0");
}

static void
a_backend_that_hangs_does_not_hang_us(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;
	int64_t start;
	pid_t pid;

	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	pid = backend_of(tx);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	start = clock_mono_ms();
	t->cx.deadline_mono_ms = start + 300;
	assert_int_equal(sleep_in(tx, 0), TIMED_OUT);
	assert_true(clock_mono_ms() - start < 5000);
	t->cx.deadline_mono_ms = 0;
	assert_int_equal(sleep_in(tx, 0), UNAVAILABLE); /* the connection is gone with the answer it owed */
	tx_rollback(&tx);
	assert_int_equal(ask(&t->cx), OK); /* others go on, beside the stopped one */
	assert_int_equal(kill(pid, SIGCONT), 0);
}

static void
a_commit_without_an_answer_is_not_known(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;
	pid_t pid;

	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(write_in(tx, "who knows"), OK);
	pid = backend_of(tx);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	t->cx.deadline_mono_ms = clock_mono_ms() + 300;
	assert_int_equal(tx_commit(&tx), UNAVAILABLE);
	assert_null(tx);
	assert_non_null(strstr(t->cx.message, "not known"));
	t->cx.deadline_mono_ms = 0;
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(ask(&t->cx), OK);
}

static void
a_change_without_an_answer_is_not_known(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;
	pid_t pid;

	assert_int_equal(tx_change(&t->cx, &tx), OK);
	pid = backend_of(tx);
	assert_int_equal(write_in(tx, "kept"), OK);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	t->cx.deadline_mono_ms = clock_mono_ms() + 300;
	assert_int_equal(write_in(tx, "who knows"), UNAVAILABLE);
	assert_non_null(strstr(t->cx.message, "not known"));
	tx_rollback(&tx);
	t->cx.deadline_mono_ms = 0;
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(ask(&t->cx), OK);
}

static void
open_some(struct pg_test *t, struct pool *p, unsigned n)
{
	struct connection *c[8];

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(pool_acquire(p, &t->cx, &c[i]), OK);
	for (unsigned i = 0; i < n; i++)
		pool_release(p, c[i]);
}

static void
a_restart_of_postgresql_is_not_noticed_between_requests(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;

	for (int immediate = 0; immediate < 2; immediate++) {
		open_some(t, t->pool, 4);
		assert_int_equal(ask(&t->cx), OK);
		pg_stop_server(immediate);
		pg_start_server();
		(void)usleep(1100000); /* any look meanwhile may have met the closed door */
		assert_true(becomes(t->pool, true));
		assert_int_equal(ask(&t->cx), OK);
		assert_int_equal(tx_begin(&t->cx, &tx), OK);
		assert_int_equal(write_in(tx, immediate ? "second" : "first"), OK);
		assert_int_equal(tx_commit(&tx), OK);
	}
}

static void
a_transaction_under_a_restart_fails_and_can_be_repeated(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(write_in(tx, "before"), OK);
	pg_stop_server(true);
	pg_start_server();
	assert_int_equal(write_in(tx, "after"), UNAVAILABLE);
	assert_non_null(strstr(t->cx.message, "try again"));
	tx_rollback(&tx);
	assert_true(becomes(t->pool, true));
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(write_in(tx, "before"), OK);
	assert_int_equal(tx_commit(&tx), OK);
}

static void
a_read_by_itself_survives_the_end_of_its_connection(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;
	pid_t pid;
	char sql[96];

	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	pid = backend_of(tx);
	(void)snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 5000)", (int)pid);
	(void)pg_sql(t, sql);
	assert_int_equal(sleep_in(tx, 0), OK);
	assert_int_not_equal(backend_of(tx), pid);
	assert_int_equal(tx_commit(&tx), OK);
}

static void
a_write_that_may_have_happened_is_not_said_twice(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;
	char sql[96];

	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	assert_int_equal(write_in(tx, "first"), OK); /* prepared now */
	(void)snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 5000)", (int)backend_of(tx));
	(void)pg_sql(t, sql);
	assert_int_equal(write_in(tx, "second"), UNAVAILABLE);
	tx_rollback(&tx);
	assert_string_equal(pg_sql(t, "SELECT count(*) FROM cairn.experiment_tag"), "1");
}

static void
health_follows_postgresql(void **state)
{
	struct pg_test *t = *state;
	int64_t start;

	assert_true(becomes(t->pool, true));
	pg_stop_server(false);
	assert_true(becomes(t->pool, false));
	start = clock_mono_ms();
	assert_int_equal(ask(&t->cx), UNAVAILABLE);
	assert_true(clock_mono_ms() - start < 2000);
	assert_non_null(strstr(t->cx.message, "PostgreSQL does not answer"));
	pg_start_server();
	assert_true(becomes(t->pool, true));
	assert_int_equal(ask(&t->cx), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(connections_carry_our_settings),
		pg_test(what_the_user_set_is_kept),
		pg_test(a_malformed_connection_string_is_a_sentence),
		pg_test(a_pool_that_is_all_lent_is_unavailable),
		pg_test(many_threads_share_a_few_connections),
		pg_test(what_was_left_open_is_rolled_back),
		pg_test(statements_have_a_timeout),
		pg_test(a_request_past_its_deadline_asks_nothing),
		pg_test(a_commit_past_its_deadline_keeps_nothing),
		pg_test(a_backend_that_hangs_does_not_hang_us),
		pg_test(a_commit_without_an_answer_is_not_known),
		pg_test(a_change_without_an_answer_is_not_known),
		pg_test(a_restart_of_postgresql_is_not_noticed_between_requests),
		pg_test(a_transaction_under_a_restart_fails_and_can_be_repeated),
		pg_test(a_read_by_itself_survives_the_end_of_its_connection),
		pg_test(a_write_that_may_have_happened_is_not_said_twice),
		pg_test(health_follows_postgresql),
	};

	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
