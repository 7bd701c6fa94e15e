/*
 * The transaction: lock the run, take the oldest rows of its tail, bring their points in order by series, hand them on block by
 * block, say that the run has changed, commit.
 *
 * Memory: a transaction takes at most COMPACT_POINTS points and one row (32 bytes a point, 24 more when sorted by series); with
 * what belongs to one series at a time, or the bundles of one block, that comes to some 30 MB, and to 100 MB at the very worst. What
 * is larger than usual is given back at the end.
 */
#include "ingest/compact_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ingest/samples.h"

#define ROWS_FIRST   4096
#define ROWS_LEAST   512
#define COPY_LIMIT   (256u << 20)
#define KEEP_POINTS  (1u << 16)
#define KEEP_SAMPLES (1u << 16)

/* ---- memory ---- */

struct sample *
heap_room(struct heap *h, size_t n)
{
	if (h->n + n > h->room) {
		h->room = h->room * 2 > h->n + n ? h->room * 2 : h->n + n;
		h->items = mem_resize(h->items, h->room, sizeof(*h->items));
	}
	return h->items + h->n;
}

void
heap_add(struct heap *h, const struct sample *samples, size_t n)
{
	struct sample *to = heap_room(h, n);

	if (n > 0)
		memcpy(to, samples, n * sizeof(*samples));
	h->n += n;
}

static void
heap_shrink(struct heap *h)
{
	h->n = 0;
	if (h->room <= KEEP_SAMPLES)
		return;
	free(h->items);
	*h = (struct heap){ 0 };
}

struct compact *
compact_new(void)
{
	struct compact *c = mem_alloc(sizeof(*c));

	c->rows = ROWS_FIRST;
	c->codec = codec_new();
	c->coder = chunk_coder_new();
	buf_init(&c->copy, COPY_LIMIT);
	buf_init(&c->data, COPY_LIMIT);
	buf_init(&c->preview, COPY_LIMIT);
	return c;
}

static void
forget_points(struct compact *c)
{
	free(c->points);
	free(c->owners);
	c->points = NULL;
	c->owners = NULL;
	c->point_count = c->point_room = 0;
}

void
compact_free(struct compact *c)
{
	if (c == NULL)
		return;
	forget_points(c);
	free(c->series);
	free(c->slots);
	free(c->split.items);
	free(c->merged.items);
	free(c->loose.items);
	buf_fini(&c->copy);
	buf_fini(&c->data);
	buf_fini(&c->preview);
	chunk_coder_free(c->coder);
	codec_free(c->codec);
	free(c);
}

/* Between transactions little is kept. */
static void
shrink(struct compact *c)
{
	if (c->point_room > KEEP_POINTS)
		forget_points(c);
	c->point_count = c->series_count = 0;
	heap_shrink(&c->split);
	heap_shrink(&c->merged);
	heap_shrink(&c->loose);
	buf_clear(&c->copy);
}

enum status
compact_damage(struct compact *c, const char *what)
{
	log_error("metric_damage", "run=%lld message=\"%s cannot be read\"", (long long)c->run_id, what);
	return fail(tx_ctx(c->tx), INTERNAL, "stored metrics of this run cannot be read");
}

/* ---- the series of the points ---- */

static size_t
slot_of(const struct compact *c, int32_t key_id)
{
	size_t at = ((uint32_t)key_id * UINT32_C(2654435769) >> 4) & (c->slot_count - 1);

	while (c->slots[at] != 0 && c->series[c->slots[at] - 1].key_id != key_id)
		at = (at + 1) & (c->slot_count - 1);
	return at;
}

static void
refill_slots(struct compact *c)
{
	memset(c->slots, 0, c->slot_count * sizeof(*c->slots));
	for (size_t i = 0; i < c->series_count; i++)
		c->slots[slot_of(c, c->series[i].key_id)] = (uint32_t)i + 1;
}

static void
more_series(struct compact *c)
{
	if (c->series_count < c->series_room)
		return;
	c->series_room = c->series_room * 2 + 256;
	c->series = mem_resize(c->series, c->series_room, sizeof(*c->series));
	c->slot_count = c->slot_count == 0 ? 1024 : c->slot_count * 4;
	c->slots = mem_resize(c->slots, c->slot_count, sizeof(*c->slots));
	refill_slots(c);
}

/* Keys come one after the other or again and again in the same order: `guess` is mostly right. */
static uint32_t
find_series(struct compact *c, int32_t key_id, uint32_t guess)
{
	size_t slot;

	if (guess < c->series_count && c->series[guess].key_id == key_id)
		return guess;
	if (guess + 1 < c->series_count && c->series[guess + 1].key_id == key_id)
		return guess + 1;
	more_series(c);
	slot = slot_of(c, key_id);
	if (c->slots[slot] == 0) {
		c->series[c->series_count] = (struct fresh){ .key_id = key_id };
		c->slots[slot] = (uint32_t)++c->series_count;
	}
	return c->slots[slot] - 1;
}

static void
more_points(struct compact *c, size_t n)
{
	if (c->point_count + n <= c->point_room)
		return;
	c->point_room = (c->point_count + n) * 2;
	if (c->point_room > COMPACT_POINTS && c->point_count + n < COMPACT_POINTS)
		c->point_room = COMPACT_POINTS;
	c->points = mem_resize(c->points, c->point_room, sizeof(*c->points));
	c->owners = mem_resize(c->owners, c->point_room, sizeof(*c->owners));
}

static enum status
take_row(void *arg, const void *data, size_t len)
{
	struct compact *c = arg;
	const struct tail_point *points;
	uint32_t series = 0;
	size_t n;

	if (!codec_decode(c->codec, data, len, &points, &n))
		return compact_damage(c, "a row of the tail");
	more_points(c, n);
	for (size_t i = 0; i < n; i++) {
		series = find_series(c, points[i].key_id, series);
		c->series[series].n++;
		c->owners[c->point_count] = series;
		c->points[c->point_count++] = points[i];
	}
	c->out->rows++;
	c->out->bytes += len;
	return OK;
}

static int
by_key(const void *a, const void *b)
{
	const struct fresh *x = a, *y = b;

	return (x->key_id > y->key_id) - (x->key_id < y->key_id);
}

/* Every series gets its points, in the order in which they came. The series are sorted only then: owners are places among them. */
static void
split(struct compact *c)
{
	struct sample *at;

	c->split.n = 0;
	at = heap_room(&c->split, c->point_count);
	for (size_t i = 0; i < c->series_count; i++) {
		c->series[i].samples = at;
		at += c->series[i].n;
		c->series[i].n = 0;
	}
	for (size_t i = 0; i < c->point_count; i++) {
		struct fresh *f = &c->series[c->owners[i]];

		f->samples[f->n++] =
			(struct sample){ c->points[i].value, c->points[i].time_unix_ms, c->points[i].step };
	}
	c->split.n = c->point_count;
	for (size_t i = 0; i < c->series_count; i++)
		c->series[i].n = samples_settle(c->series[i].samples, c->series[i].n, sample_compare_stored);
	if (c->series_count > 1)
		qsort(c->series, c->series_count, sizeof(*c->series), by_key);
}

/* ---- the transaction ---- */

static enum status
compact_points(struct compact *c)
{
	enum status st = OK;

	split(c);
	for (size_t i = 0, next; st == OK && i < c->series_count; i = next) {
		int32_t part = c->series[i].key_id / BUNDLE_KEYS;

		for (next = i + 1; next < c->series_count && c->series[next].key_id / BUNDLE_KEYS == part;)
			next++;
		st = compact_block(c, c->series + i, next - i);
	}
	return st == OK ? compact_flush(c) : st;
}

/* How many rows to ask for next time: PostgreSQL counts the points of all that are asked for. */
static void
guess_rows(struct compact *c)
{
	if (c->out->rows > 0)
		c->rows = COMPACT_POINTS / (c->point_count / c->out->rows + 1) + 1;
	if (c->rows < ROWS_LEAST)
		c->rows = ROWS_LEAST;
	if (c->rows > COMPACT_ROWS)
		c->rows = COMPACT_ROWS;
}

static enum status
work(struct compact *c)
{
	bool locked, there;
	enum status st;

	if ((st = store_compact_lock(c->tx, c->run_id, &locked)) != OK)
		return st;
	c->out->busy = !locked;
	if (!locked)
		return OK;
	if ((st = store_compact_note(c->tx, c->run_id, &there)) != OK)
		return st;
	c->out->gone = !there;
	if (!there)
		return store_metrics_drop(c->tx, c->run_id);
	if ((st = store_metric_tail_take(c->tx, c->run_id, COMPACT_POINTS, (int64_t)c->rows, take_row, c)) !=
		OK)
		return st;
	c->out->points = c->point_count;
	c->out->more = c->point_count >= COMPACT_POINTS || c->out->rows >= c->rows;
	guess_rows(c);
	return compact_points(c);
}

enum status
compact_run(struct compact *c, struct ctx *cx, int64_t run_id, bool settle, struct compacted *out)
{
	enum status st;

	*out = (struct compacted){ 0 };
	c->run_id = run_id;
	c->settle = settle;
	c->out = out;
	c->seqs_left = 0;
	if (c->slot_count > 0)
		memset(c->slots, 0, c->slot_count * sizeof(*c->slots));
	if ((st = tx_begin(cx, &c->tx)) == OK && (st = work(c)) == OK)
		st = out->rows > 0 || out->gone ? tx_commit(&c->tx) : OK;
	tx_rollback(&c->tx);
	shrink(c);
	return st;
}
