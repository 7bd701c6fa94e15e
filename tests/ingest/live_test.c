/* What is new since a cursor, and those who watch. */
#include "support/pg.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "ingest/compact.h"
#include "ingest/cursor.h"
#include "ingest/ingest.h"
#include "ingest/live.h"
#include "ingest/news.h"
#include "store/metrics.h"
#include "store/tx.h"

#define MOST 1000

/* ---- helpers ---- */

struct desk {
	struct pg_test *t;
	struct ingest *ingest;
	struct news_run runs[2]; /* "a", "b" */
};

static struct desk
desk_open(struct pg_test *t)
{
	struct desk d = { .t = t };

	d.ingest = ingest_start(&(struct ingest_options){ .pool = t->pool, .queue_limit_bytes = 1u << 20 });
	t->parts.ingest = d.ingest;
	for (int i = 0; i < 2; i++) {
		const char *sql = arena_printf(t->arena,
			"INSERT INTO cairn.run (uuid, experiment_id, name, start_unix_ms, artifact_uri, "
			"created_unix_ms) VALUES ('%c', 0, 'r', 0, '', 0) RETURNING run_id",
			'a' + i);

		d.runs[i].run_id = strtoll(pg_sql(t, sql), NULL, 10);
	}
	return d;
}

static void
desk_close(struct desk *d)
{
	ingest_stop(d->ingest);
}

/* One point of the run, and the change that says so, in a transaction that the caller ends. */
static struct tx *
write_point(struct desk *d, struct ctx *cx, int run, const char *key, int64_t step)
{
	const struct point p = { key, (double)step, 1000 + step, step };
	const char *uuid = run == 0 ? "a" : "b";
	struct metric_run *locked;
	struct tx *tx = NULL;
	size_t n;

	assert_int_equal(tx_begin(cx, &tx), OK);
	assert_int_equal(store_metric_runs_share(tx, &uuid, 1, &locked, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(ingest_write(d->ingest, tx, d->runs[run].run_id, 0, &p, 1), OK);
	return tx;
}

static void
put_point(struct desk *d, int run, const char *key, int64_t step)
{
	struct tx *tx = write_point(d, &d->t->cx, run, key, step);

	assert_int_equal(tx_commit(&tx), OK);
}

static struct cursor
now(struct desk *d)
{
	struct cursor c;
	struct tx *tx = NULL;

	assert_int_equal(tx_begin_snapshot(&d->t->cx, &tx), OK);
	assert_int_equal(cursor_now(tx, &c), OK);
	tx_rollback(&tx);
	return c;
}

/* "a:loss 1 2;b:acc 7; reset b" */
static const char *
news_text(struct desk *d, const struct cursor *since, size_t most, size_t most_of_run)
{
	static const char *const keys[] = { "acc", "loss" };
	const struct news_in in = { since->snapshot, d->runs, 2, keys, 2, most, most_of_run };
	struct news news;
	struct tx *tx = NULL;
	struct buf b;
	char *out;

	assert_int_equal(tx_begin_snapshot(&d->t->cx, &tx), OK);
	assert_int_equal(ingest_news(tx, &in, &news), OK);
	tx_rollback(&tx);
	buf_init(&b, 1u << 20);
	for (size_t i = 0; i < news.n; i++) {
		const struct news_series *s = &news.series[i];

		assert_ptr_equal(news_find(&news, s->run_id, s->key), s);
		assert_false(news_is_reset(&news, s->run_id));
		buf_printf(&b, "%c:%s", s->run_id == d->runs[0].run_id ? 'a' : 'b', s->key);
		for (size_t k = 0; k < s->n; k++)
			buf_printf(&b, " %lld", (long long)s->samples[k].step);
		buf_str(&b, ";");
	}
	for (int i = 0; i < 2; i++)
		if (news_is_reset(&news, d->runs[i].run_id))
			buf_printf(&b, "reset %c;", 'a' + i);
	out = arena_strn(d->t->arena, b.data != NULL ? b.data : "", b.len);
	buf_fini(&b);
	return out;
}

static const char *
all_news(struct desk *d, const struct cursor *since)
{
	return news_text(d, since, MOST, MOST);
}

/* ---- news ---- */

static void
news_are_what_the_cursor_did_not_see(void **state)
{
	struct desk d = desk_open(*state);
	struct cursor before, later;

	put_point(&d, 0, "loss", 1);
	before = now(&d);
	assert_string_equal(all_news(&d, &before), "");
	put_point(&d, 0, "loss", 3);
	put_point(&d, 0, "other", 3);
	later = now(&d);
	put_point(&d, 0, "loss", 2);
	put_point(&d, 1, "acc", 7);
	put_point(&d, 0, "loss", 3);
	assert_string_equal(all_news(&d, &before), "a:loss 2 3;b:acc 7;");
	assert_string_equal(all_news(&d, &later), "a:loss 2 3;b:acc 7;");
	later = now(&d);
	assert_string_equal(all_news(&d, &later), "");
	desk_close(&d);
}

/* Numbers of transactions rise when they begin: what began before the cursor may be committed after it. */
static void
what_was_running_at_the_cursor_is_new_when_it_is_committed(void **state)
{
	struct desk d = desk_open(*state);
	struct ctx other;
	struct cursor before, between, after;
	struct tx *tx;

	ctx_init(&other, arena_new(), &d.t->parts);
	put_point(&d, 0, "loss", 0); /* who numbers a new name keeps others waiting */
	before = now(&d);
	tx = write_point(&d, &other, 0, "loss", 1);
	put_point(&d, 0, "loss", 2);
	between = now(&d);
	assert_string_equal(all_news(&d, &before), "a:loss 2;");
	assert_string_equal(all_news(&d, &between), "");
	assert_int_equal(tx_commit(&tx), OK);
	after = now(&d);
	assert_string_equal(all_news(&d, &before), "a:loss 1 2;");
	assert_string_equal(all_news(&d, &between), "a:loss 1;");
	assert_string_equal(all_news(&d, &after), "");
	arena_free(other.arena);
	desk_close(&d);
}

static void
compact(struct desk *d, int run)
{
	struct compact *c = compact_new();
	struct compacted out;
	struct ctx cx;

	ctx_init(&cx, arena_new(), &d->t->parts);
	assert_int_equal(compact_run(c, &cx, d->runs[run].run_id, true, &out), OK);
	assert_true(out.rows > 0);
	arena_free(cx.arena);
	compact_free(c);
}

static void
a_compaction_since_the_cursor_asks_to_read_anew(void **state)
{
	struct desk d = desk_open(*state);
	struct cursor before, after;

	before = now(&d);
	put_point(&d, 0, "loss", 1);
	put_point(&d, 1, "loss", 1);
	compact(&d, 0);
	put_point(&d, 0, "loss", 2);
	after = now(&d);
	assert_string_equal(all_news(&d, &before), "b:loss 1;reset a;");
	put_point(&d, 0, "loss", 3);
	assert_string_equal(all_news(&d, &after), "a:loss 3;");
	desk_close(&d);
}

static void
who_has_too_much_is_to_be_read_anew(void **state)
{
	struct desk d = desk_open(*state);
	struct cursor before = now(&d);

	for (int64_t step = 0; step < 5; step++)
		put_point(&d, 0, "loss", step);
	put_point(&d, 1, "loss", 9);
	assert_string_equal(news_text(&d, &before, 6, 5), "a:loss 0 1 2 3 4;b:loss 9;");
	assert_string_equal(news_text(&d, &before, 6, 4), "b:loss 9;reset a;");
	assert_string_equal(news_text(&d, &before, 0, 9), "reset a;reset b;");
	desk_close(&d);
}

static void
a_row_that_cannot_be_read_concerns_its_run_alone(void **state)
{
	struct desk d = desk_open(*state);
	struct cursor before = now(&d);

	put_point(&d, 0, "loss", 1);
	put_point(&d, 1, "loss", 2);
	(void)pg_sql(d.t,
		arena_printf(d.t->arena, "UPDATE cairn.metric_tail SET data = '\\x00' WHERE run_id = %lld",
			(long long)d.runs[0].run_id));
	assert_string_equal(all_news(&d, &before), "b:loss 2;reset a;");
	desk_close(&d);
}

/* ---- those who watch ---- */

struct listener {
	pthread_mutex_t lock;
	pthread_cond_t change;
	enum live_reply reply; /* to the next events */
	unsigned events, taken, ticks, closed;
	struct buf text;
};

static enum live_reply
on_event(void *arg, const struct live_event *e)
{
	struct listener *l = arg;
	enum live_reply reply;

	pthread_mutex_lock(&l->lock);
	reply = l->reply;
	l->events++;
	if (reply == LIVE_GOES_ON) {
		l->taken++;
		for (size_t i = 0; i < e->n; i++)
			for (size_t k = 0; k < e->series[i].n; k++)
				buf_printf(&l->text, "%s:%s %lld;", e->series[i].uuid, e->series[i].key,
					(long long)e->series[i].samples[k].step);
		for (size_t i = 0; i < e->reset_count; i++)
			buf_printf(&l->text, "reset %s;", e->reset[i]);
	}
	pthread_cond_broadcast(&l->change);
	pthread_mutex_unlock(&l->lock);
	return reply;
}

static enum live_reply
on_tick(void *arg, const char *cursor)
{
	struct listener *l = arg;

	(void)cursor;
	pthread_mutex_lock(&l->lock);
	l->ticks++;
	pthread_cond_broadcast(&l->change);
	pthread_mutex_unlock(&l->lock);
	return LIVE_GOES_ON;
}

static void
on_closed(void *arg)
{
	struct listener *l = arg;

	pthread_mutex_lock(&l->lock);
	l->closed++;
	pthread_cond_broadcast(&l->change);
	pthread_mutex_unlock(&l->lock);
}

static const struct live_sink sink = { on_event, on_tick, on_closed };

static void
listener_init(struct listener *l)
{
	*l = (struct listener){ .reply = LIVE_GOES_ON };
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->change, NULL);
	buf_init(&l->text, 1u << 20);
}

static void
listener_fini(struct listener *l)
{
	buf_fini(&l->text);
	pthread_cond_destroy(&l->change);
	pthread_mutex_destroy(&l->lock);
}

/* Until a count is reached; a test that waits for ever is ended from outside. */
static void
wait_count(struct listener *l, const unsigned *count, unsigned n)
{
	pthread_mutex_lock(&l->lock);
	while (*count < n)
		pthread_cond_wait(&l->change, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

static void
wait_text(struct listener *l, const char *text)
{
	pthread_mutex_lock(&l->lock);
	while (l->text.data == NULL || strstr(l->text.data, text) == NULL)
		pthread_cond_wait(&l->change, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

static void
set_reply(struct listener *l, enum live_reply reply)
{
	pthread_mutex_lock(&l->lock);
	l->reply = reply;
	pthread_mutex_unlock(&l->lock);
}

static struct watch *
enter(struct desk *d, struct live *live, const char *owner, const char *cursor, enum status expected)
{
	static const char *const keys[] = { "loss", "acc", "loss" };
	const struct live_run runs[] = { { d->runs[1].run_id, 0, "b" }, { d->runs[0].run_id, 0, "a" },
		{ d->runs[1].run_id, 0, "b" } };
	const struct live_in in = { owner, runs, 3, keys, 3, cursor };
	struct watch *w;

	assert_int_equal(live_enter(live, &d->t->cx, &in, &w), expected);
	return w;
}

static struct live *
start(struct desk *d, size_t most)
{
	return live_start(&d->t->parts, &(struct live_options){ .most = most, .most_of_owner = 2 });
}

static void
a_watch_hears_of_its_series_alone_and_each_point_once(void **state)
{
	struct desk d = desk_open(*state);
	struct live *live = start(&d, 10);
	struct cursor before = now(&d);
	struct listener fresh, late;

	listener_init(&fresh);
	listener_init(&late);
	put_point(&d, 0, "loss", 1);
	live_watch(live, enter(&d, live, "x", NULL, OK), &sink, &fresh);
	live_watch(live, enter(&d, live, "x", cursor_write(&d.t->cx, &before), OK), &sink, &late);
	wait_count(&fresh, &fresh.taken, 1);
	wait_text(&late, "a:loss 1;");
	put_point(&d, 1, "other", 5);
	put_point(&d, 1, "acc", 6);
	put_point(&d, 0, "loss", 7);
	wait_text(&fresh, "a:loss 7;");
	wait_text(&late, "a:loss 7;");
	live_stop(live);
	assert_true(fresh.closed == 1 && late.closed == 1);
	assert_null(strstr(fresh.text.data, "loss 1;"));
	assert_null(strstr(late.text.data, "other"));
	assert_int_equal(strlen(late.text.data), strlen("a:loss 1;b:acc 6;a:loss 7;"));
	listener_fini(&fresh);
	listener_fini(&late);
	desk_close(&d);
}

static void
who_has_no_room_is_told_to_read_anew_when_there_is_some(void **state)
{
	struct desk d = desk_open(*state);
	struct live *live = start(&d, 10);
	struct listener l;

	listener_init(&l);
	live_watch(live, enter(&d, live, "x", NULL, OK), &sink, &l);
	wait_count(&l, &l.taken, 1);
	set_reply(&l, LIVE_FULL);
	put_point(&d, 0, "loss", 1);
	wait_count(&l, &l.events, 3); /* it is asked again and again */
	set_reply(&l, LIVE_GOES_ON);
	wait_text(&l, "reset a;reset b;");
	put_point(&d, 0, "loss", 2);
	wait_text(&l, "a:loss 2;");
	assert_null(strstr(l.text.data, "loss 1;"));
	set_reply(&l, LIVE_OVER);
	put_point(&d, 0, "loss", 3);
	wait_count(&l, &l.closed, 1);
	live_stop(live);
	assert_int_equal(l.closed, 1);
	listener_fini(&l);
	desk_close(&d);
}

/* The feed of changes is taken away under it, as when a server was taken for dead. */
static void
a_lost_feed_loses_no_points(void **state)
{
	struct desk d = desk_open(*state);
	struct live *live = start(&d, 10);
	struct listener l;

	listener_init(&l);
	live_watch(live, enter(&d, live, "x", NULL, OK), &sink, &l);
	wait_count(&l, &l.taken, 1);
	for (int64_t step = 0; step < 20; step++) {
		put_point(&d, (int)(step % 2), "loss", step);
		(void)pg_sql(d.t, "BEGIN; DELETE FROM cairn.server; DELETE FROM cairn.run_change; COMMIT");
		wait_text(&l, arena_printf(d.t->arena, "loss %lld;", (long long)step));
	}
	live_stop(live);
	assert_null(strstr(l.text.data, "reset"));
	for (int64_t step = 0; step < 20; step++) {
		const char *text = arena_printf(d.t->arena, "loss %lld;", (long long)step);

		assert_null(strstr(strstr(l.text.data, text) + 1, text));
	}
	listener_fini(&l);
	desk_close(&d);
}

static void
there_are_limits_and_bad_cursors_are_refused(void **state)
{
	struct desk d = desk_open(*state);
	struct live *live = start(&d, 3);
	struct watch *w[3];

	assert_null(enter(&d, live, "x", "nonsense", INVALID));
	w[0] = enter(&d, live, "x", NULL, OK);
	w[1] = enter(&d, live, "x", NULL, OK);
	assert_null(enter(&d, live, "x", NULL, TOO_MANY));
	w[2] = enter(&d, live, "y", NULL, OK);
	assert_null(enter(&d, live, "z", NULL, TOO_MANY));
	live_leave(live, w[1]);
	w[1] = enter(&d, live, "z", NULL, OK);
	for (int i = 0; i < 3; i++)
		live_leave(live, w[i]);
	live_stop(live);
	desk_close(&d);
}

/* Connections of the time before are found broken, one by one. */
static void
wait_for_database(struct desk *d)
{
	struct tx *tx = NULL;

	while (tx_begin(&d->t->cx, &tx) != OK)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	tx_rollback(&tx);
}

static void
while_postgresql_is_away_watches_are_asked_and_then_go_on(void **state)
{
	struct desk d = desk_open(*state);
	struct live *live = start(&d, 10);
	struct listener l;
	unsigned ticks;

	listener_init(&l);
	live_watch(live, enter(&d, live, "x", NULL, OK), &sink, &l);
	wait_count(&l, &l.ticks, 1);
	wait_count(&l, &l.taken, 1);
	pg_stop_server(false);
	pthread_mutex_lock(&l.lock);
	ticks = l.ticks;
	pthread_mutex_unlock(&l.lock);
	wait_count(&l, &l.ticks, ticks + 2);
	pg_start_server();
	wait_for_database(&d);
	put_point(&d, 0, "loss", 1);
	wait_text(&l, "a:loss 1;");
	live_stop(live);
	assert_null(strstr(l.text.data, "reset"));
	listener_fini(&l);
	desk_close(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(news_are_what_the_cursor_did_not_see),
		pg_test(what_was_running_at_the_cursor_is_new_when_it_is_committed),
		pg_test(a_compaction_since_the_cursor_asks_to_read_anew),
		pg_test(who_has_too_much_is_to_be_read_anew),
		pg_test(a_row_that_cannot_be_read_concerns_its_run_alone),
		pg_test(a_watch_hears_of_its_series_alone_and_each_point_once),
		pg_test(who_has_no_room_is_told_to_read_anew_when_there_is_some),
		pg_test(a_lost_feed_loses_no_points),
		pg_test(there_are_limits_and_bad_cursors_are_refused),
		pg_test(while_postgresql_is_away_watches_are_asked_and_then_go_on),
	};

	(void)alarm(120);
	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
