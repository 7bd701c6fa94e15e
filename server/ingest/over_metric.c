/* One metric drawn over another: both are reduced to the last sample of each step, paired, and sorted by x. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/series_parts.h"
#include "store/tx.h"

#define STEPS_MOST   (1u << 20) /* of one series: what is held in memory, some 150 MB */
#define AT_ONCE_MOST 4          /* of these pictures, in the whole process */

/* The last samples of the steps of one series. */
struct steps {
	struct sample *samples; /* owned */
	size_t n, room;
};

struct pair {
	double x;
	struct sample y;
};

struct drawing {
	const struct series_in *in;
	struct ctx *cx;
	size_t first_run;   /* of this slice */
	size_t lines_each;  /* of a run: x, then the keys that are another metric */
	size_t x_key;       /* its place among the keys; key_count: it is not drawn itself */
	const size_t *keys; /* of the lines after x: which of the caller's they are */
	struct steps x, y;
	bool reading_x;
	const char *name; /* of the metric that is read */
	series_fn *each;
	void *arg;
};

static enum status
start_line(void *arg, size_t line, bool *more)
{
	struct drawing *d = arg;
	size_t at = line % d->lines_each;

	d->reading_x = at == 0;
	d->name = d->reading_x ? d->in->x_key : d->in->keys[d->keys[at - 1]];
	if (d->reading_x)
		d->x.n = 0;
	d->y.n = 0;
	*more = d->reading_x || d->x.n > 0;
	return OK;
}

static enum status
add_span(void *arg, const struct sample *samples, size_t n, bool *more)
{
	struct drawing *d = arg;
	struct steps *to = d->reading_x ? &d->x : &d->y;

	(void)more;
	if (to->room < to->n + n) {
		to->room = (to->n + n) * 2;
		to->samples = mem_resize(to->samples, to->room, sizeof(*to->samples));
	}
	for (size_t i = 0; i < n; i++)
		if (to->n > 0 && to->samples[to->n - 1].step == samples[i].step)
			to->samples[to->n - 1] = samples[i];
		else
			to->samples[to->n++] = samples[i];
	if (to->n > STEPS_MOST)
		return fail(d->cx, INVALID,
			"metric \"%s\" has more than %u steps: so many cannot be drawn over another metric",
			d->name, STEPS_MOST);
	return OK;
}

static int
by_x(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;

	if (p->x != q->x)
		return p->x < q->x ? -1 : 1;
	return (p->y.step > q->y.step) - (p->y.step < q->y.step);
}

/* Steps that both have; an x that is no number, or infinite, has no place. */
static struct pair *
pair_up(const struct drawing *d, const struct steps *y, size_t *n)
{
	struct pair *out = mem_array(d->x.n < y->n ? d->x.n : y->n, sizeof(*out));
	size_t i = 0, k = 0;

	*n = 0;
	while (i < d->x.n && k < y->n) {
		const struct sample *x = &d->x.samples[i];

		if (x->step == y->samples[k].step && isfinite(x->value) && x->value >= d->in->from_real &&
			x->value <= d->in->to_real)
			out[(*n)++] = (struct pair){ x->value, y->samples[k] };
		i += x->step <= y->samples[k].step;
		k += x->step >= y->samples[k].step;
	}
	qsort(out, *n, sizeof(*out), by_x);
	return out;
}

static size_t
part_of(double x, double lo, double hi, size_t parts)
{
	double share = hi > lo ? (x / 2 - lo / 2) / (hi / 2 - lo / 2) : 0;
	size_t part = (size_t)(share * (double)parts);

	return part < parts ? part : parts - 1;
}

static void
join(struct bucket *b, int64_t *real, long double *sum, const struct pair *p)
{
	const struct sample *s = &p->y;

	b->step_lo = s->step < b->step_lo ? s->step : b->step_lo;
	b->step_hi = s->step > b->step_hi ? s->step : b->step_hi;
	b->time_lo_unix_ms = s->time_unix_ms < b->time_lo_unix_ms ? s->time_unix_ms : b->time_lo_unix_ms;
	b->time_hi_unix_ms = s->time_unix_ms > b->time_hi_unix_ms ? s->time_unix_ms : b->time_hi_unix_ms;
	b->last = s->value;
	b->count++;
	if (isnan(s->value))
		return;
	b->min = *real == 0 || s->value < b->min ? s->value : b->min;
	b->max = *real == 0 || s->value > b->max ? s->value : b->max;
	*sum += (long double)s->value;
	b->mean = (double)(*sum / (long double)++*real);
}

static size_t
bucket_pairs(const struct pair *pairs, size_t n, size_t buckets, struct bucket *out)
{
	size_t made = 0, at = SIZE_MAX;
	long double sum = 0;
	int64_t real = 0;

	for (size_t i = 0; i < n; i++) {
		size_t part = n <= buckets ? i : part_of(pairs[i].x, pairs[0].x, pairs[n - 1].x, buckets);

		if (part != at) {
			out[made] = bucket_of_sample(&pairs[i].y);
			out[made].count = 0;
			out[made++].x_real = pairs[i].x;
			sum = 0;
			real = 0;
			at = part;
		}
		join(&out[made - 1], &real, &sum, &pairs[i]);
	}
	return made;
}

static enum status
draw(struct drawing *d, size_t run, size_t key, const struct steps *y)
{
	size_t n;
	struct pair *pairs = pair_up(d, y, &n);
	struct bucket *points = mem_array(n < d->in->buckets ? n : d->in->buckets, sizeof(*points));
	struct series out = { run, key, (int64_t)n, true, points, 0 };
	enum status st = OK;

	out.point_count = bucket_pairs(pairs, n, d->in->buckets, points);
	free(pairs);
	if (n > 0)
		st = d->each(d->arg, &out);
	free(points);
	return st;
}

static enum status
end_line(void *arg, size_t line)
{
	struct drawing *d = arg;
	size_t run = d->first_run + line / d->lines_each, at = line % d->lines_each;

	if (at > 0)
		return d->y.n > 0 ? draw(d, run, d->keys[at - 1], &d->y) : OK;
	if (d->x_key < d->in->key_count && d->x.n > 0)
		return draw(d, run, d->x_key, &d->x);
	return OK;
}

/* The metrics that are read: x first. */
static const char **
names_of(struct drawing *d)
{
	const char **names = arena_array(d->cx->arena, d->in->key_count + 1, sizeof(*names));
	size_t *keys = arena_array(d->cx->arena, d->in->key_count + 1, sizeof(*keys));

	names[0] = d->in->x_key;
	d->lines_each = 1;
	d->x_key = d->in->key_count;
	for (size_t k = 0; k < d->in->key_count; k++)
		if (strcmp(d->in->keys[k], d->in->x_key) == 0)
			d->x_key = k;
		else {
			keys[d->lines_each - 1] = k;
			names[d->lines_each++] = d->in->keys[k];
		}
	d->keys = keys;
	return names;
}

static enum status
draw_all(struct tx *tx, const struct series_in *in, series_fn *each, void *arg)
{
	struct drawing d = { .in = in, .cx = tx_ctx(tx), .each = each, .arg = arg };
	const struct line_reader reader = { start_line, add_span, end_line, &d, 0, NULL };
	const char **names = names_of(&d);
	struct series_in slice;
	enum status st = OK;

	for (; st == OK && d.first_run < in->run_count; d.first_run += slice.run_count) {
		struct lines_in what = { NULL, 0, names, d.lines_each, LINE_WINDOW_ALL, false, 0, 0 };
		struct lines lines;

		slice = series_slice(in, d.first_run, SERIES_AT_ONCE);
		what.runs = slice.runs;
		what.run_count = slice.run_count;
		if ((st = lines_load(&lines, tx, &what)) == OK)
			st = lines_merge(&lines, &reader);
		lines_fini(&lines);
	}
	free(d.x.samples);
	free(d.y.samples);
	return st;
}

enum status
series_over_metric(struct tx *tx, const struct series_in *in, series_fn *each, void *arg)
{
	static atomic_uint at_once;
	enum status st;

	if (atomic_fetch_add(&at_once, 1) < AT_ONCE_MOST)
		st = draw_all(tx, in, each, arg);
	else
		st = fail(tx_ctx(tx), UNAVAILABLE,
			"%d pictures of a metric over another are drawn just now; try again", AT_ONCE_MOST);
	atomic_fetch_sub(&at_once, 1);
	return st;
}
