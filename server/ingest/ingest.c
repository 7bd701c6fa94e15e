/*
 * The queue and its one writer. The writer takes what is queued as soon as its last commit has returned (no timer), and commits it in
 * one transaction: lock the runs, number new names, COPY, COMMIT. Then everybody hears.
 *
 * `lock` guards the queue and `stopping`. A request belongs to the queue, then to the writer, until its `done` was called. The ctx of
 * whoever submitted it is written by the writer alone in that time.
 *
 * COMMIT sent, answer lost: the same rows go again with the same numbers. A unique violation says that they were committed; the
 * index makes it wait for a first try that is still on its way.
 */
#include "ingest/ingest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/due.h"
#include "ingest/rows.h"
#include "store/metrics.h"

#define COMMIT_BYTES    (4u << 20)  /* most of what one transaction takes from the queue */
#define KEY_CACHE_BYTES (16u << 20) /* names and numbers kept in memory */
#define SETTLE_MS       15000       /* how long an unknown commit is looked into */
#define SETTLE_STOP_MS  3000        /* the same when the server is stopping */
#define SETTLE_PAUSE_MS 50
#define ROW_USUAL       500 /* of a row among several; it is only about how soon a run is compacted */
#define TRIES           2   /* nothing was sent yet: a broken connection or a deadlock is met once more */

struct request {
	struct request *next;
	struct ctx *cx;
	ingest_done_fn *done;
	void *arg;
	size_t bytes;
	enum status status;
	int64_t run_id, experiment_id;
	size_t from; /* of its points in the rows */
	const char *run_uuid;
	struct point *points;
	size_t n;
};

struct ingest {
	struct parts parts;
	size_t limit_bytes;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct request *first, **last;
	size_t queued_bytes;
	bool stopping;
	pthread_t thread;
	struct keys *keys;
	struct seqs seqs;
	struct due *due;
};

/* ---- handing over ---- */

/* The names of a request that were copied already: scanners hand out the same pointer for the same name. */
#define NAMES 64

struct names {
	const char *from[NAMES], *to[NAMES];
};

static const char **
name_slot(struct names *names, const char *name, bool *known)
{
	size_t at = ((uintptr_t)name >> 3 ^ (uintptr_t)name >> 9) % NAMES;

	*known = names->from[at] == name;
	names->from[at] = name;
	return &names->to[at];
}

static size_t
names_bytes(const struct point *points, size_t n)
{
	struct names names = { 0 };
	size_t bytes = 0;
	bool known;

	for (size_t i = 0; i < n; i++) {
		(void)name_slot(&names, points[i].key, &known);
		if (!known)
			bytes += strlen(points[i].key) + 1;
	}
	return bytes;
}

static void
copy_points(struct request *r, char *text, const struct point *points)
{
	struct names names = { 0 };
	bool known;

	for (size_t i = 0; i < r->n; i++) {
		const char **name = name_slot(&names, points[i].key, &known);

		if (!known) {
			size_t len = strlen(points[i].key) + 1;

			*name = memcpy(text, points[i].key, len);
			text += len;
		}
		r->points[i] = points[i];
		r->points[i].key = *name;
	}
}

/* One block of memory: the request, its points, its text. */
static struct request *
request_new(struct ctx *cx, const char *run_uuid, const struct point *points, size_t n)
{
	size_t uuid_bytes = strlen(run_uuid) + 1;
	size_t bytes = sizeof(struct request) + n * sizeof(*points) + uuid_bytes + names_bytes(points, n);
	struct request *r = mem_alloc(bytes);
	char *text;

	r->cx = cx;
	r->bytes = bytes;
	r->n = n;
	r->points = (struct point *)(void *)(r + 1);
	text = (char *)(r->points + n);
	r->run_uuid = memcpy(text, run_uuid, uuid_bytes);
	copy_points(r, text + uuid_bytes, points);
	return r;
}

static enum status
enqueue(struct ingest *in, struct request *r)
{
	enum status st = OK;

	pthread_mutex_lock(&in->lock);
	if (in->stopping) {
		st = fail(r->cx, UNAVAILABLE, "the server is stopping; try again");
	} else if (in->queued_bytes + r->bytes > in->limit_bytes) {
		st = fail(r->cx, UNAVAILABLE, "too many metrics wait to be stored; try again");
	} else {
		in->queued_bytes += r->bytes;
		if (in->first == NULL)
			pthread_cond_signal(&in->filled);
		*in->last = r;
		in->last = &r->next;
	}
	pthread_mutex_unlock(&in->lock);
	return st;
}

enum status
ingest_submit(struct ingest *in, struct ctx *cx, const char *run_uuid, const struct point *points, size_t n,
	ingest_done_fn *done, void *arg)
{
	struct request *r;
	enum status st;

	if (n > in->limit_bytes / sizeof(*points))
		return fail(
			cx, TOO_LARGE, "%zu points are too many for one request; send them in several", n);
	r = request_new(cx, run_uuid, points, n);
	r->done = done;
	r->arg = arg;
	if ((st = enqueue(in, r)) != OK)
		free(r);
	return st;
}

/* ---- the writer ---- */

struct writer {
	struct ingest *in;
	struct ctx cx;
	struct rows rows;
};

struct group {
	struct request **items; /* sorted by run */
	size_t n;
};

static enum status
unknown_run(struct ctx *cx, const char *uuid)
{
	return fail(cx, NOT_FOUND, "Run with id=%.300s not found", uuid);
}

static enum status
deleted_run(struct ctx *cx, const char *uuid)
{
	return fail(
		cx, INVALID, "The run %.300s must be in the 'active' state. Current state is deleted.", uuid);
}

static int
by_run(const void *a, const void *b)
{
	const struct request *x = *(struct request *const *)a, *y = *(struct request *const *)b;

	return strcmp(x->run_uuid, y->run_uuid);
}

/* Lock all runs of the group by one statement; requests for runs that are not there, or deleted, fail alone. */
static enum status
lock_runs(struct writer *w, struct tx *tx, const struct group *g)
{
	const char **uuids = arena_array(w->cx.arena, g->n, sizeof(*uuids));
	struct metric_run *runs;
	size_t n = 0, found, at = 0;
	enum status st;

	for (size_t i = 0; i < g->n; i++)
		if (n == 0 || strcmp(uuids[n - 1], g->items[i]->run_uuid) != 0)
			uuids[n++] = g->items[i]->run_uuid;
	if ((st = store_metric_runs_share(tx, uuids, n, &runs, &found)) != OK)
		return st;
	for (size_t i = 0; i < g->n; i++) {
		struct request *r = g->items[i];

		while (at < found && strcmp(runs[at].uuid, r->run_uuid) < 0)
			at++;
		if (at == found || strcmp(runs[at].uuid, r->run_uuid) != 0) {
			r->status = unknown_run(r->cx, r->run_uuid);
		} else if (runs[at].deleted) {
			r->status = deleted_run(r->cx, r->run_uuid);
		} else {
			r->status = OK;
			r->run_id = runs[at].run_id;
			r->experiment_id = runs[at].experiment_id;
		}
	}
	return OK;
}

static void
add_points(struct writer *w, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct request *r = g->items[i];

		r->from = w->rows.n;
		if (r->status == OK)
			rows_add_points(&w->rows, r->experiment_id, r->points, r->n);
	}
}

static enum status
number_names(struct writer *w, struct tx *tx, const struct group *g)
{
	enum status st;

	if (key_work_missing(w->rows.keys) == 0)
		return OK;
	if ((st = key_work_make(w->rows.keys, tx)) != OK)
		return st;
	for (size_t i = 0; i < g->n; i++) {
		struct request *r = g->items[i];

		if (r->status == OK)
			rows_fill_keys(&w->rows, r->experiment_id, r->points, r->n, r->from);
	}
	return OK;
}

/* Requests of one run stand together, so their points do: they share rows. */
static enum status
pack(struct writer *w, struct tx *tx, const struct group *g)
{
	enum status st = OK;

	for (size_t i = 0, next; st == OK && i < g->n; i = next) {
		const struct request *r = g->items[i];
		size_t n = 0;

		for (next = i; next < g->n && strcmp(g->items[next]->run_uuid, r->run_uuid) == 0; next++)
			n += g->items[next]->n;
		if (r->status == OK)
			st = rows_pack(&w->rows, tx, r->run_id, r->from, n);
	}
	return st;
}

static enum status
fill(struct writer *w, struct tx *tx, const struct group *g)
{
	enum status st;

	if ((st = lock_runs(w, tx, g)) != OK)
		return st;
	add_points(w, g);
	if ((st = number_names(w, tx, g)) != OK)
		return st;
	if ((st = pack(w, tx, g)) != OK || w->rows.copy.len == 0)
		return st;
	return store_metric_tail_copy(tx, &w->rows.copy);
}

static void
pause_ms(int64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L };

	(void)nanosleep(&ts, NULL);
}

/* A run that was deleted or purged since the rows were made: then they may not go in by this way. */
static enum status
still_writable(struct writer *w, struct tx *tx, const struct group *g)
{
	enum status *before = arena_array(w->cx.arena, g->n, sizeof(*before));
	enum status st;
	bool same = true;

	for (size_t i = 0; i < g->n; i++)
		before[i] = g->items[i]->status;
	if ((st = lock_runs(w, tx, g)) != OK)
		return st;
	for (size_t i = 0; i < g->n; i++)
		same = same && before[i] == g->items[i]->status;
	for (size_t i = 0; i < g->n; i++)
		g->items[i]->status = before[i];
	return same ? OK : fail(&w->cx, CONFLICT, "a run changed meanwhile");
}

/*
 * The same rows once more. OK: committed, now or before. CONFLICT: not committed, and the group must be looked at anew, also when its
 * names got their numbers in the transaction that is lost.
 */
static enum status
send_again(struct writer *w, const struct group *g)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(&w->cx, &tx)) != OK)
		return st;
	st = store_metric_tail_copy(tx, &w->rows.copy);
	if (st == ALREADY_EXISTS)
		st = OK;
	else if (st == OK && key_work_looked(w->rows.keys))
		st = fail(&w->cx, CONFLICT, "the names are to be numbered anew");
	else if (st == OK && (st = still_writable(w, tx, g)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

static bool
patient(struct ingest *in, int64_t since_mono_ms)
{
	bool stopping;

	pthread_mutex_lock(&in->lock);
	stopping = in->stopping;
	pthread_mutex_unlock(&in->lock);
	return clock_mono_ms() - since_mono_ms < (stopping ? SETTLE_STOP_MS : SETTLE_MS);
}

/* After a commit whose answer was lost. */
static enum status
settle(struct writer *w, const struct group *g)
{
	int64_t since = clock_mono_ms();
	enum status st = UNAVAILABLE;

	log_warn("commit_unknown", "requests=%zu", g->n);
	while ((st == UNAVAILABLE || st == TIMED_OUT) && patient(w->in, since)) {
		pause_ms(SETTLE_PAUSE_MS);
		st = send_again(w, g);
	}
	log_info("commit_settled", "requests=%zu kept=%s", g->n,
		st == OK         ? "true"
		: st == CONFLICT ? "false"
				 : "unknown");
	return st;
}

static enum status
commit(struct writer *w, struct tx **tx, const struct group *g)
{
	enum status st = tx_commit(tx);

	if ((st == UNAVAILABLE || st == TIMED_OUT) && w->rows.copy.len > 0) {
		st = settle(w, g);
		if (st == CONFLICT)
			return st;
		if (st != OK)
			return fail(&w->cx, UNAVAILABLE,
				"PostgreSQL went away before it confirmed the points; send them again: "
				"points that were kept "
				"do not count twice");
	}
	return st;
}

/* *sent: COMMIT was on its way, and a failure is final. */
static enum status
try_group(struct writer *w, const struct group *g, bool *sent)
{
	struct tx *tx = NULL;
	enum status st;

	*sent = false;
	arena_reset(w->cx.arena);
	rows_clear(&w->rows);
	if ((st = tx_begin(&w->cx, &tx)) != OK)
		return st;
	if ((st = fill(w, tx, g)) == OK) {
		*sent = true;
		st = commit(w, &tx, g);
	}
	tx_rollback(&tx);
	if (st == OK)
		key_work_committed(w->rows.keys);
	if (st == ALREADY_EXISTS)
		seqs_forget(&w->in->seqs); /* the sequence went back: another block */
	return st;
}

static bool
worth_another_try(enum status st, bool sent)
{
	return st == CONFLICT || st == ALREADY_EXISTS || (st == UNAVAILABLE && !sent);
}

static void
fail_all(struct writer *w, const struct group *g, enum status st)
{
	if (st == TIMED_OUT || st == CONFLICT || st == ALREADY_EXISTS)
		st = UNAVAILABLE;
	for (size_t i = 0; i < g->n; i++)
		g->items[i]->status = fail(g->items[i]->cx, st, "%s", w->cx.message);
}

/* One bad request must not fail the others: a group that PostgreSQL refuses is halved until the bad one stands alone. */
static void
write_group(struct writer *w, struct group g)
{
	struct group half = { g.items, g.n / 2 }, rest = { g.items + g.n / 2, g.n - g.n / 2 };
	enum status st = UNAVAILABLE;
	bool sent = false;

	for (int i = 0; i < TRIES; i++)
		if ((st = try_group(w, &g, &sent)) == OK)
			return;
		else if (!worth_another_try(st, sent))
			break;
	if (st == UNAVAILABLE || st == TIMED_OUT || g.n == 1) {
		fail_all(w, &g, st);
		return;
	}
	write_group(w, half);
	write_group(w, rest);
}

/* Requests of one run stand together, and share rows. */
static void
note_written(struct ingest *in, const struct group *g)
{
	for (size_t i = 0, next; i < g->n; i = next) {
		const struct request *r = g->items[i];
		size_t n = 0;

		for (next = i; next < g->n && strcmp(g->items[next]->run_uuid, r->run_uuid) == 0; next++)
			n += g->items[next]->status == OK ? g->items[next]->n : 0;
		if (n > 0)
			due_note(in->due, r->run_id, 1 + n / ROW_USUAL, n);
	}
}

static void
answer(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct request *r = g->items[i];

		r->done(r->arg, r->status);
		free(r);
	}
}

/* Under the lock: what one transaction takes. */
static struct request *
take_queued(struct ingest *in, size_t *n)
{
	struct request *first = in->first, **end = &in->first;
	size_t bytes = 0;

	for (*n = 0; *end != NULL && (*n == 0 || bytes + (*end)->bytes <= COMMIT_BYTES); ++*n) {
		bytes += (*end)->bytes;
		end = &(*end)->next;
	}
	in->first = *end;
	*end = NULL;
	if (in->first == NULL)
		in->last = &in->first;
	in->queued_bytes -= bytes;
	return first;
}

/* NULL: stopped, and nothing is left. */
static struct request *
wait_queued(struct ingest *in, size_t *n)
{
	struct request *taken = NULL;

	pthread_mutex_lock(&in->lock);
	while (in->first == NULL && !in->stopping)
		pthread_cond_wait(&in->filled, &in->lock);
	if (in->first != NULL)
		taken = take_queued(in, n);
	pthread_mutex_unlock(&in->lock);
	return taken;
}

static void *
writer_main(void *arg)
{
	struct ingest *in = arg;
	struct writer w = { .in = in };
	struct request *r;
	struct group g = { 0 };
	size_t room = 0;

	ctx_init(&w.cx, arena_new(), &in->parts);
	rows_init(&w.rows, in->keys, &in->seqs);
	while ((r = wait_queued(in, &g.n)) != NULL) {
		if (g.n > room) {
			room = g.n * 2;
			g.items = mem_resize(g.items, room, sizeof(struct request *));
		}
		for (size_t i = 0; r != NULL; r = r->next)
			g.items[i++] = r;
		qsort(g.items, g.n, sizeof(struct request *), by_run);
		write_group(&w, g);
		note_written(in, &g);
		answer(&g);
	}
	free(g.items);
	rows_fini(&w.rows);
	arena_free(w.cx.arena);
	return NULL;
}

/* ---- start and stop ---- */

struct ingest *
ingest_start(const struct ingest_options *options)
{
	struct ingest *in = mem_alloc(sizeof(*in));

	in->parts.pool = options->pool;
	in->limit_bytes = options->queue_limit_bytes;
	in->last = &in->first;
	in->keys = keys_new(KEY_CACHE_BYTES);
	seqs_init(&in->seqs);
	in->due = due_new();
	pthread_mutex_init(&in->lock, NULL);
	pthread_cond_init(&in->filled, NULL);
	if (pthread_create(&in->thread, NULL, writer_main, in) != 0) {
		log_error("ingest", "message=\"no thread for the writer\"");
		abort();
	}
	return in;
}

void
ingest_stop(struct ingest *in)
{
	if (in == NULL)
		return;
	pthread_mutex_lock(&in->lock);
	in->stopping = true;
	pthread_cond_signal(&in->filled);
	pthread_mutex_unlock(&in->lock);
	pthread_join(in->thread, NULL);
	keys_free(in->keys);
	seqs_fini(&in->seqs);
	due_free(in->due);
	pthread_cond_destroy(&in->filled);
	pthread_mutex_destroy(&in->lock);
	free(in);
}

struct due *
ingest_due(struct ingest *in)
{
	return in->due;
}

void
ingest_run_ended(struct ingest *in, int64_t run_id)
{
	if (in != NULL)
		due_now(in->due, run_id, true);
}

/* ---- inside the caller's transaction ---- */

enum status
ingest_write(struct ingest *in, struct tx *tx, int64_t run_id, int64_t experiment_id,
	const struct point *points, size_t n)
{
	struct rows rows;
	enum status st = OK;

	rows_init(&rows, in->keys, &in->seqs);
	rows_add_points(&rows, experiment_id, points, n);
	if (key_work_missing(rows.keys) > 0 && (st = key_work_make(rows.keys, tx)) == OK)
		rows_fill_keys(&rows, experiment_id, points, n, 0);
	if (st == OK && (st = rows_pack(&rows, tx, run_id, 0, n)) == OK && rows.copy.len > 0)
		st = store_metric_tail_copy(tx, &rows.copy);
	if (st == OK) /* when the caller's transaction comes to nothing, there is only less to compact */
		due_note(in->due, run_id, 1 + n / ROW_USUAL, n);
	rows_fini(&rows); /* the names it made are remembered when somebody finds them committed */
	return st;
}
