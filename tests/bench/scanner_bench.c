/*
 * Points a second: our scanner against jansson, on a log-batch body of 1,000 metrics. Prints, asserts nothing.
 * Usage: scanner_bench [seconds]
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "ingest/scanner.h"

#define POINTS 1000

static void
make_body(struct buf *b, bool digits17)
{
	buf_clear(b);
	buf_str(b, "{\"run_id\":\"0123456789abcdef0123456789abcdef\",\"metrics\":[");
	for (int i = 0; i < POINTS; i++) {
		double v = (double)(random_u64() >> 11) * 0x1p-53;

		buf_printf(b, "%s{\"key\":\"train/metric_%d\",\"value\":", i > 0 ? "," : "", i % 10);
		buf_printf(b, digits17 ? "%.17g" : "%.6f", v);
		buf_printf(b, ",\"timestamp\":%lld,\"step\":%d}", 1700000000000LL + i, i / 10);
	}
	buf_str(b, "]}");
}

static bool
by_scanner(const struct buf *b, struct arena *arena)
{
	struct scanned_batch batch;
	struct ctx cx;
	bool good;

	ctx_init(&cx, arena, NULL);
	good = scan_log_batch(&cx, b->data, b->len, &batch) == OK && batch.n == POINTS;
	arena_reset(arena);
	return good;
}

static bool
by_jansson(const struct buf *b, struct arena *arena)
{
	json_t *root = json_loadb(b->data, b->len, JSON_REJECT_DUPLICATES, NULL), *point;
	size_t i, n = 0;

	(void)arena;
	json_array_foreach(json_object_get(root, "metrics"), i, point) n +=
		json_string_value(json_object_get(point, "key")) != NULL &&
		json_is_number(json_object_get(point, "value")) &&
		json_is_integer(json_object_get(point, "timestamp")) &&
		json_is_integer(json_object_get(point, "step"));
	json_decref(root);
	return n == POINTS;
}

static double
points_a_second(bool (*parse)(const struct buf *, struct arena *), const struct buf *b, double seconds)
{
	struct arena *arena = arena_new();
	int64_t start = clock_mono_us(), now = start;
	int64_t rounds = 0;

	for (; (double)(now - start) < seconds * 1e6; now = clock_mono_us(), rounds++)
		if (!parse(b, arena))
			abort();
	arena_free(arena);
	return (double)rounds * POINTS * 1e6 / (double)(now - start);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1.0;
	struct buf body;

	if (!hash_setup())
		return 1;
	buf_init(&body, 1u << 20);
	for (int digits17 = 0; digits17 < 2; digits17++) {
		double ours, theirs;

		make_body(&body, digits17 != 0);
		ours = points_a_second(by_scanner, &body, seconds);
		theirs = points_a_second(by_jansson, &body, seconds);
		printf("%-9s  %zu bytes a point  scanner %.2f M points/s  jansson %.2f M points/s  ratio "
		       "%.1f\n",
			digits17 != 0 ? "17 digits" : "6 digits", body.len / POINTS, ours / 1e6, theirs / 1e6,
			ours / theirs);
	}
	buf_fini(&body);
	return 0;
}
