#include "ingest/fold.h"

#include <math.h>
#include "ingest/samples.h"

/* Is s a better extreme than `kept`? */
static bool
better(const struct sample *s, const struct sample *kept, bool greatest)
{
	if (isnan(s->value) != isnan(kept->value))
		return isnan(kept->value);
	if (!isnan(s->value) && s->value != kept->value)
		return greatest ? s->value > kept->value : s->value < kept->value;
	return sample_compare_stored(s, kept) < 0;
}

static void
take_extremes(struct series_summary *sum, const struct sample *min, const struct sample *max)
{
	if (better(min, &sum->min, false))
		sum->min = *min;
	if (better(max, &sum->max, true))
		sum->max = *max;
}

static void
take_ends(struct series_summary *sum, const struct sample *first, const struct sample *last)
{
	if (sample_compare_stored(last, &sum->last) > 0)
		sum->last = *last;
	if (sample_compare_stored(first, &sum->first) < 0)
		sum->first = *first;
}

void
fold_sample(struct series_summary *sum, const struct sample *s)
{
	if (sum->n++ == 0)
		sum->last = sum->first = sum->min = sum->max = *s;
	take_ends(sum, s, s);
	take_extremes(sum, s, s);
	if (!isnan(s->value)) {
		sum->sum += s->value;
		sum->real++;
	}
}

void
fold_samples(struct series_summary *sum, const struct sample *samples, size_t n)
{
	long double total = sum->sum;
	int64_t real = 0;

	if (n == 0)
		return;
	if (sum->n == 0)
		sum->last = sum->first = sum->min = sum->max = samples[0];
	take_ends(sum, &samples[0], &samples[n - 1]);
	for (size_t i = 0; i < n; i++) {
		take_extremes(sum, &samples[i], &samples[i]);
		if (!isnan(samples[i].value)) {
			total += samples[i].value;
			real++;
		}
	}
	sum->n += (int64_t)n;
	sum->real += real;
	sum->sum = (double)total;
}

void
fold_join(struct series_summary *sum, const struct series_summary *other)
{
	if (other->n == 0)
		return;
	if (sum->n == 0) {
		int32_t key_id = sum->key_id;

		*sum = *other;
		sum->key_id = key_id;
		return;
	}
	take_ends(sum, &other->first, &other->last);
	take_extremes(sum, &other->min, &other->max);
	sum->sum = (double)((long double)sum->sum + other->sum);
	sum->n += other->n;
	sum->real += other->real;
}
