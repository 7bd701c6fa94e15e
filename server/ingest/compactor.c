#include "ingest/compactor.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/compact.h"
#include "ingest/due.h"
#include "ingest/ingest.h"
#include "store/changes.h"
#include "store/metric_chunks.h"

#define FORMAT         2           /* what is written here: chunks and summaries */
#define SETTLED_MS     10000       /* PostgreSQL has run so long: servers that live have said so again */
#define SAY_EVERY_MS   5000        /* that this one lives, and look whether all read the format */
#define SWEEP_EVERY_MS 600000      /* as old as a run's oldest point may become */
#define SWEEP_MOST     100000      /* runs of one sweep; the rest is found by the next */
#define RETRY_MS       15000       /* after a failure, or when somebody else is at it */
#define PAUSE_MS       500         /* after a failure, before the next run */
#define VACUUM_BYTES   (64u << 20) /* of tail rows that were taken: then their room is given back */
#define VACUUM_ROWS    200000
#define VACUUM_PART    10 /* at most one part in so many of the time */
#define NICE           5

struct compactor {
	struct compactor_options options;
	struct parts parts;
	struct due *due;
	char server_id[33];
	pthread_t thread;
	struct arena *arena;
	struct compact *compact;
	bool allowed;
	int64_t said_mono_ms, swept_mono_ms; /* 0: not yet */
	size_t taken_bytes, taken_rows;      /* since the last vacuum */
	int64_t vacuum_mono_ms;              /* not before then */
	struct metric_tail_run *left;        /* owned; what the last sweep saw, by run */
	size_t left_count;
};

static struct ctx
new_ctx(struct compactor *c)
{
	struct ctx cx;

	arena_reset(c->arena);
	ctx_init(&cx, c->arena, &c->parts);
	return cx;
}

/* ---- may it work? ---- */

static enum status
say(struct compactor *c, struct ctx *cx, bool *allowed)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = store_server_put(tx, c->server_id)) == OK &&
		(st = store_server_all_read(tx, c->server_id, FORMAT, SETTLED_MS, allowed)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

static void
look(struct compactor *c)
{
	struct ctx cx = new_ctx(c);
	int64_t now = clock_mono_ms();
	bool allowed = false;

	if (c->said_mono_ms != 0 && now - c->said_mono_ms < SAY_EVERY_MS)
		return;
	c->said_mono_ms = now;
	if (say(c, &cx, &allowed) != OK)
		log_debug("compaction", "message=\"%s\"", cx.message);
	if (allowed != c->allowed)
		log_info("compaction", "allowed=%s", allowed ? "true" : "false");
	c->allowed = allowed;
}

static void
leave(struct compactor *c)
{
	struct ctx cx = new_ctx(c);
	struct tx *tx = NULL;

	if (tx_auto(&cx, &tx) != OK || store_server_delete(tx, c->server_id) != OK || tx_commit(&tx) != OK)
		log_debug("compaction", "message=\"%s\"", cx.message);
	tx_rollback(&tx);
}

/* ---- what others left ---- */

static int
by_run(const void *a, const void *b)
{
	const struct metric_tail_run *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

/* Due at the first sweep, and later when the oldest row is the same as at the sweep before. */
static bool
was_left(const struct compactor *c, const struct metric_tail_run *run)
{
	const struct metric_tail_run *then;

	if (c->swept_mono_ms == 0)
		return true;
	if (c->left_count == 0)
		return false;
	then = bsearch(run, c->left, c->left_count, sizeof(*run), by_run);
	return then != NULL && then->seq == run->seq;
}

static void
take_sweep(struct compactor *c, const struct metric_tail_run *found, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (was_left(c, &found[i]))
			due_now(c->due, found[i].run_id, false);
	c->left = mem_resize(c->left, n + 1, sizeof(*c->left));
	if (n > 0)
		memcpy(c->left, found, n * sizeof(*found));
	c->left_count = n;
	c->swept_mono_ms = clock_mono_ms();
}

static void
sweep(struct compactor *c)
{
	struct ctx cx = new_ctx(c);
	struct metric_tail_run *found;
	struct tx *tx = NULL;
	size_t n;

	if (c->swept_mono_ms != 0 && clock_mono_ms() - c->swept_mono_ms < SWEEP_EVERY_MS)
		return;
	if (tx_auto(&cx, &tx) == OK && store_metric_tail_runs(tx, INT64_MIN, SWEEP_MOST, &found, &n) == OK)
		take_sweep(c, found, n);
	else
		log_warn("compaction", "message=\"%s\"", cx.message);
	tx_rollback(&tx);
}

/* ---- what is left of rows that were taken ---- */

/*
 * Under load the tail is written and emptied by the gigabyte, and PostgreSQL's own vacuum comes once a minute or so. While an old
 * transaction keeps it from giving anything back, this costs a bounded part of the time.
 */
static void
vacuum(struct compactor *c)
{
	struct ctx cx = new_ctx(c);
	struct tx *tx = NULL;
	int64_t begin = clock_mono_ms();

	if ((c->taken_bytes < VACUUM_BYTES && c->taken_rows < VACUUM_ROWS) || begin < c->vacuum_mono_ms)
		return;
	c->taken_bytes = c->taken_rows = 0;
	if (tx_auto(&cx, &tx) != OK || store_metric_tail_vacuum(tx) != OK)
		log_warn("compaction", "message=\"%s\"", cx.message);
	tx_rollback(&tx);
	c->vacuum_mono_ms = clock_mono_ms() + (clock_mono_ms() - begin) * VACUUM_PART;
	log_debug("vacuumed", "ms=%lld", (long long)(clock_mono_ms() - begin));
}

/* ---- work ---- */

static void
work_on(struct compactor *c, const struct due_run *run)
{
	struct ctx cx = new_ctx(c);
	struct compacted done;
	int64_t begin = clock_mono_ms();
	enum status st = compact_run(c->compact, &cx, run->run_id, run->settle, &done);

	if (st != OK) { /* what cannot be read today can hardly be read soon */
		log_warn("compaction", "run=%lld message=\"%s\"", (long long)run->run_id, cx.message);
		due_later(c->due, run->run_id, run->settle, st == INTERNAL ? SWEEP_EVERY_MS : RETRY_MS);
		(void)due_pause(c->due, clock_mono_ms() + PAUSE_MS);
	} else if (done.busy) {
		due_later(c->due, run->run_id, run->settle, RETRY_MS);
	} else if (done.more) {
		due_now(c->due, run->run_id, run->settle);
	}
	c->taken_rows += done.rows;
	c->taken_bytes += done.bytes;
	if (st == OK && done.rows > 0)
		log_debug("compacted", "run=%lld rows=%zu points=%zu fresh=%zu ms=%lld",
			(long long)run->run_id, done.rows, done.points, done.fresh,
			(long long)(clock_mono_ms() - begin));
}

static void *
thread_main(void *arg)
{
	struct compactor *c = arg;
	struct due_run run;

	/* what clients wait for comes first */
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	while (!due_stopped(c->due)) {
		look(c);
		if (!c->allowed) {
			(void)due_pause(c->due, clock_mono_ms() + SAY_EVERY_MS);
			continue;
		}
		sweep(c);
		if (due_take(c->due, clock_mono_ms() + SAY_EVERY_MS, &run))
			work_on(c, &run);
		vacuum(c);
	}
	leave(c);
	return NULL;
}

struct compactor *
compactor_start(const struct compactor_options *options)
{
	struct compactor *c = mem_alloc(sizeof(*c));

	c->options = *options;
	c->parts.pool = options->pool;
	c->due = ingest_due(options->ingest);
	c->arena = arena_new();
	c->compact = compact_new();
	random_hex(c->server_id, 16);
	if (pthread_create(&c->thread, NULL, thread_main, c) != 0) {
		log_error("compaction", "message=\"no thread for it\"");
		abort();
	}
	return c;
}

void
compactor_stop(struct compactor *c)
{
	if (c == NULL)
		return;
	due_stop(c->due);
	pthread_join(c->thread, NULL);
	compact_free(c->compact);
	arena_free(c->arena);
	free(c->left);
	free(c);
}
