/*
 * The queue and its one writer. The writer takes what is queued as soon as its last commit has returned (no timer), and commits it in
 * one transaction (commit.h). Then everybody hears.
 *
 * `lock` guards the queue; `stopping` is set under it. A request belongs to the queue, then to the writer, until its `done` was called.
 * The ctx of whoever submitted it is written by the writer alone in that time.
 */
#include "ingest/ingest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ingest/due.h"
#include "ingest/commit.h"
#include "store/metrics.h"

#define COMMIT_BYTES    (4u << 20)  /* most of what one transaction takes from the queue */
#define KEY_CACHE_BYTES (16u << 20) /* names and numbers kept in memory */
#define ROW_USUAL       500         /* of a row among several; it is only about how soon a run is compacted */

struct ingest {
	struct parts parts;
	size_t limit_bytes;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct request *first, **last;
	size_t queued_bytes;
	atomic_bool stopping;
	pthread_t thread;
	struct keys *keys;
	struct seqs seqs;
	struct due *due;
};

/* ---- handing over ---- */

static enum status
enqueue(struct ingest *in, struct request *r)
{
	enum status st = OK;

	pthread_mutex_lock(&in->lock);
	if (atomic_load(&in->stopping)) {
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
	size_t bytes = sizeof(struct request) + n * sizeof(*points);
	struct request *r;
	enum status st;

	if (n > in->limit_bytes / sizeof(*points))
		return fail(
			cx, TOO_LARGE, "%zu points are too many for one request; send them in several", n);
	r = mem_alloc(sizeof(*r));
	*r = (struct request){ .cx = cx,
		.done = done,
		.arg = arg,
		.bytes = bytes,
		.run_uuid = run_uuid,
		.points = points,
		.n = n };
	if ((st = enqueue(in, r)) != OK)
		free(r);
	return st;
}

/* ---- the writer ---- */

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

static int
by_run(const void *a, const void *b)
{
	const struct request *x = *(struct request *const *)a, *y = *(struct request *const *)b;

	return strcmp(x->run_uuid, y->run_uuid);
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
	while (in->first == NULL && !atomic_load(&in->stopping))
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
	struct writer w;
	struct request *r;
	struct group g = { 0 };
	size_t room = 0;

	writer_init(&w, &in->parts, in->keys, &in->seqs, &in->stopping);
	while ((r = wait_queued(in, &g.n)) != NULL) {
		if (g.n > room) {
			room = g.n * 2;
			g.items = mem_resize(g.items, room, sizeof(struct request *));
		}
		for (size_t i = 0; r != NULL; r = r->next)
			g.items[i++] = r;
		qsort(g.items, g.n, sizeof(struct request *), by_run);
		writer_commit(&w, g);
		note_written(in, &g);
		answer(&g);
	}
	free(g.items);
	writer_fini(&w);
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
	atomic_store(&in->stopping, true);
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
	if (st == ALREADY_EXISTS) { /* the sequence went back: another block */
		seqs_forget(&in->seqs);
		st = fail(tx_ctx(tx), UNAVAILABLE, "the metrics were not stored; try again");
	}
	if (st == OK) /* when the caller's transaction comes to nothing, there is only less to compact */
		due_note(in->due, run_id, 1 + n / ROW_USUAL, n);
	rows_fini(&rows); /* the names it made are remembered when somebody finds them committed */
	return st;
}
