#include "ingest/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct merge_source {
	const struct sample *samples; /* what is left */
	size_t n;
	struct sample *owned; /* freed with the source; NULL: borrowed */
};

void
merge_init(struct merge *m, bool by_time, merge_span_fn *span, void *arg)
{
	*m = (struct merge){ .by_time = by_time,
		.compare = by_time ? sample_compare_history : sample_compare_stored,
		.span = span,
		.arg = arg,
		.more = true };
}

void
merge_fini(struct merge *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->heap[i].owned);
	free(m->heap);
	m->heap = NULL;
	m->n = 0;
}

struct place_in_order
merge_place(const struct merge *m, int64_t step, int64_t time_unix_ms)
{
	return m->by_time ? (struct place_in_order){ time_unix_ms, step }
			  : (struct place_in_order){ step, time_unix_ms };
}

int
merge_compare_places(const struct place_in_order *a, const struct place_in_order *b)
{
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->second > b->second) - (a->second < b->second);
}

static bool
before_place(const struct merge *m, const struct sample *s, const struct place_in_order *limit)
{
	const struct place_in_order at = merge_place(m, s->step, s->time_unix_ms);

	return limit == NULL || merge_compare_places(&at, limit) < 0;
}

/* ---- the heap ---- */

static bool
comes_first(const struct merge *m, size_t a, size_t b)
{
	return m->compare(m->heap[a].samples, m->heap[b].samples) < 0;
}

static void
swap(struct merge *m, size_t a, size_t b)
{
	struct merge_source s = m->heap[a];

	m->heap[a] = m->heap[b];
	m->heap[b] = s;
}

static void
sink(struct merge *m, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1;

		for (size_t c = child; c < child + 2 && c < m->n; c++)
			if (comes_first(m, c, least))
				least = c;
		if (least == at)
			return;
		swap(m, at, least);
		at = least;
	}
}

static void
push(struct merge *m, const struct sample *samples, size_t n, struct sample *owned)
{
	size_t at = m->n;

	if (m->n == m->room) {
		m->room = m->room * 2 + 8;
		m->heap = mem_resize(m->heap, m->room, sizeof(*m->heap));
	}
	m->heap[m->n++] = (struct merge_source){ samples, n, owned };
	for (; at > 0 && comes_first(m, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(m, at, (at - 1) / 2);
}

/* n samples of the top are done with. */
static void
consume(struct merge *m, size_t n)
{
	struct merge_source *top = &m->heap[0];

	top->samples += n;
	top->n -= n;
	if (top->n == 0) {
		free(top->owned);
		*top = m->heap[--m->n];
	}
	sink(m, 0);
}

/* The least sample of all but the top; NULL: there is no other source. */
static const struct sample *
second_least(const struct merge *m)
{
	if (m->n < 2)
		return NULL;
	return m->heap[m->n > 2 && comes_first(m, 2, 1) ? 2 : 1].samples;
}

/* ---- spans ---- */

static enum status
hand_on(struct merge *m, const struct sample *samples, size_t n)
{
	struct sample last;

	if (n > 0 && m->any && m->compare(&m->last, samples) == 0) {
		samples++;
		n--;
	}
	if (n == 0)
		return OK;
	last = samples[n - 1];
	m->last = last;
	m->any = true;
	return m->span(m->arg, samples, n, &m->more);
}

static bool
goes_before(const struct merge *m, const struct sample *s, const struct sample *other,
	const struct place_in_order *limit)
{
	return (other == NULL || m->compare(s, other) < 0) && before_place(m, s, limit);
}

/* How many from the start lie before both; the first is known to lie before the limit. */
static size_t
span_length(const struct merge *m, const struct merge_source *s, const struct sample *other,
	const struct place_in_order *limit)
{
	size_t step = 1, lo = 0, hi;

	if (goes_before(m, &s->samples[s->n - 1], other, limit))
		return s->n;
	while (lo + step < s->n && goes_before(m, &s->samples[lo + step], other, limit)) {
		lo += step;
		step *= 2;
	}
	hi = lo + step < s->n ? lo + step : s->n - 1;
	while (hi - lo > 1) { /* lo goes, hi does not */
		size_t middle = lo + (hi - lo) / 2;

		if (goes_before(m, &s->samples[middle], other, limit))
			lo = middle;
		else
			hi = middle;
	}
	return lo + 1; /* equal to the other's first: one of the two goes, the other is dropped as its twin */
}

enum status
merge_until(struct merge *m, const struct place_in_order *limit)
{
	while (m->n > 0 && m->more && before_place(m, m->heap[0].samples, limit)) {
		struct merge_source top = m->heap[0];
		size_t n = span_length(m, &top, second_least(m), limit);
		enum status st = hand_on(m, top.samples, n);

		if (st != OK)
			return st;
		consume(m, n);
	}
	return OK;
}

void
merge_add(struct merge *m, const struct sample *samples, size_t n)
{
	if (n > 0)
		push(m, samples, n, NULL);
}

enum status
merge_pass(struct merge *m, const struct sample *samples, size_t n, const struct place_in_order *next)
{
	struct sample *copy;

	if (n == 0 || !m->more)
		return OK;
	if ((m->n == 0 || m->compare(&samples[n - 1], m->heap[0].samples) < 0) &&
		before_place(m, &samples[n - 1], next))
		return hand_on(m, samples, n);
	copy = mem_array(n, sizeof(*copy));
	memcpy(copy, samples, n * sizeof(*copy));
	push(m, copy, n, copy);
	return OK;
}
