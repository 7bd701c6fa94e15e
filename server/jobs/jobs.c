#include "jobs/jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "domain/artifact.h"
#include "domain/run.h"
#include "domain/webhook.h"
#include "jobs/webhooks.h"
#include "store/changes.h"

#define EVERY_S       15
#define SWEEP_EVERY   20    /* times */
#define SILENT_MS     60000 /* a server that said nothing for so long is taken for dead */
#define PRUNE_AT_ONCE 50000

struct jobs {
	const struct parts *parts;
	int64_t purge_after_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stopping;
	struct webhooks *webhooks;
};

/* Objects that nothing names any more. What fails now is tried again next time. */
static void
sweep_blobs(const struct parts *parts, struct jobs *j)
{
	struct arena *arena = arena_new();
	size_t n = 1, total = 0;
	enum status st = OK;

	while (st == OK && n > 0 && !j->stopping) {
		struct ctx cx;

		ctx_init(&cx, arena, parts);
		st = artifact_sweep(&cx, &n);
		if (st == OK)
			total += n;
		else
			log_warn("sweep", "message=\"%s\"", cx.message);
		arena_reset(arena);
	}
	if (total > 0)
		log_info("sweep", "blobs=%zu", total);
	arena_free(arena);
}

static enum status
prune_some(struct ctx *cx, int64_t *n)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = store_server_bury(tx, SILENT_MS)) == OK &&
		(st = store_change_prune(tx, PRUNE_AT_ONCE, n)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

/* The feed of changes: what every server has seen. */
static void
prune_changes(const struct parts *parts, struct jobs *j)
{
	struct arena *arena = arena_new();
	int64_t n = PRUNE_AT_ONCE;

	while (n == PRUNE_AT_ONCE && !j->stopping) {
		struct ctx cx;

		ctx_init(&cx, arena, parts);
		n = 0;
		if (prune_some(&cx, &n) != OK)
			log_warn("prune", "message=\"%s\"", cx.message);
		arena_reset(arena);
	}
	arena_free(arena);
}

static void
sweep_deliveries(const struct parts *parts)
{
	struct arena *arena = arena_new();
	struct ctx cx;

	ctx_init(&cx, arena, parts);
	if (webhook_sweep(&cx) != OK)
		log_warn("sweep", "message=\"%s\"", cx.message);
	arena_free(arena);
}

/* Runs that were deleted long ago. Their files are for the sweep that follows. */
static void
purge_runs(const struct jobs *j)
{
	struct arena *arena;
	struct ctx cx;
	size_t n;

	if (j->purge_after_ms == 0)
		return;
	arena = arena_new();
	ctx_init(&cx, arena, j->parts);
	if (run_remove_old(&cx, clock_unix_ms() - j->purge_after_ms, &n) != OK)
		log_warn("purge", "message=\"%s\"", cx.message);
	if (n > 0)
		log_info("purge", "runs=%zu", n);
	arena_free(arena);
}

/* False: stop. */
static bool
sleep_until_next(struct jobs *j)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += EVERY_S;
	pthread_mutex_lock(&j->lock);
	while (!j->stopping && pthread_cond_timedwait(&j->wake, &j->lock, &until) == 0)
		;
	pthread_mutex_unlock(&j->lock);
	return !j->stopping;
}

static void *
work(void *arg)
{
	struct jobs *j = arg;
	unsigned turn = 0;

	do {
		prune_changes(j->parts, j);
		if (turn++ % SWEEP_EVERY == 0) {
			purge_runs(j);
			sweep_blobs(j->parts, j);
			sweep_deliveries(j->parts);
		}
	} while (sleep_until_next(j));
	return NULL;
}

struct jobs *
jobs_start(const struct jobs_options *options)
{
	struct jobs *j = mem_alloc(sizeof(*j));
	pthread_condattr_t attr;

	j->parts = options->parts;
	j->purge_after_ms = options->purge_after_ms;
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&j->thread, NULL, work, j) != 0) {
		log_error("jobs", "message=\"no thread for background work\"");
		abort();
	}
	j->webhooks = webhooks_start(options->parts);
	return j;
}

void
jobs_stop(struct jobs *j)
{
	if (j == NULL)
		return;
	webhooks_stop(j->webhooks);
	pthread_mutex_lock(&j->lock);
	j->stopping = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	pthread_cond_destroy(&j->wake);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
