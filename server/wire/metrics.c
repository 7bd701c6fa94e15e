/* Points of one key stand together where keys have several; where nearly every key has one, those of a moment do. */
#include "wire/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "wire/varint.h"

#define POINT_MOST (5 * VARINT_MOST + 8) /* bytes: a point with a group of its own */

struct writing {
	const struct wire_point *points;
	size_t n;
	const char **names; /* in the order of their first points */
	size_t name_count;
	uint32_t *group; /* of each point: its name's place */
	uint32_t *count; /* of each name: its points; later where they end in `order` */
	uint32_t *order; /* points, name after name */
	uint8_t *at;
};

static size_t
spread(const char *key, size_t mask)
{
	return (size_t)(((uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
}

/* Number the names. */
static void
find_names(struct writing *w)
{
	size_t slots = 16;
	uint32_t *table;

	while (slots < 2 * w->n)
		slots *= 2;
	table = mem_array(slots, sizeof(*table));
	for (size_t i = 0; i < w->n; i++) {
		const char *key = w->points[i].key;
		size_t at = spread(key, slots - 1);

		while (table[at] != 0 && w->names[table[at] - 1] != key)
			at = (at + 1) & (slots - 1);
		if (table[at] == 0) {
			w->names[w->name_count++] = key;
			table[at] = (uint32_t)w->name_count;
		}
		w->group[i] = table[at] - 1;
		w->count[w->group[i]]++;
	}
	free(table);
}

static void
put_order(struct writing *w)
{
	uint32_t start = 0;

	for (size_t g = 0; g < w->name_count; g++) {
		uint32_t size = w->count[g];

		w->count[g] = start;
		start += size;
	}
	for (uint32_t i = 0; i < w->n; i++)
		w->order[w->count[w->group[i]]++] = i;
}

static void
put_value(struct writing *w, double value)
{
	uint64_t bits = UINT64_C(0x7ff8000000000000);

	if (!isnan(value))
		memcpy(&bits, &value, sizeof(bits));
	for (int b = 0; b < 8; b++)
		*w->at++ = (uint8_t)(bits >> (8 * b));
}

static void
put_key(struct writing *w, size_t name, const uint32_t *order, size_t n)
{
	struct deltas steps = { 0 }, times = { 0 };

	*w->at++ = WIRE_BY_KEY;
	w->at = put_varint(put_varint(w->at, name), n);
	for (size_t i = 0; i < n; i++)
		w->at = put_next(w->at, &steps, w->points[order[i]].step);
	for (size_t i = 0; i < n; i++)
		w->at = put_next(w->at, &times, w->points[order[i]].time_unix_ms);
	for (size_t i = 0; i < n; i++)
		put_value(w, w->points[order[i]].value);
}

static void
put_keys(struct writing *w)
{
	uint32_t from = 0;

	put_order(w);
	for (size_t g = 0; g < w->name_count; from = w->count[g++])
		put_key(w, g, w->order + from, w->count[g] - from);
}

static bool
same_moment(const struct wire_point *a, const struct wire_point *b)
{
	return a->step == b->step && a->time_unix_ms == b->time_unix_ms;
}

static void
put_moment(struct writing *w, size_t from, size_t to)
{
	*w->at++ = WIRE_BY_STEP;
	w->at = put_varint(w->at, zigzag((uint64_t)w->points[from].step));
	w->at = put_varint(w->at, zigzag((uint64_t)w->points[from].time_unix_ms));
	w->at = put_varint(w->at, to - from);
	for (size_t i = from; i < to; i++)
		w->at = put_varint(w->at, w->group[i]);
	for (size_t i = from; i < to; i++)
		put_value(w, w->points[i].value);
}

static void
put_moments(struct writing *w)
{
	for (size_t from = 0, to; from < w->n; from = to) {
		for (to = from + 1; to < w->n && same_moment(&w->points[from], &w->points[to]);)
			to++;
		put_moment(w, from, to);
	}
}

static size_t
count_moments(const struct writing *w)
{
	size_t moments = w->n > 0;

	for (size_t i = 1; i < w->n; i++)
		moments += !same_moment(&w->points[i - 1], &w->points[i]);
	return moments;
}

static void
put_head(struct writing *w)
{
	memcpy(w->at, WIRE_METRICS_MAGIC, 3);
	w->at[3] = WIRE_VERSION;
	w->at[4] = WIRE_PLAIN;
	w->at = put_varint(put_varint(w->at + WIRE_HEADER, w->n), w->name_count);
	for (size_t i = 0; i < w->name_count; i++) {
		size_t len = strlen(w->names[i]);

		w->at = put_varint(w->at, len);
		memcpy(w->at, w->names[i], len);
		w->at += len;
	}
}

static size_t
most_bytes(const struct writing *w)
{
	size_t bytes = WIRE_HEADER + 2 * VARINT_MOST + w->n * POINT_MOST;

	for (size_t i = 0; i < w->name_count; i++)
		bytes += VARINT_MOST + strlen(w->names[i]);
	return bytes;
}

static void
write_body(struct buf *out, struct writing *w)
{
	uint8_t *start = (uint8_t *)buf_room(out, most_bytes(w));

	if (start == NULL)
		return;
	w->at = start;
	put_head(w);
	if (w->name_count > w->n / 2 && count_moments(w) <= w->n / 2)
		put_moments(w);
	else
		put_keys(w);
	out->len += (size_t)(w->at - start);
	out->data[out->len] = '\0';
}

void
wire_metrics_write(struct buf *out, const struct wire_point *points, size_t n)
{
	struct writing w = { .points = points, .n = n };

	w.names = mem_array(n + 1, sizeof(*w.names));
	w.group = mem_array(n + 1, sizeof(*w.group));
	w.count = mem_array(n + 1, sizeof(*w.count));
	w.order = mem_array(n + 1, sizeof(*w.order));
	find_names(&w);
	write_body(out, &w);
	free(w.names);
	free(w.group);
	free(w.count);
	free(w.order);
}
