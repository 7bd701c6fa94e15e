/* Any bytes as a batch of columns: no crash; what is accepted is whole, and comes back when it is written and read again. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/utf8.h"
#include "ingest/batch.h"
#include "wire/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_name_of(const struct metric_batch *b, const char *key)
{
	for (size_t i = 0; i < b->name_count; i++)
		if (b->names[i] == key)
			return true;
	return false;
}

static double
sum(const struct point *points, size_t n, uint64_t *whole)
{
	double values = 0;

	*whole = 0;
	for (size_t i = 0; i < n; i++) {
		*whole += (uint64_t)points[i].step * 31 + (uint64_t)points[i].time_unix_ms;
		values += isfinite(points[i].value) && fabs(points[i].value) < 1e15 ? floor(points[i].value)
										    : 0;
	}
	return values;
}

static void
again(struct ctx *cx, const struct metric_batch *b)
{
	struct wire_point *points = calloc(b->n + 1, sizeof(*points));
	struct metric_batch got;
	struct buf body;
	uint64_t whole, then;

	for (size_t i = 0; i < b->n; i++)
		points[i] = (struct wire_point){ b->points[i].key, b->points[i].value,
			b->points[i].time_unix_ms, b->points[i].step };
	buf_init(&body, 256u << 20);
	wire_metrics_write(&body, points, b->n);
	assert(batch_read(cx, body.data, body.len, &got) == OK && got.n == b->n &&
		got.name_count <= b->name_count);
	assert(sum(got.points, got.n, &whole) == sum(b->points, b->n, &then));
	assert(whole == then);
	buf_fini(&body);
	free(points);
}

static void
check(struct ctx *cx, const struct metric_batch *b)
{
	assert(b->n <= WIRE_POINTS_MOST && b->name_count <= b->n);
	for (size_t i = 0; i < b->name_count; i++)
		assert(b->names[i][0] != '\0' && utf8_valid(b->names[i], strlen(b->names[i])));
	for (size_t i = 0; i < b->n && i < 100; i++)
		assert(is_name_of(b, b->points[i].key));
	again(cx, b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metric_batch batch;
	char *body = malloc(size + 1);
	struct ctx cx;

	if (!hash_setup())
		return 1;
	ctx_init(&cx, arena_new(), NULL);
	memcpy(body, data, size);
	if (size >= 4)
		memcpy(body, WIRE_METRICS_MAGIC "\1", 4);
	if (batch_read(&cx, body, size, &batch) == OK)
		check(&cx, &batch);
	else
		assert(cx.message[0] != '\0' && strchr(cx.message, '\n') == NULL);
	arena_free(cx.arena);
	free(body);
	return 0;
}
