/*
 * Searching runs: from columns in memory, beside reading every candidate from PostgreSQL for each search. Loads RUNS runs x 10 metrics x
 * 8 params into an experiment of its own, asks typical questions, prints medians, ratios and memory; asserts nothing.
 * Usage: search_bench CONNINFO [runs] [slow-runs]     an empty database, or one of an earlier run; from more than slow-runs runs on
 * (default 200000) the slow way is left out
 *        search_bench CONNINFO runs load             only writes the runs
 */
#include <endian.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "domain/run.h"
#include "ingest/ingest.h"
#include "search/columns.h"
#include "store/migrate.h"
#include "store/query.h"

#define BATCH        1000
#define TIMES        21
#define SEARCH_LIMIT 100

static struct ctx cx;
static struct parts parts, plain;
static char experiment[24];

static void
must(enum status st)
{
	if (st == OK)
		return;
	(void)fprintf(stderr, "search_bench: %s\n", cx.message);
	exit(1);
}

/* ---- the runs: written in bulk, as the server's own statements leave them ---- */

static const struct statement count_runs = { "bench_count",
	"SELECT count(*) AS n FROM run r JOIN experiment e USING (experiment_id) WHERE e.name = $1" };
static const struct statement make_experiment = { "bench_experiment",
	"INSERT INTO experiment (name, artifact_location, created_unix_ms, updated_unix_ms) VALUES ($1, '', "
	"0, 0) "
	"RETURNING experiment_id" };
static const struct statement find_experiment = { "bench_find",
	"SELECT experiment_id FROM experiment WHERE name = $1" };
static const struct statement make_runs = { "bench_runs",
	"INSERT INTO run (uuid, experiment_id, name, user_text, status, start_unix_ms, end_unix_ms, "
	"artifact_uri, "
	"created_unix_ms) SELECT md5($1::text || '/' || i), $1, 'gifted-shark-' || i, 'user' || i % 20, 3, "
	"1700000000000 + i * 1000, 1700000060000 + i * 1000, "
	"'mlflow-artifacts:/' || $1 || '/' || md5($1::text || '/' || i) || '/artifacts', 0 FROM "
	"generate_series($2, $3) i" };
static const struct statement make_params = { "bench_params",
	"INSERT INTO param (run_id, key, value) SELECT run_id, 'param' || p, CASE p WHEN 0 THEN "
	"(ARRAY['tree', 'net', "
	"'linear', 'forest', 'boost'])[1 + run_id % 5] WHEN 1 THEN (run_id % 1000)::text ELSE 'v' || (run_id "
	"* p) % 50 END "
	"FROM run, generate_series(0, 7) p WHERE experiment_id = $1 AND start_unix_ms BETWEEN 1700000000000 "
	"+ $2 * 1000 AND "
	"1700000000000 + $3 * 1000" };
static const struct statement make_tags = { "bench_tags",
	"INSERT INTO run_tag (run_id, key, value) SELECT run_id, t.key, t.value FROM run, LATERAL (VALUES "
	"('mlflow.runName', name), ('mlflow.user', user_text), ('mlflow.source.name', 'train.py'), "
	"('mlflow.source.type', 'LOCAL')) t (key, value) WHERE experiment_id = $1 AND start_unix_ms BETWEEN "
	"1700000000000 + $2 * 1000 AND 1700000000000 + $3 * 1000" };
static const struct statement analyze = { "bench_analyze", "ANALYZE run, param, run_tag, metric_tail" };

static int64_t
ask_number(const struct statement *s, const char *name)
{
	struct tx *tx = NULL;
	struct query q;
	int64_t n = 0;
	bool found;

	must(tx_begin(&cx, &tx));
	query_init(&q, tx, s);
	query_text(&q, name);
	must(query_maybe(&q, row_read_int8, &n, &found));
	must(tx_commit(&tx));
	return n;
}

static void
run_statement(struct tx *tx, const struct statement *s, int64_t id, int64_t from, int64_t to)
{
	struct query q;

	query_init(&q, tx, s);
	query_int8(&q, id);
	query_int8(&q, from);
	query_int8(&q, to);
	must(query_run(&q, NULL));
}

static uint64_t
scramble(uint64_t v)
{
	v ^= v >> 31;
	v *= UINT64_C(0x9e3779b97f4a7c15);
	return v ^ v >> 29;
}

/* Batches of points on their way to the ingest writer. */
struct flight {
	pthread_mutex_t lock;
	pthread_cond_t landed;
	size_t left;
};

static void
land(void *arg, enum status st)
{
	struct flight *f = arg;

	if (st != OK)
		exit(1);
	pthread_mutex_lock(&f->lock);
	if (--f->left == 0)
		pthread_cond_signal(&f->landed);
	pthread_mutex_unlock(&f->lock);
}

struct new_run {
	int64_t run_id;
	const char *uuid;
};

static void
log_metrics(const struct new_run *runs, size_t n)
{
	static const char *const names[10] = { "loss", "acc", "rmse", "mae", "f1", "auc", "lr", "epoch_time",
		"gpu", "val_loss" };
	struct flight f = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, n };
	struct point points[10];

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < 10; k++)
			points[k] = (struct point){ names[k],
				(double)(scramble((uint64_t)runs[i].run_id * 16 + k) % 1000000) / 1e6,
				1700000000000, 1 };
		must(ingest_submit(parts.ingest, &cx, runs[i].uuid, points, 10, land, &f));
	}
	pthread_mutex_lock(&f.lock);
	while (f.left > 0)
		pthread_cond_wait(&f.landed, &f.lock);
	pthread_mutex_unlock(&f.lock);
}

static enum status
new_run_from_row(struct row *row, void *out)
{
	*(struct new_run *)out = (struct new_run){ row_int8(row, "run_id"), row_text(row, "uuid") };
	return OK;
}

static const struct statement list_runs = { "bench_list",
	"SELECT run_id, uuid FROM run WHERE experiment_id = $1 AND start_unix_ms BETWEEN 1700000000000 + $2 "
	"* 1000 "
	"AND "
	"1700000000000 + $3 * 1000" };

static void
make_batch(int64_t id, int64_t from, int64_t to)
{
	struct tx *tx = NULL;
	struct query q;
	struct new_run *made;
	size_t n;

	arena_reset(cx.arena);
	must(tx_begin(&cx, &tx));
	run_statement(tx, &make_runs, id, from, to);
	run_statement(tx, &make_params, id, from, to);
	run_statement(tx, &make_tags, id, from, to);
	query_init(&q, tx, &list_runs);
	query_int8(&q, id);
	query_int8(&q, from);
	query_int8(&q, to);
	must(query_list(&q, new_run_from_row, sizeof(*made), &made, &n));
	must(tx_commit(&tx));
	log_metrics(made, n);
}

static void
make_all(int64_t runs)
{
	const char *name = arena_printf(cx.arena, "search bench %lld", (long long)runs);
	int64_t id, there = ask_number(&count_runs, name), since = clock_mono_ms();
	char kept[64];
	struct query q;
	struct tx *tx = NULL;

	(void)snprintf(kept, sizeof(kept), "%s", name);
	id = there > 0 ? ask_number(&find_experiment, kept) : 0;
	if (id == 0 && (id = ask_number(&find_experiment, kept)) == 0)
		id = ask_number(&make_experiment, kept);
	for (int64_t i = there; i < runs; i += BATCH)
		make_batch(id, i, i + BATCH < runs ? i + BATCH - 1 : runs - 1);
	if (there < runs) {
		must(tx_begin(&cx, &tx));
		query_init(&q, tx, &analyze);
		must(query_run(&q, NULL));
		must(tx_commit(&tx));
		(void)printf("%lld runs written in %.1f s\n", (long long)(runs - there),
			(double)(clock_mono_ms() - since) / 1e3);
	}
	(void)snprintf(experiment, sizeof(experiment), "%lld", (long long)id);
}

/* ---- asking ---- */

struct question {
	const char *what, *filter, *order;
	int64_t limit;
};

static const struct question questions[] = {
	{ "newest", NULL, NULL, SEARCH_LIMIT },
	{ "metric 0.5%, param, metric order", "metrics.rmse < 0.005 AND params.param0 = 'tree'",
		"metrics.acc DESC", SEARCH_LIMIT },
	{ "metric 5%, param, metric order", "metrics.rmse < 0.05 AND params.param0 = 'tree'",
		"metrics.acc DESC", SEARCH_LIMIT },
	{ "metric 50%, param, metric order", "metrics.rmse < 0.5 AND params.param0 = 'tree'",
		"metrics.acc DESC", SEARCH_LIMIT },
	{ "two metrics and LIKE",
		"metrics.rmse < 0.5 AND metrics.f1 > 0.5 AND tags.mlflow.runName LIKE '%shark-9%'",
		"metrics.acc DESC", SEARCH_LIMIT },
	{ "order by a param", NULL, "params.param1", SEARCH_LIMIT },
	{ "least and greatest of metrics", "min(metrics.rmse) < 0.5 AND params.param0 = 'tree'",
		"max(metrics.acc) DESC", SEARCH_LIMIT },
	{ "newest 1,000", NULL, NULL, 1000 },
};

static int
by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static size_t
ask(const struct parts *with, const struct question *q)
{
	const char *ids[1] = { experiment }, *token;
	struct search_in in = { .filter = q->filter,
		.order_by = (const char **)(uintptr_t)&q->order,
		.order_by_count = q->order != NULL,
		.max_results = q->limit,
		.view = VIEW_ACTIVE };
	struct run *runs;
	size_t n;

	arena_reset(cx.arena);
	ctx_init(&cx, cx.arena, with);
	must(run_search(&cx, ids, 1, &in, &runs, &n, &token));
	return n;
}

static double
median_ms(const struct parts *with, const struct question *q, int times)
{
	int64_t us[TIMES];

	for (int i = 0; i < times; i++) {
		int64_t since = clock_mono_us();

		(void)ask(with, q);
		us[i] = clock_mono_us() - since;
	}
	qsort(us, (size_t)times, sizeof(us[0]), by_number);
	return (double)us[times / 2] / 1e3;
}

/* Page after page: none of these runs was asked for before. */
static double
median_new_ms(const struct question *q, double *best_ms)
{
	const char *ids[1] = { experiment };
	struct search_in in = { .filter = q->filter,
		.order_by = (const char **)(uintptr_t)&q->order,
		.order_by_count = q->order != NULL,
		.max_results = q->limit,
		.view = VIEW_ACTIVE };
	int64_t us[TIMES];
	struct run *runs;
	char token[4096] = "";
	int n = 0;

	for (bool more = true; more && n < TIMES; n++) {
		int64_t since = clock_mono_us();
		const char *next;
		size_t count;

		arena_reset(cx.arena);
		ctx_init(&cx, cx.arena, &parts);
		in.page_token = token[0] == '\0' ? NULL : token;
		must(run_search(&cx, ids, 1, &in, &runs, &count, &next));
		us[n] = clock_mono_us() - since;
		more = next != NULL;
		if (more)
			(void)snprintf(token, sizeof(token), "%s", next);
	}
	qsort(us, (size_t)n, sizeof(us[0]), by_number);
	*best_ms = (double)us[0] / 1e3;
	return (double)us[n / 2] / 1e3;
}

static int64_t
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The hits alone, found in memory: follow the feed, filter, order. */
static double
median_find_ms(const struct question *q, double *cpu_ms)
{
	int64_t us[TIMES], cpu[TIMES], id = strtoll(experiment, NULL, 10);

	for (int i = 0; i < TIMES; i++) {
		struct columns_query cq = { &id, 1, VIEW_ACTIVE, NULL, NULL, (size_t)q->limit };
		struct search *s;
		struct columns_hit *found;
		int64_t since = clock_mono_us(), cpu_since = cpu_us();
		const char *token;
		size_t n;
		bool served;

		arena_reset(cx.arena);
		must(search_compile(&cx, SEARCH_RUNS, q->filter, &q->order, q->order != NULL, &s));
		search_scope(s, "");
		cq.search = s;
		must(columns_search(parts.columns, &cx, &cq, &found, &n, &token, &served));
		us[i] = clock_mono_us() - since;
		cpu[i] = cpu_us() - cpu_since;
	}
	qsort(us, TIMES, sizeof(us[0]), by_number);
	qsort(cpu, TIMES, sizeof(cpu[0]), by_number);
	*cpu_ms = (double)cpu[TIMES / 2] / 1e3;
	return (double)us[TIMES / 2] / 1e3;
}

static long
resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0, pages = 0;

	if (f == NULL || fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f != NULL)
		(void)fclose(f);
	return pages * 4;
}

static void
ask_all(bool slow)
{
	(void)printf("%-34s %6s %10s %10s %10s %10s %10s %12s %8s %8s\n", "ms", "hits", "found", "its CPU",
		"new page", "its best", "again", "database", "ratio", "ratio");
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct question *q = &questions[i];
		double cpu, best, fresh = median_new_ms(q, &best), found = median_find_ms(q, &cpu);
		double again = median_ms(&parts, q, TIMES);
		double database = slow ? median_ms(&plain, q, 3) : 0;

		(void)printf("%-34s %6zu %10.2f %10.2f %10.2f %10.2f %10.2f %12.1f %8.0f %8.0f\n", q->what,
			ask(&parts, q), found, cpu, fresh, best, again, database, database / fresh,
			database / again);
	}
}

/* ---- many clients, and a search after each change ---- */

struct client {
	int64_t until_us, searches;
	const struct question *q;
};

static void *
search_on(void *arg)
{
	struct client *c = arg;
	const char *ids[1] = { experiment }, *token;
	struct search_in in = { .filter = c->q->filter,
		.order_by = (const char **)(uintptr_t)&c->q->order,
		.order_by_count = c->q->order != NULL,
		.max_results = c->q->limit,
		.view = VIEW_ACTIVE };
	struct arena *arena = arena_new();
	struct ctx own;
	struct run *runs;
	size_t n;

	for (; clock_mono_us() < c->until_us; c->searches++) {
		arena_reset(arena);
		ctx_init(&own, arena, &parts);
		if (run_search(&own, ids, 1, &in, &runs, &n, &token) != OK)
			break;
	}
	arena_free(arena);
	return NULL;
}

static void
many_clients(const struct question *q)
{
	enum { CLIENTS = 16 };
	pthread_t threads[CLIENTS];
	struct client clients[CLIENTS];
	int64_t until = clock_mono_us() + 3000000, n = 0;

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ until, 0, q };
		if (pthread_create(&threads[i], NULL, search_on, &clients[i]) != 0)
			exit(1);
	}
	for (int i = 0; i < CLIENTS; i++) {
		(void)pthread_join(threads[i], NULL);
		n += clients[i].searches;
	}
	(void)printf("16 clients, \"%s\": %.0f searches/s\n", q->what, (double)n / 3);
}

static void
after_changes(const struct question *q)
{
	const char *ids[1] = { experiment }, *token;
	struct search_in in = { .max_results = TIMES, .view = VIEW_ACTIVE };
	int64_t us[TIMES];
	struct run *runs;
	char uuids[TIMES][40];
	size_t n;

	arena_reset(cx.arena);
	ctx_init(&cx, cx.arena, &parts);
	must(run_search(&cx, ids, 1, &in, &runs, &n, &token));
	for (size_t i = 0; i < n; i++)
		(void)snprintf(uuids[i], sizeof(uuids[i]), "%s", runs[i].uuid);
	for (size_t i = 0; i < n; i++) {
		struct key_value tag = { "note", "changed" };
		int64_t since;

		must(run_tag_set(&cx, uuids[i], &tag));
		since = clock_mono_us();
		(void)ask(&parts, q);
		us[i] = clock_mono_us() - since;
	}
	qsort(us, n, sizeof(us[0]), by_number);
	(void)printf("a search right after a change: %.2f ms\n", n == 0 ? 0 : (double)us[n / 2] / 1e3);
}

static void
bench(int64_t runs, bool slow)
{
	struct columns_stats stats;
	long before;
	int64_t since;

	make_all(runs);
	before = resident_kib();
	since = clock_mono_ms();
	(void)ask(&parts, &questions[0]);
	columns_stats(parts.columns, &stats);
	(void)printf(
		"\n%zu runs read into memory in %.1f s: %.1f MiB, %.0f bytes a run; resident %ld MiB more\n",
		stats.runs, (double)(clock_mono_ms() - since) / 1e3, (double)stats.bytes / 1048576,
		stats.runs == 0 ? 0 : (double)stats.bytes / (double)stats.runs,
		(resident_kib() - before) / 1024);
	ask_all(slow);
	many_clients(&questions[1]);
	many_clients(&questions[0]);
	after_changes(&questions[1]);
}

int
main(int argc, char **argv)
{
	int64_t runs = argc > 2 ? strtoll(argv[2], NULL, 10) : 100000;
	int64_t slow = argc > 3 ? strtoll(argv[3], NULL, 10) : 200000;
	enum schema_state state = SCHEMA_EMPTY;
	int applied;
	struct pool_options o = { .size = 24, .acquire_timeout_ms = 10000, .statement_timeout_ms = 300000 };

	if (argc < 2) {
		(void)fprintf(stderr, "usage: search_bench CONNINFO [runs] [slow-runs]\n");
		return 2;
	}
	log_setup(LOG_LEVEL_WARN, false);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (!hash_setup())
		return 1;
	o.conninfo = argv[1];
	parts.pool = pool_new(&o);
	ctx_init(&cx, arena_new(), &parts);
	must(migrate_state(&cx, &state) == INTERNAL ? INTERNAL : OK);
	if (state != SCHEMA_CURRENT)
		must(migrate_run(&cx, &applied));
	parts.ingest =
		ingest_start(&(struct ingest_options){ .pool = parts.pool, .queue_limit_bytes = 64u << 20 });
	plain = parts;
	parts.columns = columns_start(&(struct columns_options){
		.pool = parts.pool, .budget_bytes = (size_t)1 << 30, .status_name = run_status_name });
	if (argc > 3 && strcmp(argv[3], "load") == 0)
		make_all(runs);
	else
		bench(runs, runs <= slow);
	columns_stop(parts.columns);
	ingest_stop(parts.ingest);
	pool_free(parts.pool);
	arena_free(cx.arena);
	return 0;
}
