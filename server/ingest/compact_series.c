/*
 * Points of one series and its chunks. Chunks of a series never overlap, so where a point belongs is found by where they begin. The
 * points go through the chunks in windows of a bounded number of them; of those, only the ones change that get points.
 *
 * What comes after all that is there, the usual case, becomes chunks of its own; small chunks at the end are taken along once there
 * is enough for a full one, so that a point is written about twice, however slowly its series grows.
 */
#include "ingest/compact_parts.h"

#include <string.h>

#include "ingest/samples.h"

#define WINDOW 32                 /* chunks looked at once */
#define BEFORE 8                  /* chunks before them that may be small */
#define SMALL  (CHUNK_POINTS / 2) /* points; a chunk with fewer would like to be larger */

static struct chunk_moment
begin_of(const struct chunk_head *h)
{
	return (struct chunk_moment){ h->step_lo, h->first_unix_ms };
}

static struct chunk_moment
moment_of(const struct sample *s)
{
	return (struct chunk_moment){ s->step, s->time_unix_ms };
}

static int
compare(struct chunk_moment a, struct chunk_moment b)
{
	if (a.step != b.step)
		return a.step < b.step ? -1 : 1;
	return (a.time_unix_ms > b.time_unix_ms) - (a.time_unix_ms < b.time_unix_ms);
}

static size_t
count_before(const struct sample *samples, size_t n, struct chunk_moment m)
{
	return samples_before(samples, n, m.step, m.time_unix_ms);
}

/* ---- a window of chunks ---- */

struct window {
	struct chunk_head *heads; /* in order */
	size_t n;
	size_t first; /* the first whose samples may lie in the range: of those before, the last ones that begin together */
	size_t inside; /* of the points, those that are to be settled with these chunks */
};

/*
 * The chunks that points can lie in. When there are too many, the last ones that begin together are left for the next window, with
 * the points from there on.
 */
static enum status
load_window(struct compact *c, int32_t key_id, const struct sample *points, size_t n, struct window *w)
{
	struct chunk_range range = { moment_of(&points[0]), moment_of(&points[n - 1]), BEFORE, WINDOW };
	size_t before, last;
	enum status st;

	if ((st = store_chunk_heads(c->tx, c->run_id, key_id, &range, &w->heads, &w->n)) != OK)
		return st;
	for (before = 0; before < w->n && compare(begin_of(&w->heads[before]), range.from) < 0;)
		before++;
	w->inside = n;
	if (w->n - before == WINDOW) {
		for (last = w->n - 1; last > before &&
				      compare(begin_of(&w->heads[last - 1]), begin_of(&w->heads[last])) == 0;)
			last--;
		w->inside = count_before(points, n, begin_of(&w->heads[last]));
		if (w->inside > 0)
			w->n = last;
		while (w->inside < n && compare(moment_of(&points[w->inside]), range.from) == 0)
			w->inside++; /* all of them begin at the first point's moment */
	}
	for (w->first = before;
		w->first > 0 && before > 0 &&
		compare(begin_of(&w->heads[w->first - 1]), begin_of(&w->heads[before - 1])) == 0;)
		w->first--;
	return OK;
}

/* ---- dropping what is there already ---- */

struct subtracting {
	struct compact *c;
	struct fresh *f;
};

static enum status
subtract_chunk(void *arg, const void *data, size_t len)
{
	struct subtracting *s = arg;
	const struct sample *samples;
	size_t n;

	if (!chunk_decode(s->c->coder, data, len, &samples, &n))
		return compact_damage(s->c, "a chunk");
	s->f->n = samples_subtract(s->f->samples, s->f->n, samples, n);
	return OK;
}

/* A window's points are the ones before the next window, so what is dropped are the first of the rest. */
static enum status
subtract_window(struct compact *c, const struct fresh *whole, struct fresh *f, struct window *w)
{
	struct subtracting s = { c, f };
	size_t from = w->first;

	while (from < w->n &&
		compare((struct chunk_moment){ w->heads[from].step_hi, w->heads[from].time_hi_unix_ms },
			moment_of(&f->samples[0])) < 0)
		from++;
	return store_chunk_data(
		c->tx, c->run_id, whole->key_id, w->heads + from, w->n - from, subtract_chunk, &s);
}

enum status
compact_subtract_chunks(struct compact *c, struct fresh *f)
{
	size_t kept = 0, at = 0, all = f->n;
	enum status st;

	while (at < all) {
		struct window w;
		struct fresh part = { .samples = f->samples + at };

		if ((st = load_window(c, f->key_id, f->samples + at, all - at, &w)) != OK)
			return st;
		part.n = w.inside;
		at += w.inside;
		if ((st = subtract_window(c, f, &part, &w)) != OK)
			return st;
		memmove(f->samples + kept, part.samples, part.n * sizeof(*part.samples));
		kept += part.n;
	}
	f->n = kept;
	return OK;
}

/* ---- adding ---- */

static enum status
gather_chunk(void *arg, const void *data, size_t len)
{
	struct compact *c = arg;
	const struct sample *samples;
	size_t n;

	if (!chunk_decode(c->coder, data, len, &samples, &n))
		return compact_damage(c, "a chunk");
	heap_add(&c->merged, samples, n);
	return OK;
}

/* The points among what was gathered: two runs in order become one, from the end. */
static void
merge_points(struct heap *h, const struct sample *points, size_t n)
{
	size_t a = samples_settle(h->items, h->n, sample_compare_stored), b = n, at = a + n;

	(void)heap_room(h, n);
	for (; b > 0; at--)
		if (a > 0 && sample_compare_stored(&h->items[a - 1], &points[b - 1]) > 0)
			h->items[at - 1] = h->items[--a];
		else
			h->items[at - 1] = points[--b];
	h->n += n;
	h->n = samples_settle(h->items, h->n, sample_compare_stored);
}

/* These chunks and these points, anew. */
static enum status
rewrite(struct compact *c, int32_t key_id, const struct chunk_head *heads, size_t count,
	const struct sample *points, size_t n)
{
	size_t had;
	enum status st;

	if (count == 0)
		return compact_write_series(c, key_id, points, n);
	c->merged.n = 0;
	if ((st = store_chunk_data(c->tx, c->run_id, key_id, heads, count, gather_chunk, c)) != OK)
		return st;
	had = c->merged.n;
	merge_points(&c->merged, points, n);
	if (c->merged.n == had)
		return OK;
	if ((st = store_chunk_delete(c->tx, c->run_id, key_id, heads, count)) != OK)
		return st;
	return compact_write_series(c, key_id, c->merged.items, c->merged.n);
}

/* Does one of these chunks reach beyond where the points begin? As far as their ranges say. */
static bool
reach(const struct chunk_head *heads, size_t n, const struct sample *point)
{
	for (size_t i = 0; i < n; i++)
		if (compare((struct chunk_moment){ heads[i].step_hi, heads[i].time_hi_unix_ms },
			    moment_of(point)) >= 0)
			return true;
	return false;
}

/* Small chunks at the end of heads[done..n): they are taken along when that makes a full one. */
static size_t
take_along(const struct chunk_head *heads, size_t done, size_t n, size_t points)
{
	size_t from = n, total = points;

	while (from > done && heads[from - 1].n < SMALL)
		total += (size_t)heads[--from].n;
	return total >= CHUNK_POINTS || points >= SMALL ? n - from : 0;
}

/* Points from where the chunks heads[from..to) begin until the next one begins. Those before `done` are no more. */
static enum status
add_to_unit(struct compact *c, int32_t key_id, const struct window *w, size_t done, size_t from, size_t to,
	const struct sample *points, size_t n)
{
	size_t along = take_along(w->heads, done, to, n), unit = to - from;

	if (n < BUNDLE_BELOW || reach(w->heads + from, unit, &points[0]))
		along = along > unit ? along : unit;
	return rewrite(c, key_id, w->heads + to - along, along, points, n);
}

/* Points before all chunks: alone when there are enough, else with the first. */
static size_t
count_leading(const struct window *w, const struct sample *points)
{
	size_t n;

	if (w->n == 0 || w->first > 0)
		return 0;
	n = count_before(points, w->inside, begin_of(&w->heads[0]));
	return n >= BUNDLE_BELOW ? n : 0;
}

static enum status
add_window(struct compact *c, int32_t key_id, const struct window *w, const struct sample *points)
{
	size_t from = w->first, to, done = 0, at = count_leading(w, points), end;
	enum status st = OK;

	if (at > 0)
		st = compact_write_series(c, key_id, points, at);
	for (; st == OK && at < w->inside; from = to) {
		for (to = from + (from < w->n);
			to < w->n && compare(begin_of(&w->heads[to]), begin_of(&w->heads[from])) == 0;)
			to++;
		end = to < w->n ? count_before(points, w->inside, begin_of(&w->heads[to])) : w->inside;
		if (end <= at)
			continue;
		st = add_to_unit(c, key_id, w, done, from, to, points + at, end - at);
		done = to;
		at = end;
	}
	return st;
}

enum status
compact_series(struct compact *c, int32_t key_id, const struct sample *points, size_t n)
{
	enum status st = OK;

	while (st == OK && n > 0) {
		struct window w;

		if ((st = load_window(c, key_id, points, n, &w)) != OK ||
			(st = add_window(c, key_id, &w, points)) != OK)
			break;
		points += w.inside;
		n -= w.inside;
		if (n > 0)
			st = compact_flush(c); /* the next window looks at the table */
	}
	return st;
}
