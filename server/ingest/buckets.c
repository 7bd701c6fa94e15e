/* Down-sampling for charts: one pass, extremes are kept. */
#include <math.h>

#include "ingest/samples.h"

/* Position of v in [lo, hi] cut into `buckets` equal parts, for all of int64. */
static size_t
part_of(int64_t v, int64_t lo, int64_t hi, size_t buckets)
{
	long double width = (long double)((uint64_t)hi - (uint64_t)lo) + 1.0L;
	size_t part = (size_t)((long double)((uint64_t)v - (uint64_t)lo) * (long double)buckets / width);

	return part < buckets ? part : buckets - 1;
}

struct sums {
	long double sum;
	int64_t real; /* samples that are no NaN */
};

static void
bucket_start(struct bucket *b, struct sums *sums, const struct sample *s)
{
	*b = (struct bucket){ s->step, s->step, s->time_unix_ms, s->time_unix_ms, s->value, s->value,
		s->value, s->value, s->value, 0 };
	*sums = (struct sums){ 0 };
}

static void
bucket_add(struct bucket *b, struct sums *sums, const struct sample *s)
{
	b->step_hi = s->step;
	if (s->time_unix_ms < b->time_lo_unix_ms)
		b->time_lo_unix_ms = s->time_unix_ms;
	if (s->time_unix_ms > b->time_hi_unix_ms)
		b->time_hi_unix_ms = s->time_unix_ms;
	b->last = s->value;
	b->count++;
	if (isnan(s->value))
		return;
	if (isnan(b->min) || s->value < b->min)
		b->min = s->value;
	if (isnan(b->max) || s->value > b->max)
		b->max = s->value;
	sums->sum += (long double)s->value;
	sums->real++;
	b->mean = (double)(sums->sum / (long double)sums->real);
}

enum status
ingest_buckets(struct ctx *cx, const struct sample *samples, size_t n, size_t buckets, struct bucket **out,
	size_t *made)
{
	bool by_time = n > 0 && samples[0].step == samples[n - 1].step; /* all logged at one step */
	int64_t lo = n == 0 ? 0 : by_time ? samples[0].time_unix_ms : samples[0].step;
	int64_t hi = n == 0 ? 0 : by_time ? samples[n - 1].time_unix_ms : samples[n - 1].step;
	size_t most = n < buckets ? n : buckets, at = 0;
	struct sums sums = { 0 };
	struct bucket *b = NULL;

	if (buckets == 0)
		return fail(cx, INVALID, "a chart takes at least one bucket");
	*out = most > 0 ? arena_array(cx->arena, most, sizeof(**out)) : NULL;
	*made = 0;
	for (size_t i = 0; i < n; i++) {
		const struct sample *s = &samples[i];
		size_t part =
			n <= buckets ? i : part_of(by_time ? s->time_unix_ms : s->step, lo, hi, buckets);

		if (b == NULL || part != at) {
			b = &(*out)[(*made)++];
			bucket_start(b, &sums, s);
			at = part;
		}
		bucket_add(b, &sums, s);
	}
	return OK;
}
