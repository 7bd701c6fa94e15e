#include "ingest/buckets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- the grid ---- */

struct grid
grid_make(bool by_time, int64_t lo, int64_t hi, size_t most)
{
	uint64_t span = (uint64_t)hi - (uint64_t)lo;

	return (struct grid){ by_time, lo, hi, span < most ? (size_t)span + 1 : most };
}

/* hi - lo + 1 numbers cut into n parts: n times `each`, and `more` of them left over. */
struct cut {
	uint64_t each, more;
};

static struct cut
cut_of(const struct grid *g)
{
	uint64_t span = (uint64_t)g->hi - (uint64_t)g->lo; /* one less than there are, which may be 2^64 */
	struct cut c = { span / g->n, span % g->n + 1 };

	if (c.more == g->n)
		c = (struct cut){ c.each + 1, 0 };
	return c;
}

int64_t
grid_edge(const struct grid *g, size_t part)
{
	struct cut c = cut_of(g);
	uint64_t part_of_more = ((uint64_t)part * c.more + g->n - 1) / g->n;

	return (int64_t)((uint64_t)g->lo + (uint64_t)part * c.each + part_of_more);
}

static uint64_t
distance(const struct grid *g, size_t part)
{
	return (uint64_t)grid_edge(g, part) - (uint64_t)g->lo;
}

size_t
grid_part(const struct grid *g, int64_t x)
{
	uint64_t span = (uint64_t)g->hi - (uint64_t)g->lo, d;
	size_t part;

	if (x <= g->lo)
		return 0;
	if (x >= g->hi)
		return g->n - 1;
	d = (uint64_t)x - (uint64_t)g->lo;
	part = (size_t)((double)d / ((double)span + 1.0) * (double)g->n); /* a guess; the edges decide */
	if (part >= g->n)
		part = g->n - 1;
	while (part > 0 && distance(g, part) > d)
		part--;
	while (part + 1 < g->n && distance(g, part + 1) <= d)
		part++;
	return part;
}

/* ---- bins ---- */

void
bins_reset(struct bins *b, const struct grid *g)
{
	b->grid = *g;
	if (g->n > b->room) {
		b->room = g->n;
		b->bins = mem_resize(b->bins, b->room, sizeof(*b->bins));
	}
	for (size_t i = 0; i < g->n; i++)
		b->bins[i].n = 0;
}

void
bins_fini(struct bins *b)
{
	free(b->bins);
	b->bins = NULL;
	b->room = 0;
}

static int
compare_x(const struct grid *g, const struct sample *a, const struct sample *b)
{
	return g->by_time ? sample_compare_history(a, b) : sample_compare_stored(a, b);
}

static void
bin_join(const struct grid *g, struct bin *to, const struct bin *add)
{
	if (to->n == 0) {
		*to = *add;
		return;
	}
	if (compare_x(g, &add->first, &to->first) < 0)
		to->first = add->first;
	if (compare_x(g, &add->last, &to->last) > 0)
		to->last = add->last;
	if (add->step_lo < to->step_lo)
		to->step_lo = add->step_lo;
	if (add->step_hi > to->step_hi)
		to->step_hi = add->step_hi;
	if (add->time_lo_unix_ms < to->time_lo_unix_ms)
		to->time_lo_unix_ms = add->time_lo_unix_ms;
	if (add->time_hi_unix_ms > to->time_hi_unix_ms)
		to->time_hi_unix_ms = add->time_hi_unix_ms;
	if (add->min < to->min)
		to->min = add->min;
	if (add->max > to->max)
		to->max = add->max;
	to->sum += add->sum;
	to->real += add->real;
	to->n += add->n;
}

struct run {
	uint64_t from, width; /* of the part: x - from <= width */
	struct bin bin;
};

static inline int64_t
min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Samples of one part that follow each other in order of x; how many. */
static inline size_t
take_run(const struct sample *s, size_t n, struct run *run, bool by_time)
{
	struct bin *b = &run->bin;
	int64_t other_lo = INT64_MAX, other_hi = INT64_MIN;
	size_t i = 0;

	b->min = (double)INFINITY;
	b->max = -(double)INFINITY;
	for (; i < n; i++) {
		int64_t x = by_time ? s[i].time_unix_ms : s[i].step;
		int64_t other = by_time ? s[i].step : s[i].time_unix_ms;
		double v = s[i].value;

		if (i > 0 && (uint64_t)x - run->from > run->width)
			break;
		other_lo = min_of(other_lo, other);
		other_hi = max_of(other_hi, other);
		b->min = v < b->min ? v : b->min;
		b->max = v > b->max ? v : b->max;
		if (!isnan(v)) {
			b->sum += (long double)v;
			b->real++;
		}
	}
	b->n = (int64_t)i;
	b->first = s[0];
	b->last = s[i - 1];
	b->step_lo = by_time ? other_lo : s[0].step;
	b->step_hi = by_time ? other_hi : s[i - 1].step;
	b->time_lo_unix_ms = by_time ? s[0].time_unix_ms : other_lo;
	b->time_hi_unix_ms = by_time ? s[i - 1].time_unix_ms : other_hi;
	return i;
}

static uint64_t
width_of(const struct grid *g, size_t part)
{
	if (part + 1 == g->n)
		return (uint64_t)g->hi - (uint64_t)grid_edge(g, part);
	return (uint64_t)grid_edge(g, part + 1) - (uint64_t)grid_edge(g, part) - 1;
}

void
bins_add(struct bins *b, const struct sample *samples, size_t n)
{
	const struct grid *g = &b->grid;

	for (size_t at = 0; at < n;) {
		size_t part = grid_part(g, g->by_time ? samples[at].time_unix_ms : samples[at].step);
		struct run run = { (uint64_t)grid_edge(g, part), width_of(g, part), { .n = 0 } };

		at += g->by_time ? take_run(samples + at, n - at, &run, true)
				 : take_run(samples + at, n - at, &run, false);
		bin_join(g, &b->bins[part], &run.bin);
	}
}

static int64_t
middle(int64_t lo, int64_t hi)
{
	return (int64_t)((uint64_t)lo + ((uint64_t)hi - (uint64_t)lo) / 2);
}

void
bins_add_preview(struct bins *b, const struct preview *p)
{
	const struct grid *g = &b->grid;
	const struct bin add = { .first = p->first,
		.last = p->last,
		.step_lo = p->first.step,
		.step_hi = p->last.step,
		.time_lo_unix_ms = p->time_lo_unix_ms,
		.time_hi_unix_ms = p->time_hi_unix_ms,
		.min = p->real > 0 ? p->min.value : (double)INFINITY,
		.max = p->real > 0 ? p->max.value : -(double)INFINITY,
		.sum = (long double)p->sum,
		.n = p->n,
		.real = p->real };
	int64_t x = g->by_time ? middle(p->time_lo_unix_ms, p->time_hi_unix_ms)
			       : middle(p->first.step, p->last.step);

	bin_join(g, &b->bins[grid_part(g, x)], &add);
}

/* ---- out ---- */

double
bin_mean(const struct bin *b)
{
	return b->real == 0 ? (double)NAN : (double)(b->sum / (long double)b->real);
}

size_t
bins_take(const struct bins *b, struct bucket *out)
{
	size_t n = 0;

	for (size_t i = 0; i < b->grid.n; i++) {
		const struct bin *bin = &b->bins[i];

		if (bin->n == 0)
			continue;
		out[n++] = (struct bucket){ .step_lo = bin->step_lo,
			.step_hi = bin->step_hi,
			.time_lo_unix_ms = bin->time_lo_unix_ms,
			.time_hi_unix_ms = bin->time_hi_unix_ms,
			.first = bin->first.value,
			.last = bin->last.value,
			.min = bin->real > 0 ? bin->min : (double)NAN,
			.max = bin->real > 0 ? bin->max : (double)NAN,
			.mean = bin_mean(bin),
			.count = bin->n };
	}
	return n;
}

struct bucket
bucket_of_sample(const struct sample *s)
{
	return (struct bucket){ s->step, s->step, s->time_unix_ms, s->time_unix_ms, s->value, s->value,
		s->value, s->value, s->value, 1, 0, 0 };
}
