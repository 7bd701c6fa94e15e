/*
 * What the figures of the metric engine are held against, taken with libpq alone. Prints a line of JSON, asserts nothing.
 * Usage: baseline_bench copy CONNINFO SECONDS              raw binary COPY into a table without index, one connection, 10,000 points a
 *                                                          transaction: {"points","seconds","bytes"}; the table stays
 *        baseline_bench rows CONNINFO SECONDS CLIENTS      one transaction for each point on the protocol's usual schema (a row in
 *                                                          metrics, an upsert in latest_metrics, one statement), a connection each:
 *                                                          {"points","seconds","p50_ms","p99_ms"}
 */
#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"

#define COPY_POINTS  10000
#define CLIENTS_MOST 128
#define LATENCIES    (1 << 20) /* of each client */

static void
stop(PGconn *db, const char *what)
{
	(void)fprintf(stderr, "baseline_bench: %s: %s", what, PQerrorMessage(db));
	exit(1);
}

static PGconn *
connect_to(const char *conninfo)
{
	PGconn *db = PQconnectdb(conninfo);

	if (PQstatus(db) != CONNECTION_OK)
		stop(db, "connect");
	return db;
}

static void
run_sql(PGconn *db, const char *sql)
{
	PGresult *r = PQexec(db, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		stop(db, sql);
	PQclear(r);
}

static long long
ask_number(PGconn *db, const char *sql)
{
	PGresult *r = PQexec(db, sql);
	long long n;

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		stop(db, sql);
	n = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	PQclear(r);
	return n;
}

/* ---- raw COPY ---- */

static void
put(struct buf *b, uint64_t value)
{
	uint32_t len = htobe32(8);

	value = htobe64(value);
	buf_add(b, &len, 4);
	buf_add(b, &value, 8);
}

/* One transaction's points as COPY takes them: series, step, time, value. */
static void
fill_copy(struct buf *b, uint64_t first)
{
	static const char head[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	static const char columns[2] = { 0, 4 }, end[2] = { -1, -1 };

	buf_clear(b);
	buf_add(b, head, sizeof(head));
	for (uint64_t i = first; i < first + COPY_POINTS; i++) {
		double value = 1.0 / (double)(i + 1);
		uint64_t bits;

		memcpy(&bits, &value, 8);
		buf_add(b, columns, 2);
		put(b, i % 1000);
		put(b, i / 1000);
		put(b, 1700000000000 + i);
		put(b, bits);
	}
	buf_add(b, end, 2);
}

static void
copy_once(PGconn *db, const struct buf *rows)
{
	PGresult *r = PQexec(db, "COPY bench_raw FROM STDIN (FORMAT binary)");

	if (PQresultStatus(r) != PGRES_COPY_IN)
		stop(db, "COPY");
	PQclear(r);
	if (PQputCopyData(db, rows->data, (int)rows->len) != 1 || PQputCopyEnd(db, NULL) != 1)
		stop(db, "COPY");
	while ((r = PQgetResult(db)) != NULL) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			stop(db, "COPY");
		PQclear(r);
	}
}

static void
raw_copy(const char *conninfo, double seconds)
{
	PGconn *db = connect_to(conninfo);
	struct buf rows;
	int64_t start, now, n = 0;

	buf_init(&rows, 4u << 20);
	run_sql(db, "SET client_min_messages = warning");
	run_sql(db, "DROP TABLE IF EXISTS bench_raw");
	run_sql(db,
		"CREATE TABLE bench_raw (series bigint, step bigint, time bigint, value double precision)");
	fill_copy(&rows, 0);
	for (start = now = clock_mono_us(); (double)(now - start) < seconds * 1e6; now = clock_mono_us()) {
		copy_once(db, &rows);
		n += COPY_POINTS;
	}
	(void)printf("{\"points\": %lld, \"seconds\": %.6f, \"bytes\": %lld}\n", (long long)n,
		(double)(now - start) / 1e6, ask_number(db, "SELECT pg_total_relation_size('bench_raw')"));
	buf_fini(&rows);
	PQfinish(db);
}

/* ---- a transaction for each point ---- */

static const char *const schema[] = {
	"SET client_min_messages = warning",
	"DROP TABLE IF EXISTS metrics, latest_metrics, runs",
	"CREATE TABLE runs (run_uuid varchar(32) PRIMARY KEY, lifecycle_stage varchar(20))",
	"CREATE TABLE metrics (key varchar(250) NOT NULL, value double precision NOT NULL, timestamp bigint "
	"NOT NULL, "
	"run_uuid varchar(32) NOT NULL REFERENCES runs, step bigint NOT NULL DEFAULT 0, is_nan boolean NOT "
	"NULL DEFAULT false, "
	"PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan))",
	"CREATE INDEX ON metrics (run_uuid)",
	"CREATE INDEX ON metrics (run_uuid, key, step)",
	"CREATE TABLE latest_metrics (key varchar(250) NOT NULL, value double precision NOT NULL, timestamp "
	"bigint, "
	"step bigint NOT NULL, is_nan boolean NOT NULL, run_uuid varchar(32) NOT NULL REFERENCES runs, "
	"PRIMARY KEY (key, run_uuid))",
	"CREATE INDEX ON latest_metrics (run_uuid)",
	"INSERT INTO runs SELECT md5(i::text), 'active' FROM generate_series(0, 127) i",
};

static const char log_point[] =
	"WITH r AS (SELECT run_uuid FROM runs WHERE run_uuid = md5($1::int::text) AND lifecycle_stage = "
	"'active'), "
	"m AS (INSERT INTO metrics (key, value, timestamp, run_uuid, step) SELECT 'train/loss', $2, $3, "
	"run_uuid, $4 FROM r "
	"ON CONFLICT DO NOTHING) "
	"INSERT INTO latest_metrics AS l (key, value, timestamp, step, is_nan, run_uuid) SELECT "
	"'train/loss', $2, $3, $4, false, run_uuid "
	"FROM r ON CONFLICT (key, run_uuid) DO UPDATE SET value = EXCLUDED.value, timestamp = "
	"EXCLUDED.timestamp, step = EXCLUDED.step "
	"WHERE (EXCLUDED.step, EXCLUDED.timestamp, EXCLUDED.value) > (l.step, l.timestamp, l.value)";

struct client {
	const char *conninfo;
	pthread_barrier_t *ready;
	double seconds;
	int number;
	size_t n;
	float *ms;
};

static void
log_one(PGconn *db, int run, int64_t step)
{
	char text[4][32];
	const char *values[4] = { text[0], text[1], text[2], text[3] };
	PGresult *r;

	(void)snprintf(text[0], sizeof(text[0]), "%d", run);
	(void)snprintf(text[1], sizeof(text[1]), "%.6f", 1.0 / (double)(step + 1));
	(void)snprintf(text[2], sizeof(text[2]), "%lld", (long long)(1700000000000 + step * 1000));
	(void)snprintf(text[3], sizeof(text[3]), "%lld", (long long)step);
	r = PQexecPrepared(db, "log", 4, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_COMMAND_OK || strcmp(PQcmdTuples(r), "1") != 0)
		stop(db, "log");
	PQclear(r);
}

static void *
client_main(void *arg)
{
	struct client *c = arg;
	PGconn *db = connect_to(c->conninfo);
	PGresult *r = PQprepare(db, "log", log_point, 0, NULL);
	int64_t start, now;

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		stop(db, "prepare");
	PQclear(r);
	pthread_barrier_wait(c->ready);
	for (start = now = clock_mono_us(); (double)(now - start) < c->seconds * 1e6 && c->n < LATENCIES;
		c->n++) {
		int64_t since = now;

		log_one(db, c->number, (int64_t)c->n);
		now = clock_mono_us();
		c->ms[c->n] = (float)(now - since) / 1000;
	}
	PQfinish(db);
	return NULL;
}

static int
by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
print_rows(const struct client *clients, int count, double seconds)
{
	size_t n = 0, at = 0;
	float *all;

	for (int i = 0; i < count; i++)
		n += clients[i].n;
	if ((all = malloc((n + 1) * sizeof(*all))) == NULL)
		exit(1);
	for (int i = 0; i < count; at += clients[i++].n)
		memcpy(all + at, clients[i].ms, clients[i].n * sizeof(*all));
	qsort(all, n, sizeof(*all), by_size);
	(void)printf("{\"points\": %zu, \"seconds\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n", n, seconds,
		n == 0 ? 0 : (double)all[n / 2], n == 0 ? 0 : (double)all[n - 1 - n / 100]);
	free(all);
}

static void
one_by_one(const char *conninfo, double seconds, int count)
{
	static struct client clients[CLIENTS_MOST];
	pthread_t threads[CLIENTS_MOST];
	pthread_barrier_t ready;
	PGconn *db = connect_to(conninfo);
	int64_t start;

	for (size_t i = 0; i < sizeof(schema) / sizeof(schema[0]); i++)
		run_sql(db, schema[i]);
	pthread_barrier_init(&ready, NULL, (unsigned)count + 1);
	for (int i = 0; i < count; i++) {
		clients[i] =
			(struct client){ conninfo, &ready, seconds, i, 0, malloc(LATENCIES * sizeof(float)) };
		if (clients[i].ms == NULL || pthread_create(&threads[i], NULL, client_main, &clients[i]) != 0)
			exit(1);
	}
	pthread_barrier_wait(&ready);
	start = clock_mono_us();
	for (int i = 0; i < count; i++)
		(void)pthread_join(threads[i], NULL);
	print_rows(clients, count, (double)(clock_mono_us() - start) / 1e6);
	for (int i = 0; i < count; i++)
		free(clients[i].ms);
	PQfinish(db);
}

int
main(int argc, char **argv)
{
	int clients = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 64;

	if (argc >= 4 && strcmp(argv[1], "copy") == 0)
		raw_copy(argv[2], strtod(argv[3], NULL));
	else if (argc >= 4 && strcmp(argv[1], "rows") == 0 && clients >= 1 && clients <= CLIENTS_MOST)
		one_by_one(argv[2], strtod(argv[3], NULL), clients);
	else
		return (void)fprintf(stderr, "usage: baseline_bench copy|rows CONNINFO SECONDS [CLIENTS]\n"),
		       2;
	return 0;
}
