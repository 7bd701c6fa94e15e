/* Statistics over runs: each run is its mean in every part of a common x, and of these means there are as many as runs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/series_parts.h"
#include "store/tx.h"

struct means {
	double *means; /* owned: of run r and part p at means[p * runs + r] */
	size_t *counts;
	struct grid grid;
	size_t most; /* runs */
	size_t runs;
};

static enum status
take_means(void *arg, const struct bins *bins)
{
	struct means *m = arg;

	for (size_t p = 0; p < bins->grid.n; p++) {
		double mean = bins->bins[p].n == 0 ? (double)NAN : bin_mean(&bins->bins[p]);

		if (!isnan(mean))
			m->means[p * m->most + m->counts[p]++] = mean;
	}
	m->runs++;
	return OK;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
deviation(const double *values, size_t n, long double mean)
{
	long double squares = 0;

	for (size_t i = 0; i < n; i++)
		squares += ((long double)values[i] - mean) * ((long double)values[i] - mean);
	return n < 2 ? 0 : (double)sqrtl(squares / (long double)(n - 1));
}

static struct group_point
point_of(int64_t x, double *values, size_t n)
{
	struct group_point p = { .x = x, .count = (int64_t)n };
	long double sum = 0;

	qsort(values, n, sizeof(*values), by_value);
	for (size_t i = 0; i < n; i++)
		sum += (long double)values[i];
	p.mean = (double)(sum / (long double)n);
	p.median = n % 2 == 1 ? values[n / 2] : values[n / 2 - 1] / 2 + values[n / 2] / 2;
	p.min = values[0];
	p.max = values[n - 1];
	p.std = deviation(values, n, sum / (long double)n);
	p.standard_error = p.std / sqrt((double)n);
	return p;
}

static enum status
one_group(struct tx *tx, const struct series_in *series, const struct series_range *range,
	const struct run_group *group, struct means *m)
{
	struct series_in in = *series;
	struct read_run *runs = mem_array(group->n, sizeof(*runs));
	enum status st;

	for (size_t i = 0; i < group->n; i++)
		runs[i] = series->runs[group->runs[i]];
	in.runs = runs;
	in.run_count = group->n;
	memset(m->counts, 0, m->grid.n * sizeof(*m->counts));
	m->runs = 0;
	st = series_bins(tx, &in, range, take_means, m);
	free(runs);
	return st;
}

static size_t
points_of(const struct means *m, struct group_point *out)
{
	size_t n = 0;

	for (size_t p = 0; p < m->grid.n; p++)
		if (m->counts[p] > 0)
			out[n++] = point_of(grid_edge(&m->grid, p), &m->means[p * m->most], m->counts[p]);
	return n;
}

static enum status
one_key(struct tx *tx, const struct grouped_in *in, size_t key, grouped_fn *each, void *arg)
{
	struct series_in series = in->series;
	struct series_range range;
	struct means m = { .most = in->series.run_count };
	struct group_point *points = NULL;
	enum status st;

	series.keys += key;
	series.key_count = 1;
	if ((st = series_range(tx, &series, &range)) != OK || range.lo > range.hi)
		return st;
	m.grid = grid_make(false, range.lo, range.hi, series.buckets);
	m.means = mem_array(m.grid.n * m.most, sizeof(*m.means));
	m.counts = mem_array(m.grid.n, sizeof(*m.counts));
	points = mem_array(m.grid.n, sizeof(*points));
	for (size_t g = 0; st == OK && g < in->group_count; g++) {
		struct grouped out = { .group = g, .key = key, .points = points };

		if ((st = one_group(tx, &series, &range, &in->groups[g], &m)) != OK || m.runs == 0)
			continue;
		out.runs = m.runs;
		out.point_count = points_of(&m, points);
		st = each(arg, &out);
	}
	free(m.means);
	free(m.counts);
	free(points);
	return st;
}

enum status
ingest_grouped(struct tx *tx, const struct grouped_in *in, grouped_fn *each, void *arg)
{
	enum status st = OK;

	for (size_t k = 0; st == OK && k < in->series.key_count; k++)
		st = one_key(tx, in, k, each, arg);
	return st;
}
