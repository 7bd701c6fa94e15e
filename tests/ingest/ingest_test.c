#include "support/pg.h"

#include <dirent.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ingest/ingest.h"
#include "store/metric_log.h"
#include "store/metrics.h"
#include "store/query.h"

#define NOT_A_NUMBER ((double)NAN)
#define QUEUE        (64u << 20)

/* ---- helpers ---- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool done;
	enum status status;
};

static void
waiter_done(void *arg, enum status st)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->done = true;
	w->status = st;
	pthread_cond_signal(&w->change);
	pthread_mutex_unlock(&w->lock);
}

static void
waiter_init(struct waiter *w)
{
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->change, NULL);
	w->done = false;
}

static enum status
waiter_wait(struct waiter *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->done)
		pthread_cond_wait(&w->change, &w->lock);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_destroy(&w->change);
	pthread_mutex_destroy(&w->lock);
	return w->status;
}

static enum status
submit(struct ingest *in, struct ctx *cx, const char *uuid, const struct point *points, size_t n)
{
	struct waiter w;
	enum status st;

	waiter_init(&w);
	if ((st = ingest_submit(in, cx, uuid, points, n, waiter_done, &w)) != OK)
		return st;
	return waiter_wait(&w);
}

static struct ingest *
start(struct pool *pool)
{
	const struct ingest_options o = { .pool = pool, .queue_limit_bytes = QUEUE };

	return ingest_start(&o);
}

static int64_t
make_run(struct pg_test *t, const char *uuid)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
		"INSERT INTO cairn.run (uuid, experiment_id, name, start_unix_ms, artifact_uri, "
		"created_unix_ms) "
		"VALUES ('%s', 0, 'r', 0, '', 0) RETURNING run_id",
		uuid);
	return strtoll(pg_sql(t, sql), NULL, 10);
}

static int64_t
number(struct pg_test *t, const char *sql)
{
	return strtoll(pg_sql(t, sql), NULL, 10);
}

static struct run_latest
latest_of(struct pg_test *t, int64_t run_id)
{
	struct run_latest out;
	struct tx *tx = NULL;

	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_equal(ingest_latest(tx, &run_id, 1, &out), OK);
	tx_rollback(&tx);
	return out;
}

static struct sample *
history_of(struct pg_test *t, int64_t run_id, const char *key, const struct sample *after, size_t limit,
	size_t *n)
{
	const struct read_run run = { run_id, 0, 0 };
	struct sample *out;
	struct tx *tx = NULL;

	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_equal(ingest_history(tx, &run, key, after, limit, &out, n), OK);
	tx_rollback(&tx);
	return out;
}

/* ---- what is written comes back ---- */

static void
points_come_back_as_latest_and_history(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	int64_t run = make_run(t, "a");
	const struct point points[] = { { "loss", 1.0, 100, 0 }, { "loss", 0.5, 300, 2 },
		{ "loss", 0.25, 200, 1 }, { "acc", NOT_A_NUMBER, 100, 0 },
		{ "acc", (double)INFINITY, 101, -5 }, { "\xc3\xa4/b c", -0.0, INT64_MAX, INT64_MIN } };
	struct run_latest latest;
	struct sample *s;
	size_t n;

	assert_int_equal(submit(in, &t->cx, "a", points, 6), OK);
	latest = latest_of(t, run);
	assert_int_equal(latest.n, 3);
	assert_string_equal(latest.keys[0].key, "acc");
	assert_true(isnan(latest.keys[0].last.value) && latest.keys[0].count == 2);
	assert_true(
		latest.keys[0].max.value == (double)INFINITY && latest.keys[0].min.value == (double)INFINITY);
	assert_string_equal(latest.keys[1].key, "loss");
	assert_true(latest.keys[1].last.value == 0.5 && latest.keys[1].last.step == 2 &&
		    latest.keys[1].first.value == 1.0);
	assert_true(latest.keys[1].min.value == 0.25 && latest.keys[1].max.value == 1.0 &&
		    latest.keys[1].count == 3);
	assert_true(latest.keys[2].last.time_unix_ms == INT64_MAX && latest.keys[2].last.step == INT64_MIN);
	assert_true(signbit(latest.keys[2].last.value));
	s = history_of(t, run, "loss", NULL, 100, &n);
	assert_int_equal(n, 3);
	assert_true(s[0].time_unix_ms == 100 && s[1].time_unix_ms == 200 && s[2].time_unix_ms == 300);
	(void)history_of(t, run, "nothing", NULL, 100, &n);
	assert_int_equal(n, 0);
	ingest_stop(in);
}

#define MANY 140 /* more than are read at once at first */

static void
many_runs_are_read_some_at_a_time(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	int64_t ids[MANY];
	struct run_latest out[MANY];
	struct tx *tx = NULL;
	char uuid[8];

	for (int i = 0; i < MANY; i++) {
		struct point p[3] = { { "x", i, i, 1 }, { "y", 2 * i, i, 1 }, { "z", 3, 3, 3 } };

		(void)snprintf(uuid, sizeof(uuid), "r%d", i);
		ids[MANY - 1 - i] = make_run(t, uuid);
		if (i != 7)
			assert_int_equal(submit(in, &t->cx, uuid, p, i % 2 == 0 ? 2 : 3), OK);
	}
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(ingest_latest(tx, ids, MANY, out), OK);
	tx_rollback(&tx);
	for (int i = 0; i < MANY; i++) {
		assert_true(out[MANY - 1 - i].run_id == ids[MANY - 1 - i]);
		assert_int_equal(out[MANY - 1 - i].n, i == 7 ? 0 : i % 2 == 0 ? 2 : 3);
		if (i != 7)
			assert_true(out[MANY - 1 - i].keys[1].last.value == 2 * i);
	}
	ingest_stop(in);
}

/* Two experiments, whose numbers for the same names differ. */
static void
a_few_keys_of_many_runs_are_read_for_a_search(void **state)
{
	static const char *const keys[] = { "y", "unknown", "x" };
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	const struct point first[] = { { "x", 1, 10, 1 }, { "y", 2, 10, 1 }, { "x", 3, 9, 2 },
		{ "z", 4, 9, 9 } };
	const struct point second[] = { { "y", 5, 10, 1 }, { "y", NOT_A_NUMBER, 11, 1 }, { "a", 1, 1, 1 } };
	int64_t ids[3] = { make_run(t, "c"), make_run(t, "b"), make_run(t, "a") };
	struct last_value out[9];
	struct tx *tx = NULL;

	(void)pg_sql(t, "INSERT INTO cairn.experiment (experiment_id, name, artifact_location, "
			"created_unix_ms, updated_unix_ms) "
			"VALUES (7, 'other', '', 0, 0)");
	(void)pg_sql(t, "UPDATE cairn.run SET experiment_id = 7 WHERE uuid = 'b'");
	assert_int_equal(submit(in, &t->cx, "a", first, 4), OK);
	assert_int_equal(submit(in, &t->cx, "b", second, 3), OK);
	assert_int_equal(submit(in, &t->cx, "b", second, 1), OK);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(ingest_last(tx, ids, 3, keys, 3, out), OK);
	for (int i = 0; i < 3; i++)
		assert_false(out[i].there || out[i * 3 + 1].there);
	assert_true(out[6].there && out[6].last.value == 2 && out[8].there && out[8].last.value == 3);
	assert_true(out[3].there && isnan(out[3].last.value) && !out[5].there);
	assert_int_equal(ingest_last(tx, ids, 3, &keys[1], 1, out), OK);
	assert_false(out[2].there);
	assert_int_equal(ingest_last(tx, ids, 0, keys, 3, out), OK);
	tx_rollback(&tx);
	ingest_stop(in);
}

static void
exact_duplicates_count_once(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	int64_t run = make_run(t, "a");
	const struct point points[] = { { "k", 1, 10, 1 }, { "k", 2, 10, 1 }, { "k", 0.0, 10, 1 },
		{ "k", NOT_A_NUMBER, 10, 1 }, { "k", -0.0, 10, 1 }, { "other", 1, 1, 1 } };
	struct run_latest latest;
	size_t n;

	for (int i = 0; i < 3; i++)
		assert_int_equal(submit(in, &t->cx, "a", points, 6), OK);
	latest = latest_of(t, run);
	assert_int_equal(latest.n, 2);
	assert_true(latest.keys[0].count == 4 && latest.keys[0].last.value == 2);
	assert_true(latest.keys[1].count == 1);
	(void)history_of(t, run, "k", NULL, 100, &n);
	assert_int_equal(n, 4);
	ingest_stop(in);
}

static void
history_goes_on_where_the_page_ended(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	int64_t run = make_run(t, "a");
	struct point points[997];
	struct sample after, *page, *all;
	size_t n, total, seen = 0;

	for (int i = 0; i < 997; i++) /* many of one moment, and NaN among them */
		points[i] = (struct point){ "k", i % 7 == 0 ? NOT_A_NUMBER : (double)(i % 5 - 2), i % 11,
			i % 13 };
	assert_int_equal(submit(in, &t->cx, "a", points, 997), OK);
	all = history_of(t, run, "k", NULL, 10000, &total);
	assert_true(total > 100 && total < 997);
	page = history_of(t, run, "k", NULL, 10, &n);
	for (;;) {
		bool more = n > 10;

		for (size_t i = 0; i < (more ? 10 : n); i++, seen++)
			assert_memory_equal(&page[i], &all[seen], sizeof(*page));
		if (!more)
			break;
		after = page[9];
		page = history_of(t, run, "k", &after, 10, &n);
	}
	assert_int_equal(seen, total);
	ingest_stop(in);
}

static void
a_request_of_ten_thousand_keys_fits(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	int64_t run = make_run(t, "a");
	struct point *points = mem_array(10000, sizeof(*points));

	for (int i = 0; i < 10000; i++)
		points[i] = (struct point){ arena_printf(t->arena, "key/%d", i), i, 1, 1 };
	assert_int_equal(submit(in, &t->cx, "a", points, 10000), OK);
	assert_int_equal(latest_of(t, run).n, 10000);
	assert_true(number(t, "SELECT max(length(data)) FROM cairn.metric_tail") <= 8000);
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), 10000);
	assert_int_equal(
		number(t, "SELECT count(*) FROM cairn.metric_key WHERE key_id BETWEEN 1 AND 10000"), 10000);
	free(points);
	ingest_stop(in);
}

/* ---- one request's trouble is its own ---- */

static void
lock_run(struct pg_test *t, const char *uuid, struct ctx *cx, struct tx **tx)
{
	static const struct statement lock = { "test_lock",
		"SELECT run_id FROM run WHERE uuid = $1 FOR UPDATE" };
	struct query q;
	int64_t id;

	ctx_init(cx, t->arena, &t->parts);
	assert_int_equal(tx_begin(cx, tx), OK);
	query_init(&q, *tx, &lock);
	query_text(&q, uuid);
	assert_int_equal(query_one(&q, row_read_int8, &id), OK);
}

/* A lock on the first run holds the writer, so that all others meet in one group. */
static void
a_bad_request_fails_alone_in_its_group(void **state)
{
	static const char *const uuids[] = { "good1", "gone", "deleted", "good2", "good1", "good3" };
	static const enum status want[] = { OK, NOT_FOUND, INVALID, INVALID, OK, OK };
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	struct waiter first, waits[6];
	struct ctx holder, cx[6];
	struct tx *tx = NULL;
	const struct point good = { "k", 1, 2, 3 }, bad = { "broken \xff text", 1, 2, 3 };

	(void)make_run(t, "held");
	for (int i = 1; i <= 3; i++)
		(void)make_run(t, arena_printf(t->arena, "good%d", i));
	(void)make_run(t, "deleted");
	(void)pg_sql(t, "UPDATE cairn.run SET deleted = true WHERE uuid = 'deleted'");
	lock_run(t, "held", &holder, &tx);
	waiter_init(&first);
	assert_int_equal(ingest_submit(in, &t->cx, "held", &good, 1, waiter_done, &first), OK);
	(void)usleep(50000);
	for (int i = 0; i < 6; i++) {
		waiter_init(&waits[i]);
		ctx_init(&cx[i], t->arena, &t->parts);
		assert_int_equal(
			ingest_submit(in, &cx[i], uuids[i], i == 3 ? &bad : &good, 1, waiter_done, &waits[i]),
			OK);
	}
	tx_rollback(&tx);
	assert_int_equal(waiter_wait(&first), OK);
	for (int i = 0; i < 6; i++)
		assert_int_equal(waiter_wait(&waits[i]), want[i]);
	assert_string_equal(cx[1].message, "Run with id=gone not found");
	assert_string_equal(
		cx[2].message, "The run deleted must be in the 'active' state. Current state is deleted.");
	assert_non_null(strstr(cx[3].message, "UTF-8"));
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), 4);
	ingest_stop(in);
}

static void
requests_of_one_run_share_a_row(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	struct waiter first, waits[50];
	struct point points[50];
	struct ctx holder, cx[50];
	struct tx *tx = NULL;

	(void)make_run(t, "held");
	(void)make_run(t, "a");
	lock_run(t, "held", &holder, &tx);
	waiter_init(&first);
	assert_int_equal(
		ingest_submit(in, &t->cx, "held", &(struct point){ "k", 1, 2, 3 }, 1, waiter_done, &first),
		OK);
	(void)usleep(50000);
	for (int i = 0; i < 50; i++) {
		points[i] = (struct point){ "k", 1, 2, i };
		waiter_init(&waits[i]);
		ctx_init(&cx[i], t->arena, &t->parts);
		assert_int_equal(ingest_submit(in, &cx[i], "a", &points[i], 1, waiter_done, &waits[i]), OK);
	}
	tx_rollback(&tx);
	assert_int_equal(waiter_wait(&first), OK);
	for (int i = 0; i < 50; i++)
		assert_int_equal(waiter_wait(&waits[i]), OK);
	assert_int_equal(number(t, "SELECT count(*) FROM cairn.metric_tail t JOIN cairn.run r USING (run_id) "
				   "WHERE uuid = 'a'"),
		1);
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), 51);
	ingest_stop(in);
}

static void
a_full_queue_says_try_again(void **state)
{
	struct pg_test *t = *state;
	const struct ingest_options o = { .pool = t->pool, .queue_limit_bytes = 4096 };
	struct ingest *in = ingest_start(&o);
	struct waiter waits[100];
	struct ctx holder, cx[100];
	struct tx *tx = NULL;
	const struct point p[8] = { { "k", 1, 2, 3 }, { "k", 1, 2, 4 }, { "k", 1, 2, 5 }, { "k", 1, 2, 6 },
		{ "k", 1, 2, 7 }, { "k", 1, 2, 8 }, { "k", 1, 2, 9 }, { "k", 1, 2, 10 } };
	enum status st[100];
	int refused = 0, accepted = 0;

	(void)make_run(t, "a");
	lock_run(t, "a", &holder, &tx);
	for (int i = 0; i < 100; i++) {
		waiter_init(&waits[i]);
		ctx_init(&cx[i], t->arena, &t->parts);
		st[i] = ingest_submit(in, &cx[i], "a", p, 8, waiter_done, &waits[i]);
		assert_true(st[i] == OK || st[i] == UNAVAILABLE);
		refused += st[i] == UNAVAILABLE;
	}
	assert_true(refused > 50 && refused < 100);
	tx_rollback(&tx);
	for (int i = 0; i < 100; i++)
		if (st[i] == OK) {
			assert_int_equal(waiter_wait(&waits[i]), OK);
			accepted++;
		}
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), accepted * 8);
	assert_int_equal(ingest_submit(in, &t->cx, "a", p, 1000000, waiter_done, NULL), TOO_LARGE);
	ingest_stop(in);
}

static void
what_was_queued_is_committed_at_the_stop(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	struct waiter waits[200];
	struct point points[200];
	struct ctx *cx = mem_array(200, sizeof(*cx));

	(void)make_run(t, "a");
	for (int i = 0; i < 200; i++) {
		points[i] = (struct point){ "k", 1, 2, i };
		waiter_init(&waits[i]);
		ctx_init(&cx[i], t->arena, &t->parts);
		assert_int_equal(ingest_submit(in, &cx[i], "a", &points[i], 1, waiter_done, &waits[i]), OK);
	}
	ingest_stop(in);
	for (int i = 0; i < 200; i++)
		assert_int_equal(waiter_wait(&waits[i]), OK);
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), 200);
	free(cx);
}

/* ---- inside somebody's transaction ---- */

/* Memory guesses that a run is there and active; the database decides. */
static void
a_guess_that_is_wrong_is_found_out(void **state)
{
	static const char *const uuids[] = { "a", "b", "c" };
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	const struct point p = { "k", 1, 2, 3 };
	struct waiter waits[3];
	struct ctx holder, cx[3];
	struct tx *tx = NULL;

	for (int i = 0; i < 3; i++) {
		(void)make_run(t, uuids[i]);
		assert_int_equal(submit(in, &t->cx, uuids[i], &p, 1), OK);
	}
	(void)pg_sql(t, "UPDATE cairn.run SET deleted = true WHERE uuid = 'b'");
	lock_run(t, "a", &holder, &tx);
	for (int i = 0; i < 3; i++) {
		waiter_init(&waits[i]);
		ctx_init(&cx[i], t->arena, &t->parts);
		assert_int_equal(ingest_submit(in, &cx[i], uuids[i], &p, 1, waiter_done, &waits[i]), OK);
		(void)usleep(i == 0 ? 50000 : 0); /* the others meet in one group */
	}
	tx_rollback(&tx);
	for (int i = 0; i < 3; i++)
		assert_int_equal(waiter_wait(&waits[i]), i == 1 ? INVALID : OK);
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), 5);
	(void)pg_sql(t, "DELETE FROM cairn.run WHERE uuid = 'c'");
	assert_int_equal(submit(in, &t->cx, "c", &p, 1), NOT_FOUND);
	(void)pg_sql(t, "UPDATE cairn.run SET deleted = false WHERE uuid = 'b'");
	assert_int_equal(submit(in, &t->cx, "b", &p, 1), OK);
	/* the same id, and another run: a database that was put back */
	(void)pg_sql(t, "UPDATE cairn.run SET uuid = 'd' WHERE uuid = 'a'");
	assert_int_equal(submit(in, &t->cx, "a", &p, 1), NOT_FOUND);
	assert_int_equal(submit(in, &t->cx, "d", &p, 1), OK);
	ingest_stop(in);
}

static void
points_of_a_callers_transaction_stand_or_fall_with_it(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	int64_t run = make_run(t, "a");
	const struct point p[] = { { "new", 1, 2, 3 }, { "names", 1, 2, 3 }, { "new", 2, 3, 4 } };
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(ingest_write(in, tx, run, 0, p, 3), OK);
	tx_rollback(&tx);
	assert_int_equal(latest_of(t, run).n, 0);
	assert_int_equal(number(t, "SELECT count(*) FROM cairn.metric_key"), 0);
	/* the names that came to nothing must not be remembered */
	assert_int_equal(submit(in, &t->cx, "a", p, 1), OK);
	assert_int_equal(latest_of(t, run).n, 1);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(ingest_write(in, tx, run, 0, p, 3), OK);
	assert_int_equal(ingest_write(in, tx, run, 0, p, 3), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_int_equal(latest_of(t, run).n, 2);
	assert_true(latest_of(t, run).keys[1].count == 2);
	ingest_stop(in);
}

static void
names_made_by_two_servers_at_once_agree(void **state)
{
	struct pg_test *t = *state;
	struct ingest *one = start(t->pool), *two = start(t->pool);
	int64_t run = make_run(t, "a");
	struct waiter w;
	struct ctx cx;
	struct tx *tx = NULL;
	const struct point p[] = { { "x", 1, 2, 3 }, { "y", 1, 2, 3 } },
			   q[] = { { "y", 5, 5, 5 }, { "z", 5, 5, 5 } };

	ctx_init(&cx, t->arena, &t->parts);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(ingest_write(one, tx, run, 0, p, 2), OK);
	waiter_init(&w);
	assert_int_equal(ingest_submit(two, &cx, "a", q, 2, waiter_done, &w), OK);
	(void)usleep(100000);
	pthread_mutex_lock(&w.lock);
	assert_false(w.done); /* it waits for the names */
	pthread_mutex_unlock(&w.lock);
	assert_int_equal(tx_commit(&tx), OK);
	assert_int_equal(waiter_wait(&w), OK);
	assert_int_equal(number(t, "SELECT count(*) FROM cairn.metric_key"), 3);
	assert_int_equal(latest_of(t, run).n, 3);
	assert_true(latest_of(t, run).keys[1].count == 2);
	ingest_stop(one);
	ingest_stop(two);
}

/* ---- many at once ---- */

struct crowd {
	struct pg_test *t;
	struct ingest *in;
	atomic_int acknowledged, refused, other;
	atomic_bool stop;
	int requests; /* of each thread; 0: until stop */
};

struct member {
	struct crowd *crowd;
	pthread_t thread;
	int place;
	int64_t acknowledged;
};

static void *
member_main(void *arg)
{
	struct member *m = arg;
	struct crowd *c = m->crowd;
	struct arena *arena = arena_new();
	struct ctx cx;
	char uuid[16];

	(void)snprintf(uuid, sizeof(uuid), "run%d", m->place % 8);
	ctx_init(&cx, arena, &c->t->parts);
	for (int i = 0; c->requests > 0 ? i < c->requests : !atomic_load(&c->stop); i++) {
		const struct point p[2] = { { "loss", i, m->place, i }, { "acc", -i, m->place, i } };
		enum status st;

		while ((st = submit(c->in, &cx, uuid, p, 2)) == UNAVAILABLE)
			(void)usleep(20000); /* what a client does */
		if (st == OK)
			m->acknowledged++;
		else if (st == INVALID)
			atomic_fetch_add(&c->refused, 1);
		else
			atomic_fetch_add(&c->other, 1);
	}
	arena_free(arena);
	return NULL;
}

static void
crowd_start(struct crowd *c, struct member *members, int n)
{
	for (int i = 0; i < n; i++) {
		members[i] = (struct member){ .crowd = c, .place = i };
		assert_int_equal(pthread_create(&members[i].thread, NULL, member_main, &members[i]), 0);
	}
}

static int64_t
crowd_join(struct member *members, int n)
{
	int64_t acknowledged = 0;

	for (int i = 0; i < n; i++) {
		assert_int_equal(pthread_join(members[i].thread, NULL), 0);
		acknowledged += members[i].acknowledged;
	}
	return acknowledged;
}

static int64_t
make_crowd_runs(struct pg_test *t)
{
	int64_t first = 0;

	for (int i = 0; i < 8; i++) {
		int64_t id = make_run(t, arena_printf(t->arena, "run%d", i));

		first = i == 0 ? id : first;
	}
	return first;
}

/* Distinct points as a reader counts them. */
static int64_t
count_points(struct pg_test *t, int64_t first)
{
	int64_t count = 0;

	for (int64_t id = first; id < first + 8; id++) {
		struct run_latest latest = latest_of(t, id);

		for (size_t i = 0; i < latest.n; i++)
			count += latest.keys[i].count;
	}
	return count;
}

static void
of_64_threads_all_that_was_acknowledged_is_stored(void **state)
{
	struct pg_test *t = *state;
	struct crowd c = { .t = t, .in = start(t->pool), .requests = 100 };
	struct member members[64];
	int64_t first = make_crowd_runs(t), acknowledged;

	(void)pg_sql(t, "UPDATE cairn.run SET deleted = true WHERE uuid = 'run3'");
	crowd_start(&c, members, 64);
	acknowledged = crowd_join(members, 64);
	assert_int_equal(acknowledged, 56 * 100);
	assert_int_equal(atomic_load(&c.refused), 8 * 100);
	assert_int_equal(atomic_load(&c.other), 0);
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), 2 * acknowledged);
	assert_int_equal(count_points(t, first), 2 * acknowledged);
	ingest_stop(c.in);
}

/* ---- bad days ---- */

static bool
process_of_cluster(const char *pid, const char *data)
{
	char link[64], to[256];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/%.20s/cwd", pid);
	n = readlink(link, to, sizeof(to) - 1);
	if (n <= 0)
		return false;
	to[n] = '\0';
	return strcmp(to, data) == 0;
}

static bool
any_backend_left(const char *data)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	bool found = false;

	while (!found && (e = readdir(dir)) != NULL)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			found = process_of_cluster(e->d_name, data);
	(void)closedir(dir);
	return found;
}

/* SIGKILL to the postmaster; its children end by themselves. */
static void
kill_server(void)
{
	char path[300], data[256];
	int pid = 0;
	FILE *f;

	(void)snprintf(data, sizeof(data), "%s/data", pg_directory());
	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", data);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	(void)fclose(f);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	pg_stop_server(true);
	for (int64_t until = clock_mono_ms() + 10000; any_backend_left(data) && clock_mono_ms() < until;)
		(void)usleep(10000);
}

static void
nothing_acknowledged_is_lost_when_postgresql_is_killed(void **state)
{
	struct pg_test *t = *state;
	struct crowd c = { .t = t, .in = start(t->pool) };
	struct member members[16];
	int64_t first = make_crowd_runs(t), acknowledged;

	crowd_start(&c, members, 16);
	for (int i = 0; i < 3; i++) {
		(void)usleep(300000);
		kill_server();
		(void)usleep(100000);
		pg_start_server();
	}
	(void)usleep(300000);
	atomic_store(&c.stop, true);
	acknowledged = crowd_join(members, 16);
	assert_true(acknowledged > 100);
	assert_int_equal(atomic_load(&c.other), 0);
	assert_int_equal(count_points(t, first), 2 * acknowledged);
	ingest_stop(c.in);
}

/* ---- a commit whose answer is lost: a proxy that cuts ---- */

struct proxy {
	char directory[160], server[192];
	int listener;
	pthread_t thread, wires[256];
	size_t wire_count; /* the accepting thread's, until it was joined */
	atomic_bool stop;
	atomic_int commits, cut_before, cut_after, short_cuts;
};

struct wire {
	struct proxy *p;
	int client, server;
};

static int
unix_socket(const char *path, struct sockaddr_un *to)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	assert_true(strlen(path) < sizeof(to->sun_path));
	memcpy(to->sun_path, path, strlen(path));
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool
pass(int to, const char *data, ssize_t n)
{
	while (n > 0) {
		ssize_t done = send(to, data, (size_t)n, MSG_NOSIGNAL);

		if (done <= 0)
			return false;
		data += done;
		n -= done;
	}
	return true;
}

static bool
ends_with(const char *data, ssize_t n, const char *end, size_t len)
{
	return n >= (ssize_t)len && memcmp(data + n - len, end, len) == 0;
}

/* COMMIT, or the one statement that is a transaction of its own; not its preparation. */
static bool
is_commit(struct wire *w, const char *data, ssize_t n)
{
	static const char commit[] = "Q\0\0\0\013COMMIT", sync[] = "S\0\0\0\4";

	if (ends_with(data, n, commit, sizeof(commit)))
		return true;
	if (!ends_with(data, n, sync, sizeof(sync) - 1) || data[0] != 'B' ||
		memmem(data, (size_t)n, "metric_log", 10) == NULL)
		return false;
	atomic_fetch_add(&w->p->short_cuts, 1);
	return true;
}

/* Every third commit is not passed on, every third other one is, but its answer is not. */
static bool
pass_from_client(struct wire *w, char *data, ssize_t n)
{
	int count;

	if (!is_commit(w, data, n))
		return pass(w->server, data, n);
	count = atomic_fetch_add(&w->p->commits, 1);
	if (count % 3 == 1) {
		atomic_fetch_add(&w->p->cut_before, 1);
		return false;
	}
	if (!pass(w->server, data, n))
		return false;
	if (count % 3 == 2) {
		(void)!recv(w->server, data, 1, 0); /* it has answered: it is done */
		atomic_fetch_add(&w->p->cut_after, 1);
		return false;
	}
	return true;
}

static void *
wire_main(void *arg)
{
	struct wire *w = arg;
	char *data = malloc(1 << 16);
	bool good = true;

	while (good && !atomic_load(&w->p->stop)) {
		struct pollfd fds[2] = { { .fd = w->client, .events = POLLIN },
			{ .fd = w->server, .events = POLLIN } };
		ssize_t n;

		if (poll(fds, 2, 100) <= 0)
			continue;
		if (fds[0].revents != 0) {
			n = recv(w->client, data, 1 << 16, 0);
			good = n > 0 && pass_from_client(w, data, n);
		}
		if (good && fds[1].revents != 0) {
			n = recv(w->server, data, 1 << 16, 0);
			good = n > 0 && pass(w->client, data, n);
		}
	}
	(void)close(w->client);
	(void)close(w->server);
	free(data);
	free(w);
	return NULL;
}

static void *
proxy_main(void *arg)
{
	struct proxy *p = arg;

	while (!atomic_load(&p->stop)) {
		struct pollfd fd = { .fd = p->listener, .events = POLLIN };
		struct sockaddr_un to;
		struct wire *w;

		if (poll(&fd, 1, 100) <= 0)
			continue;
		w = mem_alloc(sizeof(*w));
		w->p = p;
		w->client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
		w->server = unix_socket(p->server, &to);
		if (connect(w->server, (struct sockaddr *)&to, sizeof(to)) != 0 || p->wire_count == 256 ||
			pthread_create(&p->wires[p->wire_count++], NULL, wire_main, w) != 0)
			abort();
	}
	return NULL;
}

static void
proxy_start(struct proxy *p)
{
	char path[200];
	struct sockaddr_un at;

	memset(p, 0, sizeof(*p));
	(void)snprintf(p->directory, sizeof(p->directory), "%s/proxy", pg_directory());
	(void)snprintf(p->server, sizeof(p->server), "%s/.s.PGSQL.5432", pg_directory());
	assert_int_equal(mkdir(p->directory, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", p->directory);
	p->listener = unix_socket(path, &at);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(p->listener, 16), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, proxy_main, p), 0);
}

static void
proxy_stop(struct proxy *p)
{
	atomic_store(&p->stop, true);
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	(void)close(p->listener);
	for (size_t i = 0; i < p->wire_count; i++)
		assert_int_equal(pthread_join(p->wires[i], NULL), 0);
}

static struct pool *
pool_through(struct pg_test *t, const struct proxy *p)
{
	const struct pool_options o = { .conninfo = arena_printf(t->arena, "host=%s user=cairn dbname=%s",
						p->directory,
						strstr(t->conninfo, "dbname=") + strlen("dbname=")),
		.size = 4,
		.acquire_timeout_ms = 2000,
		.statement_timeout_ms = 5000 };

	return pool_new(&o);
}

static void
a_commit_whose_answer_is_lost_is_neither_lost_nor_doubled(void **state)
{
	struct pg_test *t = *state;
	int64_t run = make_run(t, "a"), acknowledged = 0;
	struct run_latest latest;
	struct proxy p;
	struct pool *pool;
	struct ingest *in;

	proxy_start(&p);
	pool = pool_through(t, &p);
	in = start(pool);
	for (int i = 0; i < 60; i++) {
		/* a new name each fifth time: its number is lost with its transaction */
		const struct point points[2] = { { "k", i, i, i },
			{ arena_printf(t->arena, "n%d", i / 5), i, i, i } };
		enum status st;

		while ((st = submit(in, &t->cx, "a", points, 2)) == UNAVAILABLE)
			(void)usleep(20000);
		assert_int_equal(st, OK);
		acknowledged++;
	}
	ingest_stop(in);
	pool_free(pool);
	proxy_stop(&p);
	assert_true(atomic_load(&p.cut_before) > 5 && atomic_load(&p.cut_after) > 5);
	assert_true(atomic_load(&p.short_cuts) > 10);
	latest = latest_of(t, run);
	assert_int_equal(latest.n, 13);
	assert_int_equal(latest.keys[0].count, acknowledged);
	for (size_t i = 1; i < latest.n; i++)
		assert_int_equal(latest.keys[i].count, 5);
	/* each row went in once, although it was sent again */
	assert_int_equal(number(t, "SELECT sum(n) FROM cairn.metric_tail"), 2 * acknowledged);
}

/* After a crash numbers of rows may come again: a row of the same number is the same row only when its bytes are. */
static void
a_row_is_known_by_its_bytes(void **state)
{
	struct pg_test *t = *state;
	int64_t run = make_run(t, "r");
	struct metric_tail_row rows[] = { { run, 1, 1, "other", 5 }, { run, 2, 1, "abc", 3 } };
	struct tx *tx = NULL;
	bool there = false;

	(void)pg_sql(t, arena_printf(t->arena,
				"INSERT INTO cairn.metric_tail (run_id, seq, n, data) VALUES (%lld, 1, 1, "
				"'xyz'), (%lld, 2, 1, 'abc')",
				(long long)run, (long long)run));
	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	assert_int_equal(store_metric_tail_has(tx, rows, 2, &there), OK);
	assert_true(there);
	assert_int_equal(store_metric_tail_has(tx, rows, 1, &there), OK);
	assert_false(there);
	tx_rollback(&tx);
}

static void
a_damaged_row_is_an_error_not_a_gap(void **state)
{
	struct pg_test *t = *state;
	struct ingest *in = start(t->pool);
	int64_t run = make_run(t, "a");
	const struct point p = { "k", 1, 2, 3 };
	struct run_latest out;
	struct sample *s;
	size_t n;
	struct tx *tx = NULL;

	assert_int_equal(submit(in, &t->cx, "a", &p, 1), OK);
	(void)pg_sql(t, "UPDATE cairn.metric_tail SET data = set_byte(data, 8, 255)");
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(ingest_latest(tx, &run, 1, &out), INTERNAL);
	tx_rollback(&tx);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(
		ingest_history(tx, &(struct read_run){ run, 0, 0 }, "k", NULL, 10, &s, &n), INTERNAL);
	tx_rollback(&tx);
	ingest_stop(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(points_come_back_as_latest_and_history),
		pg_test(many_runs_are_read_some_at_a_time),
		pg_test(a_few_keys_of_many_runs_are_read_for_a_search),
		pg_test(exact_duplicates_count_once),
		pg_test(history_goes_on_where_the_page_ended),
		pg_test(a_request_of_ten_thousand_keys_fits),
		pg_test(a_bad_request_fails_alone_in_its_group),
		pg_test(requests_of_one_run_share_a_row),
		pg_test(a_full_queue_says_try_again),
		pg_test(what_was_queued_is_committed_at_the_stop),
		pg_test(a_guess_that_is_wrong_is_found_out),
		pg_test(points_of_a_callers_transaction_stand_or_fall_with_it),
		pg_test(names_made_by_two_servers_at_once_agree),
		pg_test(of_64_threads_all_that_was_acknowledged_is_stored),
		pg_test(a_damaged_row_is_an_error_not_a_gap),
		pg_test(a_commit_whose_answer_is_lost_is_neither_lost_nor_doubled),
		pg_test(a_row_is_known_by_its_bytes),
		pg_test(nothing_acknowledged_is_lost_when_postgresql_is_killed),
	};

	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
