/*
 * Points a second through compaction alone: tails of several runs are written, then compacted, run by run. Prints, asserts nothing.
 * Usage: compact_bench CONNINFO [points a row] [keys] [runs] [points a run]      an empty database, or one of an earlier run
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/codec.h"
#include "ingest/compact.h"
#include "store/metrics.h"
#include "store/migrate.h"
#include "store/query.h"

#define ROWS_A_COMMIT 1000

static struct ctx cx;

static void
must(enum status st)
{
	if (st == OK)
		return;
	(void)fprintf(stderr, "compact_bench: %s\n", cx.message);
	exit(1);
}

static const struct statement make_runs = { "bench_runs",
	"INSERT INTO run (run_id, uuid, experiment_id, name, start_unix_ms, artifact_uri, created_unix_ms) "
	"OVERRIDING SYSTEM VALUE SELECT i, 'bench' || i, 0, 'bench', 0, '', 0 FROM generate_series(1, "
	"$1::int) i" };
static const struct statement empty = { "bench_empty",
	"TRUNCATE metric_tail, metric_chunk, run_summary, run_change, run CASCADE" };

static void
run_sql(const struct statement *s, int32_t value, bool has)
{
	struct tx *tx = NULL;
	struct query q;

	must(tx_begin(&cx, &tx));
	query_init(&q, tx, s);
	if (has)
		query_int4(&q, value);
	must(query_run(&q, NULL));
	must(tx_commit(&tx));
}

struct shape {
	size_t row, keys, runs, points;
};

/* A run's points: every key at each step, one step after the other. */
static void
write_tail(struct codec *codec, const struct shape *s, int64_t run_id)
{
	struct tail_point *points = mem_array(s->row, sizeof(*points));
	struct buf rows, data;
	struct tx *tx = NULL;
	int64_t seq = 0;

	buf_init(&rows, 64u << 20);
	buf_init(&data, 1u << 20);
	must(tx_begin(&cx, &tx));
	for (size_t at = 0; at < s->points; at += s->row) {
		for (size_t i = 0; i < s->row; i++) {
			int64_t step = (int64_t)((at + i) / s->keys);

			points[i] = (struct tail_point){ step, 1700000000000 + step * 137,
				(double)(random_u64() % 1000000) / 1e6 / (double)(step + 1),
				(int32_t)((at + i) % s->keys) + 1 };
		}
		buf_clear(&data);
		codec_encode(codec, points, s->row, &data);
		metric_tail_row(&rows, run_id, ++seq, (int32_t)s->row, data.data, data.len);
		if (seq % ROWS_A_COMMIT == 0 || at + s->row >= s->points) {
			must(store_metric_tail_copy(tx, &rows));
			buf_clear(&rows);
		}
	}
	must(tx_commit(&tx));
	buf_fini(&rows);
	buf_fini(&data);
	free(points);
}

static void
measure(const struct shape *s)
{
	struct codec *codec = codec_new();
	struct compact *compact = compact_new();
	size_t points = 0, rows = 0;
	struct rusage usage;
	int64_t begin;

	for (size_t run = 1; run <= s->runs; run++)
		write_tail(codec, s, (int64_t)run);
	begin = clock_mono_us();
	for (size_t run = 1; run <= s->runs; run++) {
		struct compacted done = { .more = true };

		while (done.more) {
			must(compact_run(compact, &cx, (int64_t)run, true, &done));
			arena_reset(cx.arena);
			points += done.points;
			rows += done.rows;
		}
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf("%zu points a row, %zu keys, %zu runs: %zu points of %zu rows, %.2f M points/s, at most "
		     "%ld MiB\n",
		s->row, s->keys, s->runs, points, rows, (double)points / (double)(clock_mono_us() - begin),
		usage.ru_maxrss / 1024);
	compact_free(compact);
	codec_free(codec);
}

static size_t
number(int argc, char **argv, int at, size_t fallback)
{
	return argc > at ? strtoull(argv[at], NULL, 10) : fallback;
}

int
main(int argc, char **argv)
{
	const struct shape s = { number(argc, argv, 2, 10), number(argc, argv, 3, 10),
		number(argc, argv, 4, 10), number(argc, argv, 5, 200000) };
	struct parts parts = { 0 };
	int applied = 0;

	if (argc < 2 || s.row == 0 || s.keys == 0 || !hash_setup()) {
		(void)fprintf(stderr,
			"usage: compact_bench CONNINFO [points a row] [keys] [runs] [points a run]\n");
		return 2;
	}
	log_setup(LOG_LEVEL_WARN, false);
	parts.pool = pool_new(&(struct pool_options){
		.conninfo = argv[1], .size = 2, .acquire_timeout_ms = 5000, .statement_timeout_ms = 120000 });
	ctx_init(&cx, arena_new(), &parts);
	must(migrate_run(&cx, &applied));
	run_sql(&empty, 0, false);
	run_sql(&make_runs, (int32_t)s.runs, true);
	measure(&s);
	pool_free(parts.pool);
	arena_free(cx.arena);
	return 0;
}
