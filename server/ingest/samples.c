#include "ingest/samples.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
compare_int64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* As MLflow's database keeps a value: NaN as 0, infinities as the largest doubles (clients send those back as such). */
static double
as_kept(double v)
{
	return isnan(v) ? 0.0 : isinf(v) ? copysign(DBL_MAX, v) : v;
}

int
sample_compare_value(double a, double b)
{
	double x = as_kept(a), y = as_kept(b);

	if (x != y)
		return x < y ? -1 : 1;
	return (isnan(a) != 0) - (isnan(b) != 0);
}

int
sample_compare_stored(const struct sample *a, const struct sample *b)
{
	int c = compare_int64(a->step, b->step);

	if (c == 0)
		c = compare_int64(a->time_unix_ms, b->time_unix_ms);
	return c != 0 ? c : sample_compare_value(a->value, b->value);
}

int
sample_compare_history(const struct sample *a, const struct sample *b)
{
	int c = compare_int64(a->time_unix_ms, b->time_unix_ms);

	if (c == 0)
		c = compare_int64(a->step, b->step);
	return c != 0 ? c : sample_compare_value(a->value, b->value);
}

static int
by_stored(const void *a, const void *b)
{
	return sample_compare_stored(a, b);
}

static int
by_history(const void *a, const void *b)
{
	return sample_compare_history(a, b);
}

bool
samples_rising(const struct sample *samples, size_t n, sample_compare_fn *compare)
{
	for (size_t i = 1; i < n; i++)
		if (compare(&samples[i - 1], &samples[i]) >= 0)
			return false;
	return true;
}

size_t
samples_settle(struct sample *samples, size_t n, sample_compare_fn *compare)
{
	size_t left = 1;

	if (n < 2 || samples_rising(samples, n, compare))
		return n;
	qsort(samples, n, sizeof(*samples), compare == sample_compare_history ? by_history : by_stored);
	for (size_t i = 1; i < n; i++)
		if (compare(&samples[left - 1], &samples[i]) != 0)
			samples[left++] = samples[i];
	return left;
}

size_t
samples_before(const struct sample *samples, size_t n, int64_t step, int64_t time_unix_ms)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = compare_int64(samples[mid].step, step);

		if (order == 0)
			order = compare_int64(samples[mid].time_unix_ms, time_unix_ms);
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
samples_subtract(struct sample *samples, size_t n, const struct sample *have, size_t have_count)
{
	size_t left, i, at = 0;

	if (n == 0 || have_count == 0)
		return n;
	left = i = samples_before(samples, n, have[0].step, have[0].time_unix_ms);
	for (; i < n && at < have_count; i++) {
		int order = 1;

		while (at < have_count && (order = sample_compare_stored(&have[at], &samples[i])) < 0)
			at++;
		if (at == have_count || order != 0)
			samples[left++] = samples[i];
	}
	if (left < i)
		memmove(samples + left, samples + i, (n - i) * sizeof(*samples));
	return n - (i - left);
}
