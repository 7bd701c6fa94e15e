/*
 * The series of a run are mostly logged at the same moments, so these stand once; extremes are often the first or the last sample,
 * and then stand nowhere.
 */
#include "ingest/chunk_coder.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

#define SAMPLES 4 /* of a series: first, last, min, max */

/* How a series is short: these samples are ones that it has already. */
enum {
	LAST_IS_FIRST = 1,
	MIN_IS_FIRST = 2,
	MIN_IS_LAST = 4,
	MAX_IS_FIRST = 8,
	MAX_IS_LAST = 16,
	SUM_IS_FIRST = 32
};

static unsigned
flags_of(const struct series_summary *s)
{
	unsigned flags = same_sample(&s->last, &s->first) ? LAST_IS_FIRST : 0;

	if (same_sample(&s->min, &s->first))
		flags |= MIN_IS_FIRST;
	else if (same_sample(&s->min, &s->last))
		flags |= MIN_IS_LAST;
	if (same_sample(&s->max, &s->first))
		flags |= MAX_IS_FIRST;
	else if (same_sample(&s->max, &s->last))
		flags |= MAX_IS_LAST;
	if (double_bits(s->sum) == double_bits(s->first.value))
		flags |= SUM_IS_FIRST;
	return flags;
}

/* Those of the four that the flags do not give, in the order first, last, min, max. */
static uint32_t
own_samples(unsigned flags, struct series_summary *s, struct sample *own[SAMPLES])
{
	uint32_t n = 0;

	own[n++] = &s->first;
	if ((flags & LAST_IS_FIRST) == 0)
		own[n++] = &s->last;
	if ((flags & (MIN_IS_FIRST | MIN_IS_LAST)) == 0)
		own[n++] = &s->min;
	if ((flags & (MAX_IS_FIRST | MAX_IS_LAST)) == 0)
		own[n++] = &s->max;
	return n;
}

static void
copy_by_flags(unsigned flags, struct series_summary *s)
{
	if ((flags & LAST_IS_FIRST) != 0)
		s->last = s->first;
	if ((flags & (MIN_IS_FIRST | MIN_IS_LAST)) != 0)
		s->min = (flags & MIN_IS_FIRST) != 0 ? s->first : s->last;
	if ((flags & (MAX_IS_FIRST | MAX_IS_LAST)) != 0)
		s->max = (flags & MAX_IS_FIRST) != 0 ? s->first : s->last;
	if ((flags & SUM_IS_FIRST) != 0)
		s->sum = s->first.value;
}

/* ---- writing ---- */

/* What is written, field by field. */
struct draft {
	size_t series, samples, moments, sums;
	uint8_t flags[BUNDLE_KEYS];
	uint32_t counts[BUNDLE_KEYS], sum_counts[BUNDLE_KEYS];
	struct sample own[BUNDLE_KEYS * SAMPLES];
	struct sample moment[BUNDLE_KEYS * SAMPLES]; /* sorted, without twins; the values mean nothing */
	double values[BUNDLE_KEYS * SAMPLES], sum[BUNDLE_KEYS];
	uint8_t places[2 * BUNDLE_KEYS * SAMPLES];
	uint8_t numbers[BUNDLE_KEYS * SAMPLES * PACK_VARINT_MOST];
};

static int
by_moment(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	return x->time_unix_ms < y->time_unix_ms ? -1 : x->time_unix_ms > y->time_unix_ms;
}

static void
draft_series(struct draft *d, const struct series_summary *series)
{
	struct series_summary s = *series;
	struct sample *own[SAMPLES];
	size_t at = d->series++;

	d->flags[at] = (uint8_t)flags_of(&s);
	d->counts[at] = own_samples(d->flags[at], &s, own);
	for (uint32_t i = 0; i < d->counts[at]; i++) {
		d->values[d->samples] = own[i]->value;
		d->own[d->samples++] = *own[i];
	}
	d->sum_counts[at] = (d->flags[at] & SUM_IS_FIRST) == 0;
	if (d->sum_counts[at] > 0)
		d->sum[d->sums++] = s.sum;
}

static void
draft_moments(struct draft *d)
{
	for (size_t i = 0; i < d->samples; i++)
		d->moment[i] = d->own[i];
	qsort(d->moment, d->samples, sizeof(*d->moment), by_moment);
	for (size_t i = 0; i < d->samples; i++)
		if (i == 0 || by_moment(&d->moment[i], &d->moment[d->moments - 1]) != 0)
			d->moment[d->moments++] = d->moment[i];
	for (size_t i = 0; i < d->samples; i++) {
		const struct sample *found =
			bsearch(&d->own[i], d->moment, d->moments, sizeof(*found), by_moment);
		size_t place = (size_t)(found - d->moment);

		d->places[i] = (uint8_t)place;
		d->places[d->samples + i] = (uint8_t)(place >> 8);
	}
}

static uint8_t *
put_directory(struct chunk_coder *c, uint8_t *p, struct draft *d, const struct series_summary *series)
{
	uint8_t *end = d->numbers;
	int32_t key = first_key((size_t)series[0].key_id / BUNDLE_KEYS);

	for (size_t i = 0; i < d->series; key = series[i++].key_id)
		end = put_varint(end, (uint64_t)(series[i].key_id - key));
	for (size_t i = 0; i < d->series; i++)
		end = put_varint(end, (uint64_t)series[i].n);
	for (size_t i = 0; i < d->series; i++)
		end = put_varint(end, (uint64_t)(series[i].n - series[i].real));
	return put_sized_column(&c->packer, p, d->numbers, (size_t)(end - d->numbers));
}

static uint8_t *
put_moments(struct chunk_coder *c, uint8_t *p, const struct draft *d)
{
	int64_t *steps = scratch_room(&c->steps, d->moments, sizeof(*steps));
	int64_t *times = scratch_room(&c->times, d->moments, sizeof(*times));

	for (size_t i = 0; i < d->moments; i++) {
		steps[i] = d->moment[i].step;
		times[i] = d->moment[i].time_unix_ms;
	}
	p = put_sequence(&c->packer, p, steps, d->moments);
	return put_sequence(&c->packer, p, times, d->moments);
}

void
summary_encode(struct chunk_coder *c, const struct series_summary *series, size_t n, struct buf *out)
{
	struct draft *d = scratch_room(&c->draft, 1, sizeof(*d));
	size_t most = 256 + 16 * BUNDLE_KEYS * SAMPLES + sizeof(d->numbers) + sizeof(d->places) +
		      sizeof(d->flags) + 2 * values_most(BUNDLE_KEYS * (SAMPLES + 1), BUNDLE_KEYS);
	uint8_t *payload = scratch_room(&c->payload, most, 1), *p = payload;

	assert(n > 0 && n <= BUNDLE_KEYS);
	d->series = d->samples = d->moments = d->sums = 0;
	for (size_t i = 0; i < n; i++)
		draft_series(d, &series[i]);
	draft_moments(d);
	p = put_varint(p, (uint64_t)(series[0].key_id / BUNDLE_KEYS));
	p = put_varint(p, n);
	p = put_directory(c, p, d, series);
	p = put_column(&c->packer, p, d->flags, n);
	p = put_varint(p, d->moments);
	p = put_moments(c, p, d);
	p = put_column(&c->packer, p, d->places, d->samples);
	p = put_column(&c->packer, p, d->places + d->samples, d->samples);
	p = put_values(&c->packer, p, d->values, d->counts, n);
	p = put_values(&c->packer, p, d->sum, d->sum_counts, n);
	pack_seal(PACK_SUMMARY, payload, (size_t)(p - payload), out);
}

/* ---- reading ---- */

static bool
get_directory(struct chunk_coder *c, struct reader *r, struct series_summary *s, size_t n, size_t part)
{
	struct reader in = get_sized_column(&c->packer, r, &c->column, 3 * n * PACK_VARINT_MOST);
	int32_t key = first_key(part);

	for (size_t i = 0; i < n; i++)
		s[i].key_id = key = get_key(&in, key, i == 0, part);
	for (size_t i = 0; i < n; i++)
		s[i].n = (int64_t)get_size(&in, 1, INT64_MAX);
	for (size_t i = 0; i < n; i++)
		s[i].real = s[i].n - (int64_t)get_size(&in, 0, (size_t)s[i].n);
	return !in.damaged && in.at == in.end;
}

static bool
get_moments(struct chunk_coder *c, struct reader *r, struct draft *d)
{
	d->moments = get_size(r, 1, d->samples);
	return !r->damaged &&
	       get_sequence(
		       &c->packer, r, scratch_room(&c->steps, d->moments, sizeof(int64_t)), d->moments) &&
	       get_sequence(&c->packer, r, scratch_room(&c->times, d->moments, sizeof(int64_t)), d->moments);
}

/* Which samples stand here, and where each of them belongs. */
static bool
get_flags(struct chunk_coder *c, struct reader *r, struct draft *d, struct series_summary *s, size_t n)
{
	const uint8_t *flags = get_column(&c->packer, r, d->flags, n);
	struct sample *own[SAMPLES];

	d->samples = d->sums = 0;
	for (size_t i = 0; flags != NULL && i < n; i++) {
		d->flags[i] = flags[i];
		d->counts[i] = own_samples(flags[i], &s[i], own);
		d->sum_counts[i] = (flags[i] & SUM_IS_FIRST) == 0;
		d->samples += d->counts[i];
		d->sums += d->sum_counts[i];
	}
	return flags != NULL;
}

static bool
get_samples(struct chunk_coder *c, struct reader *r, struct draft *d)
{
	size_t n = d->samples;
	const uint8_t *low = get_column(&c->packer, r, d->places, n);
	const uint8_t *high = low == NULL ? NULL : get_column(&c->packer, r, d->places + n, n);
	const int64_t *steps = c->steps.data, *times = c->times.data;

	for (size_t i = 0; high != NULL && i < n; i++) {
		size_t place = low[i] | (size_t)high[i] << 8;

		if (place >= d->moments)
			return false;
		d->own[i].step = steps[place];
		d->own[i].time_unix_ms = times[place];
	}
	return high != NULL;
}

static void
fill_series(struct draft *d, struct series_summary *s, size_t n)
{
	const struct sample *from = d->own;
	const double *values = d->values, *sum = d->sum;
	struct sample *own[SAMPLES];

	for (size_t i = 0; i < n; i++) {
		uint32_t count = own_samples(d->flags[i], &s[i], own);

		for (uint32_t k = 0; k < count; k++, from++)
			*own[k] = (struct sample){ *values++, from->time_unix_ms, from->step };
		if (d->sum_counts[i] > 0)
			s[i].sum = *sum++;
		copy_by_flags(d->flags[i], &s[i]);
	}
}

bool
summary_decode(
	struct chunk_coder *c, const void *data, size_t len, const struct series_summary **series, size_t *n)
{
	struct draft *d = scratch_room(&c->draft, 1, sizeof(*d));
	struct series_summary *s = scratch_room(&c->summaries, BUNDLE_KEYS, sizeof(*s));
	struct reader r;
	size_t part;

	if (!pack_open(PACK_SUMMARY, data, len, &r))
		return false;
	part = get_size(&r, 0, PARTS_MOST);
	*n = get_size(&r, 1, BUNDLE_KEYS);
	if (r.damaged || !get_directory(c, &r, s, *n, part) || !get_flags(c, &r, d, s, *n) ||
		!get_moments(c, &r, d) || !get_samples(c, &r, d) ||
		!get_values(&c->packer, &r, d->values, d->counts, *n) ||
		!get_values(&c->packer, &r, d->sum, d->sum_counts, *n) || reader_left(&r) > 0)
		return false;
	fill_series(d, s, *n);
	*series = s;
	return true;
}
