/*
 * Points a second through the writer, 64 requests always in flight, beside raw binary COPY of one row a point on one connection (10,000
 * points a transaction), taken just before and after. Prints, asserts nothing.
 * Usage: ingest_bench CONNINFO [seconds]      an empty database, or one of an earlier run
 */
#include <endian.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/ingest.h"
#include "store/migrate.h"
#include "store/query.h"

#define IN_FLIGHT   64
#define POINTS_MOST 1000

static struct ctx cx;

static void
must(enum status st)
{
	if (st == OK)
		return;
	(void)fprintf(stderr, "ingest_bench: %s\n", cx.message);
	exit(1);
}

static const struct statement drop_raw = { "bench_drop", "DROP TABLE IF EXISTS bench_raw" };
static const struct statement create_raw = { "bench_create",
	"CREATE TABLE bench_raw (series bigint, step bigint, time bigint, value double precision)" };
static const struct statement drop_runs = { "bench_no_runs", "DELETE FROM run WHERE uuid LIKE 'bench%'" };
static const struct statement create_runs = { "bench_runs",
	"INSERT INTO run (uuid, experiment_id, name, start_unix_ms, artifact_uri, created_unix_ms) "
	"SELECT 'bench' || i, 0, 'bench', 0, '', 0 FROM generate_series(0, 63) i" };
static const struct statement empty = { "bench_empty", "TRUNCATE bench_raw, metric_tail" };

static void
run_sql(const struct statement *s)
{
	struct tx *tx = NULL;
	struct query q;

	must(tx_begin(&cx, &tx));
	query_init(&q, tx, s);
	must(query_run(&q, NULL));
	must(tx_commit(&tx));
}

/* ---- raw COPY ---- */

static void
put(struct buf *b, const void *data, uint32_t len)
{
	uint32_t wire = htobe32(len);

	buf_add(b, &wire, 4);
	buf_add(b, data, len);
}

static double
raw_copy(double seconds)
{
	static const struct statement copy = { "bench_copy", "COPY bench_raw FROM STDIN (FORMAT binary)" };
	static const char columns[2] = { 0, 4 };
	struct buf rows;
	int64_t start, now, n = 0;

	buf_init(&rows, 16u << 20);
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t series = htobe64(i % 1000), step = htobe64(i / 1000),
			 time = htobe64(1700000000000 + i), value = i;

		buf_add(&rows, columns, 2);
		put(&rows, &series, 8);
		put(&rows, &step, 8);
		put(&rows, &time, 8);
		put(&rows, &value, 8);
	}
	for (start = now = clock_mono_us(); (double)(now - start) < seconds * 1e6;
		now = clock_mono_us(), n += 10000) {
		struct tx *tx = NULL;
		struct query q;

		must(tx_begin(&cx, &tx));
		query_init(&q, tx, &copy);
		must(query_copy(&q, &rows));
		must(tx_commit(&tx));
	}
	buf_fini(&rows);
	return (double)n * 1e6 / (double)(now - start);
}

/* ---- the writer ---- */

struct load {
	struct ingest *in;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	int in_flight;
	int64_t until_us, requests;
	size_t points;
};

struct client {
	struct load *load;
	struct ctx cx;
	char uuid[40];
	int64_t step;
	struct point points[POINTS_MOST];
};

static void client_next(struct client *c);

static void
client_done(void *arg, enum status st)
{
	struct client *c = arg;

	if (st != OK) {
		(void)fprintf(stderr, "ingest_bench: %s\n", c->cx.message);
		exit(1);
	}
	c->load->requests++; /* on the writer's thread alone */
	client_next(c);
}

static void
client_next(struct client *c)
{
	static const char *const names[10] = { "loss", "acc", "val_loss", "val_acc", "lr", "grad", "gpu",
		"mem", "f1", "auc" };
	int64_t now = clock_mono_us();

	if (now >= c->load->until_us) {
		pthread_mutex_lock(&c->load->lock);
		if (--c->load->in_flight == 0)
			pthread_cond_signal(&c->load->idle);
		pthread_mutex_unlock(&c->load->lock);
		return;
	}
	for (size_t i = 0; i < c->load->points; i++) {
		int64_t step = c->step + (int64_t)(i / 10);

		c->points[i] = (struct point){ names[i % 10], (double)(float)(1.0 / (double)(step + 1)),
			1700000000000 + now / 1000, step };
	}
	c->step += (int64_t)(c->load->points + 9) / 10;
	if (ingest_submit(c->load->in, &c->cx, c->uuid, c->points, c->load->points, client_done, c) != OK)
		abort();
}

static double
through_the_writer(struct pool *pool, size_t points, double seconds)
{
	const struct ingest_options options = { .pool = pool, .queue_limit_bytes = 64u << 20 };
	struct load load = { .in = ingest_start(&options), .in_flight = IN_FLIGHT, .points = points };
	struct client *clients = mem_array(IN_FLIGHT, sizeof(*clients));
	int64_t start = clock_mono_us();
	double rate;

	pthread_mutex_init(&load.lock, NULL);
	pthread_cond_init(&load.idle, NULL);
	load.until_us = start + (int64_t)(seconds * 1e6);
	for (int i = 0; i < IN_FLIGHT; i++) {
		clients[i].load = &load;
		ctx_init(&clients[i].cx, cx.arena, cx.parts);
		(void)snprintf(clients[i].uuid, sizeof(clients[i].uuid), "bench%d", i);
		client_next(&clients[i]);
	}
	pthread_mutex_lock(&load.lock);
	while (load.in_flight > 0)
		pthread_cond_wait(&load.idle, &load.lock);
	pthread_mutex_unlock(&load.lock);
	rate = (double)load.requests * (double)points * 1e6 / (double)(clock_mono_us() - start);
	ingest_stop(load.in);
	free(clients);
	return rate;
}

static void
prepare(void)
{
	enum schema_state state;
	int applied;

	must(migrate_state(&cx, &state) == INTERNAL ? INTERNAL : OK);
	if (state != SCHEMA_CURRENT)
		must(migrate_run(&cx, &applied));
	run_sql(&drop_raw);
	run_sql(&create_raw);
	run_sql(&drop_runs);
	run_sql(&create_runs);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 3.0;
	const struct pool_options options = { .conninfo = argc > 1 ? argv[1] : "",
		.size = 4,
		.acquire_timeout_ms = 5000,
		.statement_timeout_ms = 30000 };
	struct parts parts = { 0 };

	if (argc < 2 || !hash_setup()) {
		(void)fprintf(stderr, "usage: ingest_bench CONNINFO [seconds]\n");
		return 2;
	}
	log_setup(LOG_LEVEL_WARN, false);
	parts.pool = pool_new(&options);
	ctx_init(&cx, arena_new(), &parts);
	prepare();
	for (size_t points = 1; points <= POINTS_MOST; points *= 10) {
		double before = raw_copy(seconds / 2), ours = through_the_writer(parts.pool, points, seconds),
		       after = raw_copy(seconds / 2);
		double raw = (before + after) / 2;

		printf("%4zu points a request  %8.0f requests/s  %6.3f M points/s  raw COPY %.3f M points/s  "
		       "ratio %.2f\n",
			points, ours / (double)points, ours / 1e6, raw / 1e6, ours / raw);
		run_sql(&empty);
	}
	arena_free(cx.arena);
	pool_free(parts.pool);
	return 0;
}
