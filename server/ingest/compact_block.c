/*
 * One block: the series whose numbers share bundles and a part of run_summary. New points are compared with what is there only where
 * they do not come after all of it. Many points of a series become chunks at once; few go into a new bundle, and bundles grow by
 * eights: of a size (a power of eight) there are seven at most, so a point is written again a handful of times before its series has
 * enough for a chunk.
 */
#include "ingest/compact_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/fold.h"
#include "ingest/samples.h"

#define FAN_IN 8

struct block {
	struct compact *c;
	int32_t part, bundle;
	struct fresh *fresh; /* by key_id */
	size_t n;
	struct series_summary summaries
		[BUNDLE_KEYS]; /* by key_id; those of new series at the end, until they are written */
	size_t known, all;
	struct chunk_head *bundles; /* the smallest first */
	size_t bundle_count;
	bool in_chunks
		[BUNDLE_KEYS]; /* rows of this series were written now, and may not be in the table yet */
};

/* ---- what is known ---- */

static struct series_summary *
find_summary(struct block *b, int32_t key_id)
{
	size_t lo = 0, hi = b->known;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (b->summaries[mid].key_id < key_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->known && b->summaries[lo].key_id == key_id ? &b->summaries[lo] : NULL;
}

static enum status
load_summaries(struct block *b)
{
	const struct series_summary *found;
	const void *data;
	size_t len, n;
	enum status st;

	if ((st = store_summary_get(b->c->tx, b->c->run_id, b->part, &data, &len)) != OK || data == NULL)
		return st;
	if (!summary_decode(b->c->coder, data, len, &found, &n) || n > BUNDLE_KEYS)
		return compact_damage(b->c, "a summary");
	if (n > 0)
		memcpy(b->summaries, found, n * sizeof(*found));
	b->known = b->all = n;
	for (size_t i = 0; i < b->n; i++)
		b->fresh[i].known = find_summary(b, b->fresh[i].key_id);
	return OK;
}

/* ---- exact duplicates ---- */

/* Points at or before the last one known may be there already. */
static bool
doubtful(const struct fresh *f)
{
	return f->n > 0 && f->known != NULL && sample_compare_stored(&f->samples[0], &f->known->last) <= 0;
}

static struct fresh *
find_fresh(struct block *b, int32_t key_id)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (b->fresh[mid].key_id < key_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->n && b->fresh[lo].key_id == key_id ? &b->fresh[lo] : NULL;
}

struct doubts {
	struct block *b;
	int32_t keys[BUNDLE_KEYS];
	size_t n;
};

static enum status
subtract_bundle(void *arg, const void *data, size_t len)
{
	struct doubts *d = arg;
	const struct bundle_series *series;
	size_t n;

	if (!bundle_decode(d->b->c->coder, data, len, d->keys, d->n, &series, &n))
		return compact_damage(d->b->c, "a bundle");
	for (size_t i = 0; i < n; i++) {
		struct fresh *f = find_fresh(d->b, series[i].key_id);

		f->n = samples_subtract(f->samples, f->n, series[i].samples, series[i].n);
	}
	return OK;
}

static enum status
drop_known(struct block *b)
{
	struct doubts d = { .b = b };
	struct compact *c = b->c;
	enum status st;

	for (size_t i = 0; i < b->n; i++)
		if (doubtful(&b->fresh[i]))
			d.keys[d.n++] = b->fresh[i].key_id;
	if (d.n == 0)
		return OK;
	if ((st = store_chunk_data(
		     c->tx, c->run_id, b->bundle, b->bundles, b->bundle_count, subtract_bundle, &d)) != OK)
		return st;
	for (size_t i = 0; st == OK && i < d.n; i++)
		st = compact_subtract_chunks(c, find_fresh(b, d.keys[i]));
	return st;
}

/* ---- chunks ---- */

static enum status
into_chunks(struct block *b, int32_t key_id, const struct sample *samples, size_t n, bool fresh_series)
{
	struct compact *c = b->c;
	bool *written = &b->in_chunks[key_id % BUNDLE_KEYS];
	enum status st;

	if (*written && (st = compact_flush(c)) != OK)
		return st;
	*written = true;
	if (fresh_series)
		return compact_write_series(c, key_id, samples, n);
	return compact_series(c, key_id, samples, n);
}

static enum status
add_long(struct block *b)
{
	enum status st = OK;

	for (size_t i = 0; st == OK && i < b->n; i++) {
		const struct fresh *f = &b->fresh[i];

		if (f->n >= BUNDLE_BELOW)
			st = into_chunks(b, f->key_id, f->samples, f->n, f->known == NULL);
	}
	return st;
}

/* ---- bundles ---- */

/* Where a series stands among the loose samples; a series may stand there several times. */
struct stretch {
	int32_t key_id;
	size_t from, n;
};

struct mixing {
	struct block *b;
	struct stretch *items; /* owned */
	size_t n, room;
};

static void
add_stretch(struct mixing *m, int32_t key_id, const struct sample *samples, size_t n)
{
	struct heap *loose = &m->b->c->loose;

	if (m->n == m->room) {
		m->room = m->room * 2 + BUNDLE_KEYS;
		m->items = mem_resize(m->items, m->room, sizeof(*m->items));
	}
	m->items[m->n++] = (struct stretch){ key_id, loose->n, n };
	heap_add(loose, samples, n);
}

static enum status
mix_bundle(void *arg, const void *data, size_t len)
{
	struct mixing *m = arg;
	const struct bundle_series *series;
	size_t n;

	if (!bundle_decode(m->b->c->coder, data, len, NULL, 0, &series, &n))
		return compact_damage(m->b->c, "a bundle");
	for (size_t i = 0; i < n; i++)
		add_stretch(m, series[i].key_id, series[i].samples, series[i].n);
	return OK;
}

static int
by_key(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	if (x->key_id != y->key_id)
		return x->key_id < y->key_id ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static unsigned
level_of(size_t points)
{
	unsigned level = 0;

	for (; points >= FAN_IN; points /= FAN_IN)
		level++;
	return level;
}

/* How many of the smallest bundles become one with so many new points. */
static size_t
count_mixed(const struct block *b, size_t points)
{
	size_t mixed = 0, to;

	if (b->c->settle)
		return b->bundle_count;
	for (unsigned level = 0; mixed < b->bundle_count; level++) {
		size_t total = 0;

		for (to = mixed; to < b->bundle_count && level_of((size_t)b->bundles[to].n) <= level; to++)
			total += (size_t)b->bundles[to].n;
		if (to - mixed + (level_of(points) <= level) >= FAN_IN) {
			points += total;
			mixed = to;
		} else if (level >= level_of(points) && to == b->bundle_count) {
			break;
		}
	}
	return mixed;
}

/* One series of the mix, whose stretches are items[0..n): to a chunk when it has grown, else its part of the bundle. */
static enum status
place_series(struct mixing *m, const struct stretch *items, size_t n, struct heap *kept,
	struct bundle_series *series, size_t *count)
{
	struct block *b = m->b;
	size_t from = kept->n;

	for (size_t i = 0; i < n; i++)
		heap_add(kept, b->c->loose.items + items[i].from, items[i].n);
	kept->n = from + samples_settle(kept->items + from, kept->n - from, sample_compare_stored);
	if (kept->n - from < BUNDLE_BELOW) {
		series[(*count)++] = (struct bundle_series){ items[0].key_id, NULL, kept->n - from };
		return OK;
	}
	n = kept->n - from;
	kept->n = from;
	return into_chunks(b, items[0].key_id, kept->items + from, n, false);
}

static enum status
write_mix(struct mixing *m)
{
	struct bundle_series series[BUNDLE_KEYS];
	struct heap kept = { 0 };
	size_t count = 0, at = 0;
	enum status st = OK;

	qsort(m->items, m->n, sizeof(*m->items), by_key);
	for (size_t i = 0, next; st == OK && i < m->n; i = next) {
		for (next = i + 1; next < m->n && m->items[next].key_id == m->items[i].key_id;)
			next++;
		st = place_series(m, m->items + i, next - i, &kept, series, &count);
	}
	for (size_t i = 0; i < count; at += series[i++].n)
		series[i].samples = kept.items + at;
	if (st == OK && count > 0)
		st = compact_write_bundle(m->b->c, m->b->bundle, series, count);
	free(kept.items);
	return st;
}

static enum status
add_short(struct block *b)
{
	struct mixing m = { .b = b };
	struct compact *c = b->c;
	size_t mixed;
	enum status st = OK;

	c->loose.n = 0;
	for (size_t i = 0; i < b->n; i++)
		if (b->fresh[i].n > 0 && b->fresh[i].n < BUNDLE_BELOW)
			add_stretch(&m, b->fresh[i].key_id, b->fresh[i].samples, b->fresh[i].n);
	mixed = count_mixed(b, c->loose.n);
	if (m.n > 0 || mixed > 1) {
		st = store_chunk_data(c->tx, c->run_id, b->bundle, b->bundles, mixed, mix_bundle, &m);
		if (st == OK)
			st = store_chunk_delete(c->tx, c->run_id, b->bundle, b->bundles, mixed);
		if (st == OK)
			st = write_mix(&m);
	}
	free(m.items);
	return st;
}

/* ---- summaries ---- */

static int
summary_by_key(const void *a, const void *b)
{
	const struct series_summary *x = a, *y = b;

	return (x->key_id > y->key_id) - (x->key_id < y->key_id);
}

static enum status
write_summaries(struct block *b)
{
	struct compact *c = b->c;
	size_t changed = 0;

	for (size_t i = 0; i < b->n; i++) {
		const struct fresh *f = &b->fresh[i];
		struct series_summary *s = f->known;

		if (f->n == 0)
			continue;
		if (s == NULL) {
			s = &b->summaries[b->all++];
			*s = (struct series_summary){ .key_id = f->key_id };
		}
		fold_samples(s, f->samples, f->n);
		c->out->fresh += f->n;
		changed++;
	}
	if (changed == 0)
		return OK;
	qsort(b->summaries, b->all, sizeof(*b->summaries), summary_by_key);
	buf_clear(&c->data);
	summary_encode(c->coder, b->summaries, b->all, &c->data);
	return store_summary_put(c->tx, c->run_id, b->part, c->data.data, c->data.len);
}

enum status
compact_block(struct compact *c, struct fresh *series, size_t n)
{
	struct block *b = mem_alloc(sizeof(*b));
	enum status st;

	b->c = c;
	b->part = series[0].key_id / BUNDLE_KEYS;
	b->bundle = bundle_of(series[0].key_id);
	b->fresh = series;
	b->n = n;
	if ((st = load_summaries(b)) != OK)
		goto out;
	if (b->known > 0 &&
		(st = store_chunk_bundles(c->tx, c->run_id, b->bundle, &b->bundles, &b->bundle_count)) != OK)
		goto out;
	if ((st = drop_known(b)) != OK || (st = add_long(b)) != OK || (st = add_short(b)) != OK)
		goto out;
	st = write_summaries(b);
out:
	free(b);
	return st;
}
