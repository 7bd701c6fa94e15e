/*
 * `lock` guards the list of all watches, which counts them, and of those that were started since the last round. The rest of a watch is
 * the feeder's as soon as it is started.
 *
 * All that follow stand at the same snapshot, `since`. A watch that comes with a cursor, or was left behind when the feed could not be
 * trusted, is late: it stands at a snapshot of its own until a round has read what is new for it. A round reads in one snapshot, and
 * gives away nothing before it has read everything: when PostgreSQL fails in between, the next one reads the same again.
 */
#include "ingest/live.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "ingest/cursor.h"
#include "ingest/news.h"
#include "store/changes.h"

#define ROUND_MS      250
#define TICK_MS       1000
#define SEEN_MS       5000
#define DEADLINE_MS   10000
#define LATE_AT_ONCE  64      /* snapshots of late watches that one round reads */
#define POINTS        1000000 /* of a round */
#define POINTS_OF_RUN 20000   /* who logs more between two looks is better read anew, down-sampled */

struct watch {
	struct watch *prev, *next; /* of all; under the lock */
	struct watch *next_started;
	struct arena *arena; /* with all that follows in it */
	const char *owner;
	struct live_run *runs; /* sorted by run_id, no twins */
	size_t run_count;
	const char **keys; /* sorted, no twins */
	size_t key_count;
	struct live_sink sink;
	void *arg;

	/* the feeder's */
	bool begun;
	bool behind; /* it has not heard all: everything is to be read anew */
	char *since; /* late: stands here; NULL: at the feeder's */
	int64_t since_cluster;
	bool late;
	bool over;
};

struct live {
	struct parts parts;
	struct live_options options;
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct watch *all;
	size_t count;
	struct watch *started;
	bool stopping;
	pthread_t feeder;

	/* the feeder's */
	struct ctx cx;         /* its arena: a round's */
	struct arena *scratch; /* an event's */
	char server_id[33];    /* the feed is kept for it */
	bool joined;
	struct watch **watches;
	size_t n, room;
	struct news_run *watched; /* of all that are not late, sorted, no twins */
	size_t watched_count;
	bool watched_stale;
	char *since; /* NULL: nobody follows yet */
	int64_t cluster;
	char *cursor; /* the same as text */
	int64_t round_mono_ms, tick_mono_ms, seen_mono_ms;
};

/* ---- a watch ---- */

static int
by_run_id(const void *a, const void *b)
{
	const struct live_run *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
copy_runs(struct watch *w, const struct live_in *in)
{
	w->runs = arena_copy(w->arena, in->runs, in->run_count * sizeof(*w->runs));
	if (in->run_count > 1)
		qsort(w->runs, in->run_count, sizeof(*w->runs), by_run_id);
	for (size_t i = 0; i < in->run_count; i++)
		if (i == 0 || w->runs[w->run_count - 1].run_id != w->runs[i].run_id)
			w->runs[w->run_count++] = w->runs[i];
	for (size_t i = 0; i < w->run_count; i++)
		w->runs[i].uuid = arena_str(w->arena, w->runs[i].uuid);
}

static size_t
unique_texts(const char **texts, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(texts, n, sizeof(*texts), by_text);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !str_eq(texts[kept - 1], texts[i]))
			texts[kept++] = texts[i];
	return kept;
}

static void
copy_keys(struct watch *w, const struct live_in *in)
{
	w->keys = arena_copy(w->arena, in->keys, in->key_count * sizeof(*w->keys));
	w->key_count = unique_texts(w->keys, in->key_count);
	for (size_t i = 0; i < w->key_count; i++)
		w->keys[i] = arena_str(w->arena, w->keys[i]);
}

static void
watch_free(struct watch *w)
{
	struct arena *arena = w->arena;

	free(w->since);
	arena_free(arena);
}

static size_t
count_of_owner(const struct live *l, const char *owner)
{
	size_t n = 0;

	for (const struct watch *w = l->all; w != NULL; w = w->next)
		n += str_eq(w->owner, owner);
	return n;
}

static enum status
take_place(struct live *l, struct ctx *cx, struct watch *w)
{
	enum status st = OK;

	pthread_mutex_lock(&l->lock);
	if (l->count >= l->options.most)
		st = fail(cx, TOO_MANY, "%zu live streams are open, which is the most: try again later",
			l->count);
	else if (count_of_owner(l, w->owner) >= l->options.most_of_owner)
		st = fail(cx, TOO_MANY, "you have %zu live streams open, which is the most: close some",
			l->options.most_of_owner);
	if (st == OK) {
		w->next = l->all;
		if (w->next != NULL)
			w->next->prev = w;
		l->all = w;
		l->count++;
	}
	pthread_mutex_unlock(&l->lock);
	return st;
}

enum status
live_enter(struct live *l, struct ctx *cx, const struct live_in *in, struct watch **out)
{
	struct arena *arena = arena_new();
	struct watch *w = arena_alloc(arena, sizeof(*w));
	struct cursor cursor = { 0 };
	enum status st = OK;

	*out = NULL;
	w->arena = arena;
	w->owner = arena_str(arena, in->owner);
	copy_runs(w, in);
	copy_keys(w, in);
	w->late = true;
	if (in->cursor != NULL && (st = cursor_read(cx, in->cursor, &cursor)) == OK) {
		w->since = mem_str(cursor.snapshot);
		w->since_cluster = cursor.system_identifier;
	}
	if (st == OK && (st = take_place(l, cx, w)) == OK)
		*out = w;
	else
		watch_free(w);
	return st;
}

void
live_leave(struct live *l, struct watch *w)
{
	pthread_mutex_lock(&l->lock);
	if (w->next != NULL)
		w->next->prev = w->prev;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		l->all = w->next;
	l->count--;
	pthread_mutex_unlock(&l->lock);
	watch_free(w);
}

void
live_watch(struct live *l, struct watch *w, const struct live_sink *sink, void *arg)
{
	w->sink = *sink;
	w->arg = arg;
	pthread_mutex_lock(&l->lock);
	w->next_started = l->started;
	l->started = w;
	pthread_cond_signal(&l->change);
	pthread_mutex_unlock(&l->lock);
}

/* ---- a round ---- */

/* Watches that stand at one snapshot, and what is new since. */
struct group {
	const char *since; /* NULL: from now on */
	bool foreign;      /* of another cluster, or another life of it */
	struct watch **watches;
	size_t n;
	struct news news;
};

struct round {
	struct live *l;
	struct tx *tx;
	struct cursor now;
	const char *cursor;
	bool trusted; /* the feed told all that changed */
	struct group follow;
	struct group late[LATE_AT_ONCE];
	size_t late_count;
	size_t points; /* left */
};

static int
by_news_run(const void *a, const void *b)
{
	const struct news_run *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static size_t
unique_runs(struct news_run *runs, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(runs, n, sizeof(*runs), by_news_run);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || runs[kept - 1].run_id != runs[i].run_id)
			runs[kept++] = runs[i];
	return kept;
}

static size_t
add_runs(struct news_run *to, const struct watch *w)
{
	for (size_t i = 0; i < w->run_count; i++)
		to[i] = (struct news_run){ w->runs[i].run_id, w->runs[i].experiment_id };
	return w->run_count;
}

static void
renew_watched(struct live *l)
{
	size_t n = 0;

	if (!l->watched_stale)
		return;
	for (size_t i = 0; i < l->n; i++)
		n += l->watches[i]->late ? 0 : l->watches[i]->run_count;
	free(l->watched);
	l->watched = mem_array(n + 1, sizeof(*l->watched));
	n = 0;
	for (size_t i = 0; i < l->n; i++)
		if (!l->watches[i]->late)
			n += add_runs(l->watched + n, l->watches[i]);
	l->watched_count = unique_runs(l->watched, n);
	l->watched_stale = false;
}

/* Does one of the watch's runs stand in the list? */
static bool
concerns(const struct watch *w, const struct news_run *runs, size_t n)
{
	for (size_t i = 0; i < w->run_count; i++) {
		const struct news_run key = { w->runs[i].run_id, 0 };

		if (bsearch(&key, runs, n, sizeof(key), by_news_run) != NULL)
			return true;
	}
	return false;
}

/* The keys of all watches that one of the runs concerns. */
static const char **
keys_of(struct round *r, const struct group *g, const struct news_run *runs, size_t run_count, size_t *count)
{
	struct arena *arena = r->l->cx.arena;
	size_t n = 0;
	const char **keys;

	for (size_t i = 0; i < g->n; i++)
		n += g->watches[i]->key_count;
	keys = arena_array(arena, n, sizeof(*keys));
	n = 0;
	for (size_t i = 0; i < g->n; i++) {
		const struct watch *w = g->watches[i];

		if (!concerns(w, runs, run_count))
			continue;
		memcpy(keys + n, w->keys, w->key_count * sizeof(*keys));
		n += w->key_count;
	}
	*count = unique_texts(keys, n);
	return keys;
}

static enum status
read_group(struct round *r, struct group *g, const struct news_run *runs, size_t n)
{
	struct news_in in = { .since = g->since,
		.runs = runs,
		.run_count = n,
		.most = r->points,
		.most_of_run = POINTS_OF_RUN };
	enum status st;

	if (n == 0)
		return OK;
	in.keys = keys_of(r, g, runs, n, &in.key_count);
	st = ingest_news(r->tx, &in, &g->news);
	r->points -= g->news.points < r->points ? g->news.points : r->points;
	return st;
}

/* ---- those who follow ---- */

static enum status
read_changes(struct round *r, struct news_run **runs, size_t *n)
{
	struct live *l = r->l;
	struct change_look look;
	enum status st;

	*n = 0;
	if ((st = store_change_look(r->tx, l->since, l->server_id, &look)) != OK)
		return st;
	r->trusted = look.known && look.n <= CHANGE_LOOK_MOST;
	*runs = arena_array(l->cx.arena, look.n, sizeof(**runs));
	for (size_t i = 0; r->trusted && i < look.n; i++) {
		const struct news_run key = { look.run_ids[i], look.experiment_ids[i] };

		if (bsearch(&key, l->watched, l->watched_count, sizeof(key), by_news_run) != NULL)
			(*runs)[(*n)++] = key;
	}
	*n = unique_runs(*runs, *n);
	return OK;
}

static enum status
read_follow(struct round *r)
{
	struct live *l = r->l;
	struct group *g = &r->follow;
	struct news_run *runs;
	size_t n;
	enum status st;

	r->trusted = true;
	if (l->since == NULL)
		return OK;
	renew_watched(l);
	g->since = l->since;
	g->foreign = r->now.system_identifier != l->cluster;
	g->watches = arena_array(l->cx.arena, l->n, sizeof(struct watch *));
	for (size_t i = 0; i < l->n; i++)
		if (!l->watches[i]->late)
			g->watches[g->n++] = l->watches[i];
	if (g->foreign)
		return OK;
	if ((st = read_changes(r, &runs, &n)) != OK)
		return st;
	return read_group(r, g, runs, n);
}

/* ---- those who are late ---- */

static bool
stands_at(const struct group *g, const struct watch *w, bool foreign)
{
	if (g->foreign != foreign)
		return false;
	return foreign || w->since == g->since || str_eq(w->since, g->since);
}

/* NULL: there are too many for this round. */
static struct group *
group_of(struct round *r, const struct watch *w)
{
	bool foreign = w->since != NULL && w->since_cluster != r->now.system_identifier;
	struct group *g;

	for (size_t i = 0; i < r->late_count; i++)
		if (stands_at(&r->late[i], w, foreign))
			return &r->late[i];
	if (r->late_count == LATE_AT_ONCE)
		return NULL;
	g = &r->late[r->late_count++];
	g->since = w->since;
	g->foreign = foreign;
	g->watches = arena_array(r->l->cx.arena, r->l->n, sizeof(struct watch *));
	return g;
}

static enum status
read_late_group(struct round *r, struct group *g)
{
	struct news_run *runs;
	size_t n = 0;

	if (g->since == NULL || g->foreign)
		return OK;
	for (size_t i = 0; i < g->n; i++)
		n += g->watches[i]->run_count;
	runs = arena_array(r->l->cx.arena, n, sizeof(*runs));
	n = 0;
	for (size_t i = 0; i < g->n; i++)
		n += add_runs(runs + n, g->watches[i]);
	return read_group(r, g, runs, unique_runs(runs, n));
}

static enum status
read_late(struct round *r)
{
	enum status st = OK;

	for (size_t i = 0; i < r->l->n; i++) {
		struct watch *w = r->l->watches[i];
		struct group *g = w->late ? group_of(r, w) : NULL;

		if (g != NULL)
			g->watches[g->n++] = w;
	}
	for (size_t i = 0; st == OK && i < r->late_count; i++)
		st = read_late_group(r, &r->late[i]);
	return st;
}

/* ---- giving it away ---- */

static void
say(struct watch *w, const struct live_event *e)
{
	enum live_reply reply;

	if (w->begun && e->n == 0 && e->reset_count == 0)
		return;
	reply = w->sink.event(w->arg, e);
	w->begun |= reply == LIVE_GOES_ON;
	w->behind = reply == LIVE_FULL;
	w->over |= reply == LIVE_OVER;
}

static void
say_series(struct round *r, const struct watch *w, const struct news *news, struct live_event *e)
{
	struct live_series *series = arena_array(r->l->scratch, w->run_count * w->key_count, sizeof(*series));
	const char **reset = arena_array(r->l->scratch, w->run_count, sizeof(*reset));

	for (size_t i = 0; i < w->run_count; i++) {
		const struct live_run *run = &w->runs[i];

		if (news_is_reset(news, run->run_id))
			reset[e->reset_count++] = run->uuid;
		for (size_t k = 0; news->n > 0 && k < w->key_count; k++) {
			const struct news_series *s = news_find(news, run->run_id, w->keys[k]);

			if (s != NULL)
				series[e->n++] =
					(struct live_series){ run->uuid, w->keys[k], s->samples, s->n };
		}
	}
	e->series = series;
	e->reset = reset;
}

static void
say_all_anew(struct round *r, const struct watch *w, struct live_event *e)
{
	const char **reset = arena_array(r->l->scratch, w->run_count, sizeof(*reset));

	for (size_t i = 0; i < w->run_count; i++)
		reset[e->reset_count++] = w->runs[i].uuid;
	e->reset = reset;
}

static void
give_group(struct round *r, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct live_event e = { .cursor = r->cursor };
		struct watch *w = g->watches[i];

		arena_reset(r->l->scratch);
		if (w->behind || g->foreign)
			say_all_anew(r, w, &e);
		else if (!w->begun || g->news.n > 0 || g->news.reset_count > 0)
			say_series(r, w, &g->news, &e);
		say(w, &e);
		if (!w->late)
			continue;
		w->late = false;
		free(w->since);
		w->since = NULL;
		r->l->watched_stale = true;
	}
}

/* The feed may have lost changes: who followed it until now has to find out alone what came, and the feed is joined anew. */
static void
leave_behind(struct live *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct watch *w = l->watches[i];

		if (w->late)
			continue;
		w->late = true;
		w->since = mem_str(l->since);
		w->since_cluster = l->cluster;
	}
	free(l->since);
	l->since = NULL;
	l->joined = false;
	l->watched_stale = true;
}

static void
give(struct round *r)
{
	struct live *l = r->l;

	r->cursor = cursor_write(&l->cx, &r->now);
	give_group(r, &r->follow);
	for (size_t i = 0; i < r->late_count; i++)
		give_group(r, &r->late[i]);
	free(l->since);
	l->since = mem_str(r->now.snapshot);
	l->cluster = r->now.system_identifier;
	free(l->cursor);
	l->cursor = mem_str(r->cursor);
}

/* ---- the feed ---- */

/* From now on the feed is kept for us. */
static enum status
join_feed(struct live *l)
{
	struct tx *tx = NULL;
	enum status st = OK;

	if (l->joined)
		return OK;
	if ((st = tx_begin(&l->cx, &tx)) == OK && (st = store_server_put(tx, l->server_id)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	l->joined = st == OK;
	return st;
}

static void
leave_feed(struct live *l)
{
	struct tx *tx = NULL;

	if (l->joined && tx_auto(&l->cx, &tx) == OK && store_server_delete(tx, l->server_id) == OK &&
		tx_commit(&tx) != OK)
		log_debug("live", "message=\"%s\"", l->cx.message);
	tx_rollback(&tx);
	l->joined = false;
	free(l->since);
	l->since = NULL;
}

static void
tell_seen(struct live *l)
{
	int64_t now = clock_mono_ms();
	struct tx *tx = NULL;

	if (now - l->seen_mono_ms < SEEN_MS)
		return;
	l->seen_mono_ms = now;
	if (tx_auto(&l->cx, &tx) == OK && store_server_seen(tx, l->server_id, l->since) == OK &&
		tx_commit(&tx) != OK)
		log_debug("live", "message=\"%s\"", l->cx.message);
	tx_rollback(&tx);
}

static enum status
look(struct live *l)
{
	struct round *r = arena_alloc(l->cx.arena, sizeof(*r));
	enum status st;

	r->l = l;
	r->points = POINTS;
	if ((st = join_feed(l)) == OK && (st = tx_begin_snapshot(&l->cx, &r->tx)) == OK &&
		(st = cursor_now(r->tx, &r->now)) == OK && (st = read_follow(r)) == OK)
		st = read_late(r);
	tx_rollback(&r->tx);
	if (st == OK && !r->trusted) {
		leave_behind(l);
	} else if (st == OK) {
		give(r);
		tell_seen(l);
	}
	return st;
}

/* ---- the feeder ---- */

static void
take_started(struct live *l)
{
	pthread_mutex_lock(&l->lock);
	while (l->started != NULL) {
		struct watch *w = l->started;

		l->started = w->next_started;
		if (l->n == l->room) {
			l->room = l->room * 2 + 16;
			l->watches = mem_resize(l->watches, l->room, sizeof(struct watch *));
		}
		l->watches[l->n++] = w;
	}
	pthread_mutex_unlock(&l->lock);
}

static void
close_watch(struct live *l, struct watch *w)
{
	w->sink.closed(w->arg);
	live_leave(l, w);
	l->watched_stale = true;
}

static void
drop_those_over(struct live *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->watches[i]->over)
			close_watch(l, l->watches[i]);
		else
			l->watches[kept++] = l->watches[i];
	}
	l->n = kept;
}

static void
tick_all(struct live *l)
{
	int64_t now = clock_mono_ms();

	if (now - l->tick_mono_ms < TICK_MS)
		return;
	l->tick_mono_ms = now;
	for (size_t i = 0; i < l->n; i++) {
		struct watch *w = l->watches[i];

		if (!w->over)
			w->over = w->sink.tick(w->arg,
					  w->begun && !w->late && !w->behind ? l->cursor : NULL) == LIVE_OVER;
	}
}

static void
one_round(struct live *l)
{
	arena_reset(l->cx.arena);
	l->cx.deadline_mono_ms = clock_mono_ms() + DEADLINE_MS;
	take_started(l);
	if (l->n > 0 && look(l) != OK)
		log_debug("live", "message=\"%s\"", l->cx.message);
	tick_all(l);
	drop_those_over(l);
	if (l->n == 0)
		leave_feed(l);
}

static struct timespec
mono_time(int64_t ms)
{
	return (struct timespec){ .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L };
}

/* Until the next round is due: at once for who has just come, when the one before is not too near. */
static bool
wait_round(struct live *l)
{
	bool stopping;

	pthread_mutex_lock(&l->lock);
	while (!l->stopping && l->started == NULL) {
		struct timespec until = mono_time(l->round_mono_ms + ROUND_MS);

		if (l->n == 0)
			pthread_cond_wait(&l->change, &l->lock);
		else if (pthread_cond_timedwait(&l->change, &l->lock, &until) != 0)
			break;
	}
	stopping = l->stopping;
	pthread_mutex_unlock(&l->lock);
	return !stopping;
}

static void *
feed(void *arg)
{
	struct live *l = arg;

	while (wait_round(l)) {
		l->round_mono_ms = clock_mono_ms();
		one_round(l);
	}
	take_started(l);
	for (size_t i = 0; i < l->n; i++)
		close_watch(l, l->watches[i]);
	l->n = 0;
	l->cx.deadline_mono_ms = clock_mono_ms() + DEADLINE_MS;
	leave_feed(l);
	return NULL;
}

struct live *
live_start(const struct parts *parts, const struct live_options *options)
{
	struct live *l = mem_alloc(sizeof(*l));
	pthread_condattr_t attr;

	l->parts = *parts;
	l->options = *options;
	random_hex(l->server_id, 16);
	ctx_init(&l->cx, arena_new(), &l->parts);
	l->scratch = arena_new();
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->change, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&l->feeder, NULL, feed, l) != 0) {
		log_error("live", "message=\"no thread for live streams\"");
		abort();
	}
	return l;
}

void
live_stop(struct live *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_signal(&l->change);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->feeder, NULL);
	arena_free(l->cx.arena);
	arena_free(l->scratch);
	free(l->watches);
	free(l->watched);
	free(l->since);
	free(l->cursor);
	pthread_cond_destroy(&l->change);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
