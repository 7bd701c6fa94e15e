/*
 * COMMIT sent, answer lost: the same rows go again with the same numbers. A unique violation says that they were committed; the
 * index makes it wait for a first try that is still on its way. So it is with the statement of the short way, which writes all of its
 * rows or none.
 */
#include "ingest/commit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/metric_log.h"
#include "store/metrics.h"

#define KNOWN_RUNS      32768 /* of which memory knows that they are there */
#define SETTLE_MS       15000 /* how long an unknown commit is looked into */
#define SETTLE_STOP_MS  3000  /* the same when the server is stopping */
#define SETTLE_PAUSE_MS 50
#define SHORT_POINTS    20000 /* at most in one statement: beyond that COPY takes less of PostgreSQL */
#define TRIES           2     /* nothing was sent yet: a broken connection or a deadlock is met once more */

void
writer_init(struct writer *w, const struct parts *parts, struct keys *keys, struct seqs *seqs,
	const atomic_bool *stopping)
{
	ctx_init(&w->cx, arena_new(), parts);
	rows_init(&w->rows, keys, seqs);
	w->runs = known_new(KNOWN_RUNS);
	w->stopping = stopping;
}

void
writer_fini(struct writer *w)
{
	rows_fini(&w->rows);
	known_free(w->runs);
	arena_free(w->cx.arena);
}

/* ---- the long way ---- */

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

/* What the next group will guess. */
static void
learn_runs(struct writer *w, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct request *r = g->items[i];

		if (i > 0 && strcmp(g->items[i - 1]->run_uuid, r->run_uuid) == 0)
			continue;
		if (r->status == OK)
			known_add(w->runs, r->run_uuid, r->run_id, r->experiment_id);
		else
			known_forget(w->runs, r->run_uuid);
	}
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

static void
clear(struct writer *w)
{
	arena_reset(w->cx.arena);
	rows_clear(&w->rows);
}

static enum status
fill(struct writer *w, struct tx *tx, const struct group *g)
{
	enum status st;

	if ((st = lock_runs(w, tx, g)) != OK)
		return st;
	learn_runs(w, g);
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

/* Rows with these numbers are there: ours, or another's, when a crash took the sequence back together with our transaction. */
static enum status
are_ours(struct writer *w)
{
	struct metric_tail_row *rows = arena_array(w->cx.arena, w->rows.made, sizeof(*rows));
	struct tx *tx = NULL;
	bool there = false;
	enum status st;

	rows_list(&w->rows, rows);
	if ((st = tx_auto(&w->cx, &tx)) == OK)
		st = store_metric_tail_has(tx, rows, w->rows.made, &there);
	tx_rollback(&tx);
	if (st != OK || there)
		return st;
	seqs_forget(w->rows.seqs);
	return fail(&w->cx, CONFLICT, "the rows are to be numbered anew");
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
	if (st == ALREADY_EXISTS) {
		tx_rollback(&tx);
		return are_ours(w);
	}
	if (st == OK && key_work_looked(w->rows.keys))
		st = fail(&w->cx, CONFLICT, "the names are to be numbered anew");
	else if (st == OK && (st = still_writable(w, tx, g)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

static bool
patient(const struct writer *w, int64_t since_mono_ms)
{
	return clock_mono_ms() - since_mono_ms < (atomic_load(w->stopping) ? SETTLE_STOP_MS : SETTLE_MS);
}

/* After a commit whose answer was lost. */
static enum status
settle(struct writer *w, const struct group *g)
{
	int64_t since = clock_mono_ms();
	enum status st = UNAVAILABLE;

	log_warn("commit_unknown", "requests=%zu", g->n);
	while ((st == UNAVAILABLE || st == TIMED_OUT) && patient(w, since)) {
		pause_ms(SETTLE_PAUSE_MS);
		st = send_again(w, g);
	}
	log_info("commit_settled", "requests=%zu kept=%s", g->n,
		st == OK         ? "true"
		: st == CONFLICT ? "false"
				 : "unknown");
	return st;
}

/* A transaction that has ended nobody knows how: OK, CONFLICT (it did not happen, begin anew), or UNAVAILABLE for good. */
static enum status
find_out(struct writer *w, const struct group *g)
{
	enum status st = settle(w, g);

	if (st == OK || st == CONFLICT)
		return st;
	return fail(&w->cx, UNAVAILABLE,
		"PostgreSQL went away before it confirmed the points; send them again: "
		"points that were kept "
		"do not count twice");
}

static enum status
commit(struct writer *w, struct tx **tx, const struct group *g)
{
	enum status st = tx_commit(tx);

	return (st == UNAVAILABLE || st == TIMED_OUT) && w->rows.copy.len > 0 ? find_out(w, g) : st;
}

/* ---- the short way ---- */

static bool
is_short(const struct group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		n += g->items[i]->n;
	return n > 0 && n <= SHORT_POINTS;
}

static bool
guess_runs(struct writer *w, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct request *r = g->items[i];
		const struct known_run *run = known_find(w->runs, r->run_uuid);

		if (run == NULL)
			return false;
		r->status = OK;
		r->run_id = run->run_id;
		r->experiment_id = run->experiment_id;
	}
	return true;
}

static struct metric_run *
runs_of(struct writer *w, const struct group *g, size_t *n)
{
	struct metric_run *runs = arena_array(w->cx.arena, g->n, sizeof(*runs));

	*n = 0;
	for (size_t i = 0; i < g->n; i++)
		if (*n == 0 || runs[*n - 1].run_id != g->items[i]->run_id)
			runs[(*n)++] = (struct metric_run){ .run_id = g->items[i]->run_id,
				.uuid = g->items[i]->run_uuid };
	return runs;
}

/* The group's rows, when it is small and all of it is known. */
static bool
guess(struct writer *w, struct tx *tx, const struct group *g)
{
	if (!is_short(g) || !guess_runs(w, g))
		return false;
	add_points(w, g);
	return key_work_missing(w->rows.keys) == 0 && pack(w, tx, g) == OK;
}

static enum status
log_rows(struct writer *w, struct tx *tx, const struct group *g, bool *logged)
{
	struct metric_tail_row *rows = arena_array(w->cx.arena, w->rows.made, sizeof(*rows));
	size_t n;
	struct metric_run *runs = runs_of(w, g, &n);

	rows_list(&w->rows, rows);
	return store_metric_log(tx, runs, n, rows, w->rows.made, logged);
}

/* OK and not *done: nothing has happened, and the long way has to find out more. */
static enum status
try_short(struct writer *w, const struct group *g, bool *done)
{
	struct tx *tx = NULL;
	bool unknown = false;
	enum status st;

	*done = false;
	clear(w);
	if ((st = tx_change(&w->cx, &tx)) != OK)
		return st;
	if (guess(w, tx, g)) {
		st = log_rows(w, tx, g, done);
		unknown = tx_is_unknown(tx);
	}
	tx_rollback(&tx);
	if (unknown) {
		st = find_out(w, g);
		*done = st != CONFLICT;
	}
	return st;
}

/* ---- one group ---- */

/* *sent: COMMIT was on its way, and a failure is final. */
static enum status
try_long(struct writer *w, const struct group *g, bool *sent)
{
	struct tx *tx = NULL;
	enum status st;

	clear(w);
	if ((st = tx_begin(&w->cx, &tx)) != OK)
		return st;
	if ((st = fill(w, tx, g)) == OK) {
		*sent = true;
		st = commit(w, &tx, g);
	}
	tx_rollback(&tx);
	return st;
}

static enum status
try_group(struct writer *w, const struct group *g, bool *sent)
{
	enum status st;

	*sent = false;
	st = try_short(w, g, sent);
	if (st == OK && !*sent)
		st = try_long(w, g, sent);
	if (st == OK)
		key_work_committed(w->rows.keys);
	if (st == ALREADY_EXISTS)
		seqs_forget(w->rows.seqs); /* the sequence went back: another block */
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
void
writer_commit(struct writer *w, struct group g)
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
	writer_commit(w, half);
	writer_commit(w, rest);
}
