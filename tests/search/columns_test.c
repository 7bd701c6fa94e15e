/*
 * Runs in memory against the database: two sets of columns on one database, as two servers have them. Whatever is changed by way of
 * one is searched for by way of the other, and the answers are those of the search that reads every run.
 */
#include "support/pg.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libpq-fe.h>
#include "base/clock.h"
#include "base/hash.h"
#include "domain/experiment.h"
#include "domain/run.h"
#include "ingest/ingest.h"
#include "search/columns.h"
#include "store/changes.h"

#define CHANGES 2000
#define RUNS    400
#define MIB     ((size_t)1 << 20)

struct world {
	struct pg_test *t;
	struct pool *pool;
	struct ingest *ingest;
	struct columns *columns[2];
	struct parts plain, with[2]; /* without columns; with those of either server */
	uint64_t random;
	char experiments[3][24];
	char uuids[RUNS][40];
	size_t runs;
};

/* Printed with a failure; the same seed makes the same changes. */
static uint64_t seed;

static uint64_t
any_number(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

static struct columns *
start_columns(struct pool *pool, size_t budget)
{
	return columns_start(&(struct columns_options){
		.pool = pool, .budget_bytes = budget, .status_name = run_status_name });
}

static struct ctx
ctx_of(struct world *w, const struct parts *parts)
{
	struct ctx cx;

	ctx_init(&cx, w->t->arena, parts);
	return cx;
}

static void
check(struct ctx *cx, enum status st)
{
	if (st != OK)
		print_error("%s (seed %llu)\n", cx->message, (unsigned long long)seed);
	assert_int_equal(st, OK);
}

static void
world_init(struct world *w, struct pg_test *t, size_t budget)
{
	struct ctx cx;

	*w = (struct world){ .t = t, .pool = pg_pool(t, 8, 5000, 20000), .random = seed | 1 };
	w->ingest = ingest_start(&(struct ingest_options){ .pool = w->pool, .queue_limit_bytes = 8 * MIB });
	w->plain = (struct parts){ .pool = w->pool, .ingest = w->ingest };
	for (int i = 0; i < 2; i++) {
		w->columns[i] = start_columns(w->pool, budget);
		w->with[i] = w->plain;
		w->with[i].columns = w->columns[i];
	}
	cx = ctx_of(w, &w->plain);
	for (int i = 0; i < 3; i++) {
		struct experiment_create in = { .name = arena_printf(t->arena, "experiment %d", i) };
		int64_t id;

		check(&cx, experiment_create(&cx, &in, &id));
		(void)snprintf(w->experiments[i], sizeof(w->experiments[i]), "%lld", (long long)id);
	}
}

static void
world_fini(struct world *w)
{
	for (int i = 0; i < 2; i++)
		columns_stop(w->columns[i]);
	ingest_stop(w->ingest);
	pool_free(w->pool);
}

/* ---- changes ---- */

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

static enum status
submit(struct world *w, struct ctx *cx, const char *uuid, const struct point *points, size_t n)
{
	struct waiter wait = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };
	enum status st = ingest_submit(w->ingest, cx, uuid, points, n, waiter_done, &wait);

	if (st != OK)
		return st;
	pthread_mutex_lock(&wait.lock);
	while (!wait.done)
		pthread_cond_wait(&wait.change, &wait.lock);
	pthread_mutex_unlock(&wait.lock);
	return wait.status;
}

static double
any_value(struct world *w)
{
	switch (any_number(w, 12)) {
	case 0:
		return (double)NAN;
	case 1:
		return (double)INFINITY;
	case 2:
		return -(double)INFINITY;
	case 3:
		return -0.0;
	default:
		return (double)any_number(w, 20) / 2 - 4;
	}
}

/* Short ones, long ones that begin alike, and what patterns are made of. */
static const char *
any_text(struct world *w)
{
	static const char *const texts[] = { "", "a", "A", "ab", "abcdefgh", "abcdefghi", "abcdefghj",
		"\xc3\xa4", "\xc3\x84hre", "1", "1.0", "12", "-3e2", "nan", "tree", "TREE%", "under_score" };

	return texts[any_number(w, sizeof(texts) / sizeof(texts[0]))];
}

static const char *
any_run(struct world *w)
{
	return w->runs == 0 ? "00000000000000000000000000000000" : w->uuids[any_number(w, w->runs)];
}

static void
make_run(struct world *w, struct ctx *cx)
{
	struct key_value tag = { "t1", (char *)(uintptr_t)any_text(w) };
	struct run_create in = { .experiment_id = w->experiments[any_number(w, 3)],
		.user_id = any_text(w),
		.run_name = any_number(w, 2) == 0 ? any_text(w) : NULL,
		.start_time = (int64_t)any_number(w, 50),
		.tags = &tag,
		.tag_count = any_number(w, 2) };
	struct run run;

	if (w->runs < RUNS && run_start(cx, &in, &run) == OK)
		(void)snprintf(w->uuids[w->runs++], sizeof(w->uuids[0]), "%s", run.uuid);
}

static const char *
name_of(struct world *w, char kind)
{
	return arena_printf(w->t->arena, "%c%llu", kind, (unsigned long long)any_number(w, 5));
}

static void
log_batch(struct world *w, struct ctx *cx)
{
	struct point points[3];
	struct key_value param = { name_of(w, 'p'), any_text(w) }, tag = { name_of(w, 't'), any_text(w) };
	struct run_batch in = { .uuid = any_run(w),
		.points = points,
		.point_count = any_number(w, 4),
		.params = &param,
		.param_count = any_number(w, 2),
		.tags = &tag,
		.tag_count = any_number(w, 2) };

	for (size_t i = 0; i < 3; i++)
		points[i] = (struct point){ name_of(w, 'm'), any_value(w), (int64_t)any_number(w, 5),
			(int64_t)any_number(w, 5) };
	(void)!run_log_batch(cx, &in);
}

static void
log_points(struct world *w, struct ctx *cx)
{
	struct point p = { name_of(w, 'm'), any_value(w), (int64_t)any_number(w, 5),
		(int64_t)any_number(w, 5) };

	(void)!submit(w, cx, any_run(w), &p, 1);
}

static void
log_dataset(struct world *w, struct ctx *cx)
{
	struct key_value tag = { "mlflow.data.context", any_number(w, 2) == 0 ? "train" : "eval" };
	struct run_input in = { .dataset = { .name = any_number(w, 2) == 0 ? "iris" : "wine",
					.digest = any_number(w, 2) == 0 ? "d1" : "d2",
					.source_type = "local",
					.source = "x" },
		.tags = &tag,
		.tag_count = any_number(w, 2) };

	(void)!run_log_inputs(cx, any_run(w), &in, 1, NULL, 0);
}

static void
log_models(struct world *w, struct ctx *cx)
{
	const char *uuid = arena_printf(w->t->arena, "m-%032llu", (unsigned long long)any_number(w, 9));
	struct run_output out = { uuid, (int64_t)any_number(w, 9) };

	if (any_number(w, 2) == 0)
		(void)!run_log_outputs(cx, any_run(w), &out, 1);
	else
		(void)!run_log_inputs(cx, any_run(w), NULL, 0, &uuid, 1);
}

static void
update_run(struct world *w, struct ctx *cx)
{
	struct run_update in = { .uuid = any_run(w),
		.has_status = true,
		.status = (enum run_status)(1 + any_number(w, 5)),
		.has_end = any_number(w, 2) == 0,
		.end_unix_ms = (int64_t)any_number(w, 50),
		.name = any_number(w, 3) == 0 ? any_text(w) : NULL };
	struct run run;

	(void)!run_update(cx, &in, &run);
}

/* What is refused (a deleted run, a param's second value) is no change. */
static void
change_something(struct world *w, struct ctx *cx)
{
	struct key_value pair = { NULL, any_text(w) };
	int64_t experiment = strtoll(w->experiments[any_number(w, 3)], NULL, 10);

	switch (any_number(w, 23)) {
	case 0:
	case 1:
	case 2:
	case 3:
		make_run(w, cx);
		break;
	case 4:
	case 5:
	case 6:
		pair.key = name_of(w, 'p');
		(void)!run_param_log(cx, any_run(w), &pair);
		break;
	case 7:
	case 8:
		pair.key = name_of(w, 't');
		(void)!run_tag_set(cx, any_run(w), &pair);
		break;
	case 9:
		(void)!run_tag_delete(cx, any_run(w), name_of(w, 't'));
		break;
	case 10:
	case 11:
		update_run(w, cx);
		break;
	case 12:
		(void)!run_delete(cx, any_run(w));
		break;
	case 13:
		(void)!run_restore(cx, any_run(w));
		break;
	case 14:
		if (any_number(w, 4) == 0)
			(void)!experiment_delete(cx, experiment);
		break;
	case 15:
		(void)!experiment_restore(cx, experiment);
		break;
	case 16:
		log_dataset(w, cx);
		break;
	case 22:
		log_models(w, cx);
		break;
	case 17:
	case 18:
		log_batch(w, cx);
		break;
	default:
		log_points(w, cx);
	}
}

/* ---- searches ---- */

static const char *
any_function(struct world *w)
{
	static const char *const functions[] = { "first", "min", "max", "mean", "count", "last" };

	return functions[any_number(w, 6)];
}

static const char *
any_comparison(struct world *w)
{
	static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=" };
	struct arena *a = w->t->arena;
	const char *op = ops[any_number(w, 6)], *eq = ops[any_number(w, 2)], *text = any_text(w);
	int number = (int)any_number(w, 20) / 2 - 4;

	switch (any_number(w, 20)) {
	case 16:
	case 17:
		return arena_printf(
			a, "%s(metrics.%s) %s %d.5", any_function(w), name_of(w, 'm'), op, number);
	case 18:
		return arena_printf(a, "%s(metrics.%s) IS NULL", any_function(w), name_of(w, 'm'));
	case 0:
		return arena_printf(a, "metrics.%s %s %d", name_of(w, 'm'), op, number);
	case 1:
	case 2:
		return arena_printf(a, "metrics.%s %s %d.5", name_of(w, 'm'), op, number);
	case 3:
		return arena_printf(
			a, "metrics.%s IS %sNULL", name_of(w, 'm'), number % 2 == 0 ? "NOT " : "");
	case 4:
		return arena_printf(a, "params.%s %s '%s'", name_of(w, 'p'), eq, text);
	case 5:
		return arena_printf(
			a, "params.%s %s '%%b%%'", name_of(w, 'p'), number % 2 == 0 ? "LIKE" : "ILIKE");
	case 6:
		return arena_printf(a, "number(params.%s) %s %d", name_of(w, 'p'), op, number);
	case 7:
		return arena_printf(a, "tags.%s %s '%s'", name_of(w, 't'), eq, text);
	case 8:
		return arena_printf(a, "tags.%s IS NULL", name_of(w, 't'));
	case 9:
		return arena_printf(a, "start_time %s %llu", op, (unsigned long long)any_number(w, 50));
	case 10:
		return arena_printf(a, "end_time %s %llu", op, (unsigned long long)any_number(w, 50));
	case 11:
		return arena_printf(a, "status %s 'RUNNING'", eq);
	case 12:
		return arena_printf(a, "run_name %s '%s'", eq, text);
	case 13:
		return arena_printf(a, "run_id IN ('%s', '%s')", any_run(w), any_run(w));
	case 14:
		return any_number(w, 2) == 0 ? "dataset.name = 'iris'" : "dataset.context LIKE 'tr%'";
	default:
		return arena_printf(a, "user_id %s '%s'", eq, text);
	}
}

static const char *
any_filter(struct world *w)
{
	const char *a = any_comparison(w), *b = any_comparison(w);

	switch (any_number(w, 6)) {
	case 0:
		return NULL;
	case 1:
		return a;
	case 2:
		return arena_printf(w->t->arena, "%s OR %s", a, b);
	case 3:
		return arena_printf(w->t->arena, "NOT (%s AND %s)", a, b);
	case 4:
		return arena_printf(w->t->arena, "(%s OR %s) AND NOT %s", a, b, any_comparison(w));
	default:
		return arena_printf(w->t->arena, "%s AND %s", a, b);
	}
}

static const char *
any_order(struct world *w)
{
	const char *direction = any_number(w, 2) == 0 ? "ASC" : "DESC";
	struct arena *a = w->t->arena;

	switch (any_number(w, 9)) {
	case 7:
	case 8:
		return arena_printf(a, "%s(metrics.%s) %s", any_function(w), name_of(w, 'm'), direction);
	case 0:
	case 1:
		return arena_printf(a, "metrics.%s %s", name_of(w, 'm'), direction);
	case 2:
		return arena_printf(a, "params.%s %s", name_of(w, 'p'), direction);
	case 3:
		return arena_printf(a, "tags.%s %s", name_of(w, 't'), direction);
	case 4:
		return arena_printf(a, "start_time %s", direction);
	case 5:
		return arena_printf(a, "end_time %s", direction);
	default:
		return arena_printf(a, "%s %s", any_number(w, 2) == 0 ? "run_name" : "status", direction);
	}
}

struct asked {
	const char *ids[3];
	size_t id_count;
	struct search_in in;
	const char *order_by[2];
};

static void
any_question(struct world *w, struct asked *q)
{
	*q = (struct asked){ .in = { .filter = any_filter(w),
				     .order_by_count = any_number(w, 3),
				     .max_results = 1 + (int64_t)any_number(w, 20),
				     .view = (enum view)(VIEW_ACTIVE + any_number(w, 3)) } };
	q->order_by[0] = any_order(w);
	q->order_by[1] = any_order(w);
	q->in.order_by = q->order_by;
	q->id_count = 1 + any_number(w, 3);
	for (size_t i = 0; i < q->id_count; i++)
		q->ids[i] = w->experiments[any_number(w, 3)];
}

struct answer {
	struct run *runs;
	size_t n;
	const char *token;
};

static struct answer
ask(struct world *w, const struct parts *parts, const struct asked *q)
{
	struct ctx cx = ctx_of(w, parts);
	struct answer a = { 0 };
	enum status st = run_search(&cx, q->ids, q->id_count, &q->in, &a.runs, &a.n, &a.token);

	if (st != OK)
		print_error("filter: %s\n", q->in.filter == NULL ? "" : q->in.filter);
	check(&cx, st);
	return a;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_pairs(const struct key_value *a, size_t n, const struct key_value *b, size_t count)
{
	bool same = n == count;

	for (size_t i = 0; same && i < n; i++)
		same = same_text(a[i].key, b[i].key) && same_text(a[i].value, b[i].value);
	return same;
}

static bool
same_inputs(const struct run *a, const struct run *b)
{
	bool same = a->input_count == b->input_count;

	for (size_t i = 0; same && i < a->input_count; i++) {
		const struct run_input *x = &a->inputs[i], *y = &b->inputs[i];

		same = same_text(x->dataset.name, y->dataset.name) &&
		       same_text(x->dataset.digest, y->dataset.digest) &&
		       same_text(x->dataset.source, y->dataset.source) &&
		       same_text(x->dataset.schema, y->dataset.schema) &&
		       same_pairs(x->tags, x->tag_count, y->tags, y->tag_count);
	}
	return same;
}

static bool
same_models(const struct run *a, const struct run *b)
{
	bool same = a->model_input_count == b->model_input_count && a->output_count == b->output_count;

	for (size_t i = 0; same && i < a->model_input_count; i++)
		same = same_text(a->model_inputs[i], b->model_inputs[i]);
	for (size_t i = 0; same && i < a->output_count; i++)
		same = same_text(a->outputs[i].model_uuid, b->outputs[i].model_uuid) &&
		       a->outputs[i].step == b->outputs[i].step;
	return same;
}

static bool
same_metrics(const struct run_latest *a, const struct run_latest *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = same_text(a->keys[i].key, b->keys[i].key) && a->keys[i].count == b->keys[i].count &&
		       memcmp(&a->keys[i].last, &b->keys[i].last, sizeof(a->keys[i].last)) == 0;
	return same;
}

static bool
same_run(const struct run *a, const struct run *b)
{
	return same_text(a->uuid, b->uuid) && a->run_id == b->run_id &&
	       a->experiment_id == b->experiment_id && same_text(a->name, b->name) &&
	       same_text(a->user_text, b->user_text) && a->status == b->status &&
	       a->start_unix_ms == b->start_unix_ms && a->has_end == b->has_end &&
	       a->end_unix_ms == b->end_unix_ms && same_text(a->artifact_uri, b->artifact_uri) &&
	       a->deleted == b->deleted && same_pairs(a->params, a->param_count, b->params, b->param_count) &&
	       same_pairs(a->tags, a->tag_count, b->tags, b->tag_count) && same_inputs(a, b) &&
	       same_models(a, b) && same_metrics(a->metrics, b->metrics);
}

static bool
same_answers(const struct answer *a, const struct answer *b)
{
	if (a->n != b->n || (a->token == NULL) != (b->token == NULL))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_run(&a->runs[i], &b->runs[i]))
			return false;
	return a->token == NULL || strcmp(a->token, b->token) == 0;
}

static void
print_answer(const char *what, const struct answer *a)
{
	print_error("%s: %zu", what, a->n);
	for (size_t i = 0; i < a->n; i++)
		print_error(" %.6s", a->runs[i].uuid);
	print_error(" token=%s\n", a->token == NULL ? "" : a->token);
}

/* Page by page, from memory and from the database; how many rows there were. */
static size_t
compare(struct world *w, const struct parts *with, struct asked q)
{
	size_t rows = 0;

	for (int page = 0; page < 4; page++) {
		struct answer a = ask(w, with, &q), b = ask(w, &w->plain, &q);

		if (!same_answers(&a, &b)) {
			print_error("seed %llu, page %d, filter: %s\norder: %s, %s (%zu)\n",
				(unsigned long long)seed, page, q.in.filter == NULL ? "" : q.in.filter,
				q.order_by[0], q.order_by[1], q.in.order_by_count);
			print_answer("memory", &a);
			print_answer("database", &b);
		}
		assert_true(same_answers(&a, &b));
		rows += a.n;
		if ((q.in.page_token = a.token) == NULL)
			break;
	}
	return rows;
}

static void
change_and_compare(struct world *w, int changes, size_t *rows)
{
	for (int i = 0; i < changes; i++) {
		struct ctx cx = ctx_of(w, &w->with[i % 2]);
		struct asked q;

		change_something(w, &cx);
		any_question(w, &q);
		*rows += compare(w, &w->with[(i + 1) % 2], q);
		arena_reset(w->t->arena);
	}
}

/* ---- tests ---- */

static void
what_one_server_changes_the_next_search_on_another_finds(void **state)
{
	struct columns_stats stats;
	struct world w;
	size_t rows = 0;

	world_init(&w, *state, 64 * MIB);
	change_and_compare(&w, CHANGES, &rows);
	columns_stats(w.columns[0], &stats);
	print_message(
		"%d changes, %zu runs, %zu rows compared; %llu loads, %llu reloads, %llu looks, %zu bytes\n",
		CHANGES, w.runs, rows, (unsigned long long)stats.loads, (unsigned long long)stats.reloads,
		(unsigned long long)stats.looks, stats.bytes);
	assert_true(rows > CHANGES);
	assert_true(stats.reloads > CHANGES / 10 && stats.loads < CHANGES / 4);
	world_fini(&w);
}

static void
a_long_transaction_elsewhere_changes_nothing(void **state)
{
	struct pg_test *t = *state;
	PGconn *pg = PQconnectdb(t->conninfo);
	struct world w;
	size_t rows = 0;

	world_init(&w, t, 64 * MIB);
	PQclear(PQexec(pg, "BEGIN"));
	PQclear(PQexec(pg, "SELECT pg_current_xact_id()"));
	change_and_compare(&w, 300, &rows);
	PQclear(PQexec(pg, "COMMIT"));
	change_and_compare(&w, 100, &rows);
	PQfinish(pg);
	world_fini(&w);
}

/* A change that is made before a look and committed after it is found by the look after that. */
static void
a_change_committed_between_two_looks_is_found(void **state)
{
	struct pg_test *t = *state;
	struct asked q = { .in = { .max_results = 10, .view = VIEW_ACTIVE, .filter = "tags.late = 'yes'" } };
	struct world w;
	struct ctx cx;
	PGconn *pg;
	PGresult *res;

	world_init(&w, t, 64 * MIB);
	q.ids[0] = w.experiments[0];
	q.id_count = 1;
	cx = ctx_of(&w, &w.plain);
	check(&cx, run_start(&cx, &(struct run_create){ .experiment_id = w.experiments[0] },
			   &(struct run){ 0 }));
	assert_int_equal(ask(&w, &w.with[0], &q).n, 0);
	pg = PQconnectdb(t->conninfo);
	PQclear(PQexec(pg, "BEGIN"));
	PQclear(PQexec(pg, "INSERT INTO cairn.run_change (run_id, experiment_id, kind) "
			   "SELECT run_id, experiment_id, 2 FROM cairn.run"));
	res = PQexec(pg, "INSERT INTO cairn.run_tag SELECT run_id, 'late', 'yes' FROM cairn.run");
	assert_int_equal(PQresultStatus(res), PGRES_COMMAND_OK);
	PQclear(res);
	for (int i = 0; i < 3; i++) {
		check(&cx, run_start(&cx, &(struct run_create){ .experiment_id = w.experiments[1] },
				   &(struct run){ 0 })); /* later ones are committed earlier */
		assert_int_equal(ask(&w, &w.with[0], &q).n, 0);
	}
	PQclear(PQexec(pg, "COMMIT"));
	PQfinish(pg);
	assert_int_equal(ask(&w, &w.with[0], &q).n, 1);
	world_fini(&w);
}

static void
searches_stay_right_under_a_small_budget(void **state)
{
	struct columns_stats stats;
	struct world w;
	size_t rows = 0;

	world_init(&w, *state, 120 << 10); /* one or two of the experiments, not all three */
	change_and_compare(&w, 700, &rows);
	columns_stats(w.columns[0], &stats);
	print_message("%llu loads, %llu evictions, %zu bytes\n", (unsigned long long)stats.loads,
		(unsigned long long)stats.evictions, stats.bytes);
	assert_true(stats.evictions > 0);
	assert_true(stats.bytes <= 120 << 10);
	world_fini(&w);
}

/* More runs than a scan gathers before it cuts them to a page. */
static void
pages_of_many_runs_are_those_of_the_database(void **state)
{
	struct pg_test *t = *state;
	struct world w;
	size_t rows = 0;

	world_init(&w, t, 64 * MIB);
	(void)pg_sql(t, "INSERT INTO cairn.run (uuid, experiment_id, name, user_text, status, start_unix_ms, "
			"end_unix_ms, artifact_uri, created_unix_ms) SELECT lpad(to_hex(i), 32, '0'), "
			"e.experiment_id, "
			"'run ' || i % 700, 'u' || i % 3, 1 + i % 5, i * 7919 % 1000, "
			"CASE WHEN i % 4 > 0 THEN i % 50 END, '', 0 FROM cairn.experiment e, "
			"generate_series(1, 3000) i WHERE e.name = 'experiment 0'");
	(void)pg_sql(t, "INSERT INTO cairn.param SELECT run_id, 'p' || k, CASE k WHEN 0 THEN 'a' ELSE "
			"'value ' || run_id % (k * 300) END FROM cairn.run, generate_series(0, 4) k WHERE "
			"(run_id + k) % 7 > 0");
	(void)pg_sql(t, "INSERT INTO cairn.run_tag SELECT run_id, 't1', 'tag' || run_id FROM cairn.run");
	for (int i = 1; i <= 3000; i++) {
		struct ctx cx = ctx_of(&w, &w.plain);
		struct point points[2] = { { "m0", any_value(&w), 1, 1 },
			{ "m1", (double)any_number(&w, 1000000), 1, 1 } };
		const char *uuid = arena_printf(t->arena, "%032x", i);

		check(&cx, submit(&w, &cx, uuid, points, 2));
	}
	for (int i = 0; i < 40; i++) {
		struct asked q;

		any_question(&w, &q);
		q.id_count = 1 + any_number(&w, 2);
		q.ids[0] = w.experiments[0];
		q.ids[1] = w.experiments[1];
		rows += compare(&w, &w.with[0], q);
		arena_reset(t->arena);
	}
	assert_true(rows > 400);
	world_fini(&w);
}

static void
restart_columns(struct world *w, size_t budget)
{
	columns_stop(w->columns[0]);
	w->columns[0] = w->with[0].columns = start_columns(w->pool, budget);
}

/* Changes may have deleted it. */
static void
restore_first(struct world *w)
{
	struct ctx cx = ctx_of(w, &w->plain);

	(void)!experiment_restore(&cx, strtoll(w->experiments[0], NULL, 10));
}

/* Runs of the first experiment with all of the metrics: enough for cells to lie in pages. */
static void
make_runs(struct world *w, size_t n)
{
	struct ctx cx = ctx_of(w, &w->plain);

	restore_first(w);
	for (size_t i = 0; i < n; i++) {
		struct point points[10];
		struct run run;

		check(&cx, run_start(&cx, &(struct run_create){ .experiment_id = w->experiments[0] }, &run));
		for (size_t k = 0; k < 10; k++)
			points[k] = (struct point){ arena_printf(w->t->arena, "m%zu", k % 5), any_value(w), 1,
				(int64_t)k };
		check(&cx, submit(w, &cx, run.uuid, points, 10));
	}
}

/* Other numbers of metrics than the latest: made when they are asked for, kept, and gone again when they take too much. */
static void
columns_come_and_go_with_the_budget(void **state)
{
	static const char *const words[] = { "first", "min", "max", "mean", "count" };
	struct columns_stats before, after;
	struct asked q = { .id_count = 1,
		.in = { .max_results = 20, .view = VIEW_ALL, .order_by_count = 1 } };
	struct world w;
	size_t rows = 0;

	world_init(&w, *state, 64 * MIB);
	change_and_compare(&w, 100, &rows);
	make_runs(&w, 100);
	q.ids[0] = w.experiments[0];
	q.in.order_by = q.order_by;
	q.order_by[0] = "start_time";
	restart_columns(&w, 64 * MIB);
	(void)ask(&w, &w.with[0], &q);
	columns_stats(w.columns[0], &before);
	restart_columns(&w, before.bytes + (40 << 10));
	for (size_t i = 0; i < 75; i++) {
		q.order_by[0] = arena_printf(w.t->arena, "%s(metrics.m%zu) DESC", words[i % 5], i / 5 % 5);
		for (int twice = 0; twice < 2; twice++)
			rows += compare(&w, &w.with[0], q);
		columns_stats(w.columns[0], &after);
		assert_true(after.bytes <= before.bytes + (40 << 10));
	}
	print_message("%zu bytes before and %zu after, %llu columns made, %llu loads, %llu evictions\n",
		before.bytes, after.bytes, (unsigned long long)after.fills, (unsigned long long)after.loads,
		(unsigned long long)after.evictions);
	assert_true(after.loads == 1 && after.evictions > 0);
	assert_true(after.fills >= 25 && after.fills <= 75);
	world_fini(&w);
}

static void
an_experiment_larger_than_the_budget_is_searched_in_the_database(void **state)
{
	struct columns_stats stats;
	struct world w;
	size_t rows = 0;

	world_init(&w, *state, 16 << 10);
	change_and_compare(&w, 200, &rows);
	columns_stats(w.columns[0], &stats);
	assert_true(stats.loads > 0 && stats.loads < 100);
	assert_true(stats.bytes == 0 && stats.experiments == 0);
	world_fini(&w);
}

static void
without_a_budget_the_database_is_searched(void **state)
{
	struct columns_stats stats;
	struct world w;
	size_t rows = 0;

	world_init(&w, *state, 0);
	change_and_compare(&w, 30, &rows);
	columns_stats(w.columns[0], &stats);
	assert_true(stats.loads == 0 && stats.bytes == 0);
	world_fini(&w);
}

/* Until every server has replaced the connections that broke. */
static void
wait_for_answers(struct world *w)
{
	struct asked q = {
		.ids = { w->experiments[0] }, .id_count = 1, .in = { .max_results = 1, .view = VIEW_ALL }
	};
	const struct parts *all[] = { &w->plain, &w->with[0], &w->with[1] };
	int64_t until = clock_mono_ms() + 20000;

	for (int good = 0; good < 12;) {
		struct ctx cx = ctx_of(w, all[good % 3]);
		struct run *runs;
		const char *token;
		size_t n;

		good = run_search(&cx, q.ids, 1, &q.in, &runs, &n, &token) == OK ? good + 1 : 0;
		assert_true(clock_mono_ms() < until);
	}
}

static void
nothing_old_is_believed_after_postgresql_crashed(void **state)
{
	struct pg_test *t = *state;
	struct columns_stats stats;
	struct world w;
	size_t rows = 0;

	world_init(&w, t, 64 * MIB);
	change_and_compare(&w, 200, &rows);
	pg_stop_server(true);
	pg_start_server();
	/* changed behind everybody's back, as in a feed that a crash has emptied */
	(void)pg_sql(t, "UPDATE cairn.run SET start_unix_ms = start_unix_ms + 1");
	wait_for_answers(&w);
	change_and_compare(&w, 100, &rows);
	columns_stats(w.columns[0], &stats);
	assert_true(stats.loads >= 4);
	world_fini(&w);
}

static void
a_server_taken_for_dead_reads_anew(void **state)
{
	struct pg_test *t = *state;
	struct world w;
	struct ctx cx;
	struct tx *tx = NULL;
	int64_t pruned;
	size_t rows = 0;

	world_init(&w, t, 64 * MIB);
	change_and_compare(&w, 100, &rows);
	cx = ctx_of(&w, &w.plain);
	check(&cx, tx_begin(&cx, &tx));
	change_something(&w, &cx);
	check(&cx, store_server_bury(tx, -1000));
	check(&cx, store_change_prune(tx, 1000000, &pruned));
	assert_true(pruned > 0);
	check(&cx, tx_commit(&tx));
	assert_string_equal(pg_sql(t, "SELECT count(*) FROM cairn.run_change"), "0");
	change_and_compare(&w, 100, &rows);
	world_fini(&w);
}

/* What a live server has not seen stays, what all have seen goes. */
static void
the_feed_is_pruned_behind_the_slowest_server(void **state)
{
	struct pg_test *t = *state;
	struct world w;
	struct ctx cx;
	struct tx *tx = NULL;
	int64_t pruned;
	size_t rows = 0;
	long left = 1;

	world_init(&w, t, 64 * MIB);
	change_and_compare(&w, 20, &rows);
	(void)pg_sql(t, "INSERT INTO cairn.server VALUES ('slow', 0, 9000000000000, pg_current_snapshot())");
	restore_first(&w);
	cx = ctx_of(&w, &w.plain);
	check(&cx, run_start(&cx, &(struct run_create){ .experiment_id = w.experiments[0] },
			   &(struct run){ 0 }));
	check(&cx, tx_begin(&cx, &tx));
	check(&cx, store_change_prune(tx, 1000000, &pruned));
	check(&cx, tx_commit(&tx));
	assert_string_not_equal(pg_sql(t, "SELECT count(*) FROM cairn.run_change"), "0");
	/* the others say themselves what they have seen */
	for (int64_t until = clock_mono_ms() + 30000; left > 0;) {
		assert_true(clock_mono_ms() < until);
		(void)pg_sql(t,
			"UPDATE cairn.server SET snapshot = pg_current_snapshot() WHERE server_id = 'slow'");
		check(&cx, tx_begin(&cx, &tx));
		check(&cx, store_change_prune(tx, 1000000, &pruned));
		check(&cx, tx_commit(&tx));
		left = strtol(pg_sql(t, "SELECT count(*) FROM cairn.run_change"), NULL, 10);
	}
	world_fini(&w);
}

/* ---- many at once ---- */

struct racer {
	struct world *w;
	const char *uuid;
	int at;
	int found;
};

/* Log, and search for what was logged, on the other server. */
static void *
race(void *arg)
{
	struct racer *r = arg;
	struct arena *arena = arena_new();
	const char *filter;

	for (int i = 0; i < 150; i++) {
		struct point p = { arena_printf(arena, "race%d", r->at), i, i, i };
		struct asked q = { .in = { .max_results = 5, .view = VIEW_ACTIVE } };
		struct run *runs;
		const char *token;
		struct ctx cx;
		size_t n = 0;

		arena_reset(arena);
		p.key = arena_printf(arena, "race%d", r->at);
		filter = arena_printf(
			arena, i % 3 == 0 ? "max(metrics.race%d) = %d" : "metrics.race%d = %d", r->at, i);
		ctx_init(&cx, arena, &r->w->plain);
		if (submit(r->w, &cx, r->uuid, &p, 1) != OK)
			break;
		ctx_init(&cx, arena, &r->w->with[(r->at + i) % 2]);
		q.in.filter = filter;
		q.ids[0] = r->w->experiments[0];
		if (run_search(&cx, q.ids, 1, &q.in, &runs, &n, &token) != OK || n != 1)
			break;
		r->found++;
	}
	arena_free(arena);
	return NULL;
}

static void
searches_beside_writers_miss_nothing(void **state)
{
	enum { RACERS = 6 };
	struct racer racers[RACERS];
	pthread_t threads[RACERS];
	struct world w;

	world_init(&w, *state, 64 * MIB);
	for (int i = 0; i < RACERS; i++) {
		struct ctx cx = ctx_of(&w, &w.plain);
		struct run run;

		check(&cx, run_start(&cx, &(struct run_create){ .experiment_id = w.experiments[0] }, &run));
		racers[i] = (struct racer){ .w = &w, .uuid = run.uuid, .at = i };
	}
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(racers[i].found, 150);
	world_fini(&w);
}

/* ---- while an experiment is read ---- */

struct asker {
	struct world *w;
	const char *experiment;
	enum status status;
	size_t found;
};

static void *
ask_alone(void *arg)
{
	struct asker *a = arg;
	struct search_in in = { .max_results = 5, .view = VIEW_ACTIVE };
	struct arena *arena = arena_new();
	struct run *runs;
	const char *token;
	struct ctx cx;

	ctx_init(&cx, arena, &a->w->with[0]);
	a->status = run_search(&cx, &a->experiment, 1, &in, &runs, &a->found, &token);
	arena_free(arena);
	return NULL;
}

static void
wait_for_lock(struct pg_test *t)
{
	int64_t until = clock_mono_ms() + 20000;

	while (strcmp(pg_sql(t, "SELECT count(*) FROM pg_locks WHERE NOT granted"), "0") == 0)
		assert_true(clock_mono_ms() < until);
}

static int
first_to_end(pthread_t *threads, int n)
{
	int64_t until = clock_mono_ms() + 20000;

	int at = 0;

	while (pthread_tryjoin_np(threads[at], NULL) != 0) {
		assert_true(clock_mono_ms() < until);
		at = (at + 1) % n;
	}
	return at;
}

/* One waits for the runs that another reads, the next is told to come again, and other experiments are searched meanwhile. */
static void
who_waits_for_an_experiment_holds_up_no_other(void **state)
{
	struct pg_test *t = *state;
	struct world w;
	struct asker askers[4];
	pthread_t threads[4];
	int refused;
	PGconn *pg;

	world_init(&w, t, 64 * MIB);
	for (int i = 0; i < 2; i++) {
		struct ctx cx = ctx_of(&w, &w.plain);

		check(&cx, run_start(&cx, &(struct run_create){ .experiment_id = w.experiments[i] },
				   &(struct run){ 0 }));
	}
	columns_stop(w.columns[0]);
	w.columns[0] = w.with[0].columns = columns_start(&(struct columns_options){ .pool = w.pool,
		.budget_bytes = 64 * MIB,
		.status_name = run_status_name,
		.waiting_most = 1 });
	for (int i = 0; i < 4; i++)
		askers[i] = (struct asker){ .w = &w, .experiment = w.experiments[i == 3 ? 0 : 1] };
	(void)ask_alone(&askers[3]); /* the first experiment is in memory, and its run is kept whole */
	assert_int_equal(askers[3].found, 1);

	pg = PQconnectdb(t->conninfo);
	PQclear(PQexec(pg, "BEGIN; LOCK TABLE cairn.run_tag IN ACCESS EXCLUSIVE MODE"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_alone, &askers[i]), 0);
	wait_for_lock(t); /* one of them reads, and cannot go on; one waits for it */
	refused = first_to_end(threads, 3);
	assert_int_equal(askers[refused].status, UNAVAILABLE);
	askers[3].found = 0;
	(void)ask_alone(&askers[3]);
	assert_int_equal(askers[3].status, OK);
	assert_int_equal(askers[3].found, 1);
	PQclear(PQexec(pg, "COMMIT"));
	PQfinish(pg);
	for (int i = 0; i < 3; i++)
		if (i != refused) {
			assert_int_equal(pthread_join(threads[i], NULL), 0);
			assert_int_equal(askers[i].status, OK);
			assert_int_equal(askers[i].found, 1);
		}
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(what_one_server_changes_the_next_search_on_another_finds),
		pg_test(a_long_transaction_elsewhere_changes_nothing),
		pg_test(a_change_committed_between_two_looks_is_found),
		pg_test(searches_stay_right_under_a_small_budget),
		pg_test(columns_come_and_go_with_the_budget),
		pg_test(pages_of_many_runs_are_those_of_the_database),
		pg_test(an_experiment_larger_than_the_budget_is_searched_in_the_database),
		pg_test(without_a_budget_the_database_is_searched),
		pg_test(nothing_old_is_believed_after_postgresql_crashed),
		pg_test(a_server_taken_for_dead_reads_anew),
		pg_test(the_feed_is_pruned_behind_the_slowest_server),
		pg_test(searches_beside_writers_miss_nothing),
		pg_test(who_waits_for_an_experiment_holds_up_no_other),
	};
	const char *given = getenv("CAIRN_SEED");

	if (!hash_setup())
		return 1;
	seed = given != NULL ? strtoull(given, NULL, 10) : random_u64() >> 16;
	print_message("CAIRN_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
