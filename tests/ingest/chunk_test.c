#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"
#include "ingest/chunk.h"
#include "ingest/codec.h"
#include <cmocka.h>

#define HEADER 6

struct bench {
	struct chunk_coder *coder;
	struct buf row;
};

static int
setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->coder = chunk_coder_new();
	buf_init(&b->row, 64u << 20);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	chunk_coder_free(b->coder);
	buf_fini(&b->row);
	free(b);
	return 0;
}

/* ---- a generator that can be repeated ---- */

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(2685821657736338717);
}

static size_t
below(size_t n)
{
	return (size_t)(random_bits() >> 11) % n;
}

static double
unit(void)
{
	return (double)(random_bits() >> 11) * 0x1p-53;
}

static int64_t
any_int64(void)
{
	static const int64_t odd[] = { 0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1,
		1700000000000 };

	return below(3) == 0 ? odd[below(sizeof(odd) / sizeof(*odd))] : (int64_t)random_bits();
}

static double
odd_double(void)
{
	static const double odd[] = { 0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, -5e-324,
		2.2250738585072011e-308, 0.1, 1e10, 0x1p53, -0x1p53, 9007199254740993.0, 1e15, 1e22,
		0.30000000000000004 };

	if (below(5) == 0)
		return below(3) == 0 ? (double)NAN : below(2) == 0 ? (double)INFINITY : -(double)INFINITY;
	return odd[below(sizeof(odd) / sizeof(*odd))];
}

/* Series of all sorts: what compresses, what does not, and what almost does. */
static double
value_of(unsigned sort)
{
	uint64_t bits = random_bits();
	double v;

	switch (sort % 8) {
	case 0:
		return (double)(float)unit();
	case 1:
		return round(unit() * 1e4) / 1e4;
	case 2:
		return (double)below(1000);
	case 3:
		return below(50) == 0 ? nextafter(0.25, 1) : round(unit() * 100) / 100;
	case 4:
		return odd_double();
	case 5:
		return round(unit() * 1e10) / 1e10 - 0.5;
	case 6:
		return 0.125;
	default:
		memcpy(&v, &bits, sizeof(v));
		return v;
	}
}

static void
fill(struct sample *samples, size_t n, unsigned sort, unsigned moments)
{
	int64_t step = 0, time = 1700000000000;

	for (size_t i = 0; i < n; i++) {
		step += moments == 0 ? 1 : (int64_t)below(1000);
		time += moments == 0 ? 1000 : (int64_t)below(2000) - 300;
		samples[i] = (struct sample){ value_of(sort), time, step };
		if (moments > 1)
			samples[i] = (struct sample){ value_of(sort), any_int64(), any_int64() };
	}
}

/* ---- what must come back ---- */

static uint64_t
bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return isnan(v) ? UINT64_C(0x7ff8000000000000) : bits;
}

static void
assert_same_double(double want, double got)
{
	uint64_t bits;

	memcpy(&bits, &got, sizeof(bits));
	assert_true(bits_of(want) == bits);
}

static void
assert_same_sample(const struct sample *want, const struct sample *got)
{
	assert_true(want->step == got->step);
	assert_true(want->time_unix_ms == got->time_unix_ms);
	assert_same_double(want->value, got->value);
}

static void
assert_same(const struct sample *want, const struct sample *got, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_same_sample(&want[i], &got[i]);
}

static void
assert_comes_back(struct bench *b, const struct sample *samples, size_t n)
{
	const struct sample *got;
	size_t count;

	buf_clear(&b->row);
	chunk_encode(b->coder, samples, n, &b->row);
	assert_false(b->row.overflow);
	assert_true(chunk_decode(b->coder, b->row.data, b->row.len, &got, &count));
	assert_int_equal(count, n);
	assert_same(samples, got, n);
}

/* ---- chunks ---- */

static void
any_chunk_comes_back(void **state)
{
	struct sample *samples = mem_array(3000, sizeof(*samples));

	for (unsigned round = 0; round < 1500; round++) {
		size_t n = 1 + (round % 10 == 0 ? below(3000) : below(100));

		fill(samples, n, (unsigned)below(8), (unsigned)below(3));
		assert_comes_back(*state, samples, n);
	}
	free(samples);
}

static void
values_of_mixed_sorts_come_back(void **state)
{
	struct sample samples[200];

	for (unsigned round = 0; round < 1000; round++) {
		for (size_t i = 0; i < 200; i++)
			samples[i] = (struct sample){ value_of((unsigned)below(8)), (int64_t)i, (int64_t)i };
		assert_comes_back(*state, samples, 1 + below(200));
	}
}

static void
the_largest_chunk_comes_back(void **state)
{
	struct sample *samples = mem_array(CHUNK_POINTS_MAX, sizeof(*samples));

	for (unsigned sort = 0; sort < 8; sort++) {
		fill(samples, CHUNK_POINTS_MAX, sort, sort % 3);
		assert_comes_back(*state, samples, CHUNK_POINTS_MAX);
	}
	free(samples);
}

static void
extremes_of_int64_come_back(void **state)
{
	const struct sample samples[] = {
		{ -0.0, INT64_MAX, INT64_MIN },
		{ (double)NAN, INT64_MIN, INT64_MIN },
		{ (double)INFINITY, INT64_MIN, 0 },
		{ -(double)INFINITY, INT64_MAX, INT64_MAX },
		{ 0.0, -1, INT64_MAX },
	};

	for (size_t n = 1; n <= sizeof(samples) / sizeof(*samples); n++)
		assert_comes_back(*state, samples, n);
}

/* Each of these almost is a decimal number, or is one that does not fit. */
static void
what_almost_is_decimal_comes_back_bit_for_bit(void **state)
{
	const double almost[] = { -0.0, 0.1 + 0.2, 1.0 / 3, 0x1p53 + 2, 9007199254740991.0, 1e16, 1e-10,
		1e-11, 1.0000000001, 0.00000000015, 123456789.123456789, nextafter(1.5, 2),
		nextafter(1e10, 0), 4.35, 2.675, 1.005, 5e-324, DBL_MAX, -DBL_MAX, 900719925474.0991 };
	const size_t n = sizeof(almost) / sizeof(*almost);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			const struct sample pair[] = { { almost[i], 1, 1 }, { almost[k], 2, 2 },
				{ 0.5, 3, 3 } };

			assert_comes_back(*state, pair, 3);
			assert_comes_back(*state, pair, 1);
		}
}

static void
every_nan_is_written_in_one_form(void **state)
{
	struct bench *b = *state;
	uint64_t odd = UINT64_C(0xfff8000000001234), bits;
	struct sample sample = { 0, 1, 2 };
	const struct sample *got;
	size_t count;

	memcpy(&sample.value, &odd, sizeof(odd));
	chunk_encode(b->coder, &sample, 1, &b->row);
	assert_true(chunk_decode(b->coder, b->row.data, b->row.len, &got, &count));
	memcpy(&bits, &got[0].value, sizeof(bits));
	assert_true(bits == UINT64_C(0x7ff8000000000000));
}

static double
bytes_a_point(struct bench *b, unsigned sort)
{
	struct sample *samples = mem_array(CHUNK_POINTS, sizeof(*samples));

	fill(samples, CHUNK_POINTS, sort, 0);
	assert_comes_back(b, samples, CHUNK_POINTS);
	free(samples);
	return (double)b->row.len / CHUNK_POINTS;
}

static void
regular_chunks_are_small(void **state)
{
	assert_true(bytes_a_point(*state, 0) <= 3.5); /* from float32 */
	assert_true(bytes_a_point(*state, 1) <= 1.8); /* four decimals */
	assert_true(bytes_a_point(*state, 2) <= 1.4); /* integers below a thousand */
	assert_true(bytes_a_point(*state, 6) <= 0.1); /* always the same */
	assert_true(bytes_a_point(*state, 7) <= 8.1); /* noise */
}

static void
what_a_decoder_gave_out_may_be_encoded(void **state)
{
	struct bench *b = *state;
	struct sample samples[300];
	const struct sample *got, *again;
	const struct bundle_series *series;
	struct bundle_series one;
	size_t n, m;

	fill(samples, 300, 3, 1);
	chunk_encode(b->coder, samples, 300, &b->row);
	assert_true(chunk_decode(b->coder, b->row.data, b->row.len, &got, &n));
	one = (struct bundle_series){ 3, got, n };
	buf_clear(&b->row);
	bundle_encode(b->coder, &one, 1, &b->row);
	assert_true(bundle_decode(b->coder, b->row.data, b->row.len, NULL, 0, &series, &m));
	buf_clear(&b->row);
	chunk_encode(b->coder, series[0].samples, series[0].n, &b->row);
	assert_same(samples, got, n);
	assert_true(chunk_decode(b->coder, b->row.data, b->row.len, &again, &m));
	assert_int_equal(m, 300);
	assert_same(samples, again, 300);
	assert_same(samples, series[0].samples, 300);
}

/* ---- bundles ---- */

struct set {
	struct bundle_series series[BUNDLE_KEYS];
	struct sample *samples;
	size_t n, points;
};

/* Some series share the steps of the one before, some of these the times too, some have times near to them. */
static void
share(struct sample *to, const struct bundle_series *with, unsigned sort, size_t how)
{
	for (size_t i = 0; i < with->n; i++) {
		int64_t time = with->samples[i].time_unix_ms;

		to[i] = (struct sample){ value_of(sort), time, with->samples[i].step };
		if (how == 1)
			to[i].time_unix_ms = (int64_t)((uint64_t)time + 3 + below(3));
		if (how == 2)
			to[i].time_unix_ms = any_int64();
	}
}

static void
make_set(struct set *set, size_t n, size_t longest)
{
	int32_t base = (int32_t)below(4) * BUNDLE_KEYS, key = base == 0 ? 1 : base;

	set->samples = mem_array(n * longest, sizeof(*set->samples));
	set->n = set->points = 0;
	for (size_t i = 0; i < n; i++) {
		struct sample *to = set->samples + set->points;
		struct bundle_series *s = &set->series[set->n++], *before = i > 0 ? s - 1 : NULL;
		unsigned sort = (unsigned)below(8);

		*s = (struct bundle_series){ key, to, 1 + below(longest) };
		if (before != NULL && below(4) > 0) {
			s->n = before->n;
			share(to, before, sort, below(4));
		} else {
			fill(to, s->n, sort, (unsigned)below(3));
		}
		set->points += s->n;
		key += 1 + (int32_t)(key + 4 < base + BUNDLE_KEYS - (int32_t)(n - i) ? below(3) : 0);
	}
	assert_true(bundle_of(set->series[0].key_id) == bundle_of(set->series[n - 1].key_id));
}

static void
assert_series(const struct bundle_series *want, const struct bundle_series *got)
{
	assert_int_equal(want->key_id, got->key_id);
	assert_int_equal(want->n, got->n);
	assert_same(want->samples, got->samples, want->n);
}

static void
assert_set_comes_back(struct bench *b, const struct set *set)
{
	const struct bundle_series *got;
	int32_t keys[2 * BUNDLE_KEYS];
	size_t n, key_count = 0, at = 0, wanted = 0;

	buf_clear(&b->row);
	bundle_encode(b->coder, set->series, set->n, &b->row);
	assert_true(bundle_decode(b->coder, b->row.data, b->row.len, NULL, 0, &got, &n));
	assert_int_equal(n, set->n);
	for (size_t i = 0; i < n; i++)
		assert_series(&set->series[i], &got[i]);
	for (int32_t key = set->series[0].key_id - 1; key < set->series[0].key_id + BUNDLE_KEYS; key++)
		if (below(5) == 0)
			keys[key_count++] = key;
	assert_true(bundle_decode(b->coder, b->row.data, b->row.len, keys, key_count, &got, &n));
	for (size_t i = 0; i < set->n; i++) {
		while (at < key_count && keys[at] < set->series[i].key_id)
			at++;
		if (at < key_count && keys[at] == set->series[i].key_id)
			assert_series(&set->series[i], &got[wanted++]);
	}
	assert_int_equal(n, wanted);
}

static void
any_bundle_comes_back(void **state)
{
	struct set set;

	for (unsigned round = 0; round < 500; round++) {
		make_set(&set, 1 + below(round % 20 == 0 ? 200 : 12), 1 + below(40));
		assert_set_comes_back(*state, &set);
		free(set.samples);
	}
}

static void
the_largest_bundle_comes_back(void **state)
{
	struct set set;

	make_set(&set, BUNDLE_KEYS - 1, BUNDLE_BELOW);
	assert_set_comes_back(*state, &set);
	free(set.samples);
}

static void
a_long_series_may_be_in_a_bundle(void **state)
{
	struct set set;

	make_set(&set, 2, BUNDLE_POINTS_MAX / 2);
	assert_set_comes_back(*state, &set);
	free(set.samples);
}

static void
no_wanted_key_gives_no_series(void **state)
{
	struct bench *b = *state;
	const int32_t keys[] = { 1, 500 };
	const struct bundle_series *got;
	struct set set;
	size_t n = 7;

	make_set(&set, 3, 5);
	for (size_t i = 0; i < 3; i++)
		set.series[i].key_id = 20 + (int32_t)i;
	bundle_encode(b->coder, set.series, 3, &b->row);
	assert_true(bundle_decode(b->coder, b->row.data, b->row.len, keys, 2, &got, &n));
	assert_int_equal(n, 0);
	assert_true(bundle_decode(b->coder, b->row.data, b->row.len, keys, 0, &got, &n));
	assert_int_equal(n, 0);
	free(set.samples);
}

/* The shape of a run of many metrics: 150 series of the same 20 steps. */
static struct set
common_set(unsigned sort, bool one_time)
{
	struct set set = { .n = 150, .points = 3000, .samples = mem_array(3000, sizeof(struct sample)) };

	for (size_t k = 0; k < 150; k++) {
		set.series[k] = (struct bundle_series){ (int32_t)k + 1, set.samples + 20 * k, 20 };
		for (size_t i = 0; i < 20; i++)
			set.samples[20 * k + i] = (struct sample){ value_of(sort),
				1700000000000 + 60000 * (int64_t)i +
					(one_time ? 0 : (int64_t)(2 * k + below(2))),
				(int64_t)i * 100 };
	}
	return set;
}

static void
steps_and_times_of_a_bundle_stand_there_once(void **state)
{
	struct bench *b = *state;
	struct set set = common_set(0, true);

	assert_set_comes_back(b, &set);
	assert_true(b->row.len <= 5 * set.points);
	free(set.samples);
	set = common_set(0, false); /* each metric logged by a call of its own */
	assert_set_comes_back(b, &set);
	assert_true(b->row.len <= 5 * set.points);
	free(set.samples);
	set = common_set(7, true);
	assert_set_comes_back(b, &set);
	assert_true(b->row.len <= 81 * set.points / 10);
	free(set.samples);
}

/* ---- previews ---- */

static void
assert_same_preview(const struct preview *want, const struct preview *got)
{
	assert_same_sample(&want->first, &got->first);
	assert_same_sample(&want->last, &got->last);
	assert_same_sample(&want->min, &got->min);
	assert_same_sample(&want->max, &got->max);
	assert_true(want->time_lo_unix_ms == got->time_lo_unix_ms);
	assert_true(want->time_hi_unix_ms == got->time_hi_unix_ms);
	assert_true(want->sum == got->sum || (isnan(want->sum) && isnan(got->sum)));
	assert_true(want->n == got->n);
	assert_true(want->real == got->real);
}

/* Word for word what the header promises, the slow way. */
static struct preview
preview_of(const struct sample *s, size_t n)
{
	struct preview p = { .first = s[0],
		.last = s[n - 1],
		.min = s[0],
		.max = s[0],
		.n = (int64_t)n,
		.time_lo_unix_ms = INT64_MAX,
		.time_hi_unix_ms = INT64_MIN };

	for (size_t i = 0; i < n; i++) {
		p.time_lo_unix_ms =
			s[i].time_unix_ms < p.time_lo_unix_ms ? s[i].time_unix_ms : p.time_lo_unix_ms;
		p.time_hi_unix_ms =
			s[i].time_unix_ms > p.time_hi_unix_ms ? s[i].time_unix_ms : p.time_hi_unix_ms;
		if (isnan(s[i].value))
			continue;
		if (p.real == 0 || s[i].value < p.min.value)
			p.min = s[i];
		if (p.real == 0 || s[i].value > p.max.value)
			p.max = s[i];
		p.real++;
		p.sum += s[i].value;
	}
	return p;
}

static struct preview
added(const struct sample *s, size_t n)
{
	struct preview p;

	preview_start(&p, &s[0]);
	for (size_t i = 1; i < n; i++)
		preview_add(&p, &s[i]);
	return p;
}

static void
a_preview_is_what_its_samples_say(void **state)
{
	struct bench *b = *state;
	struct sample *samples = mem_array(5000, sizeof(*samples));

	for (unsigned round = 0; round < 600; round++) {
		size_t n = 1 + below(round % 3 == 0 ? 5000 : 40), made;
		const struct preview *got;

		fill(samples, n, round, (unsigned)below(3));
		buf_clear(&b->row);
		preview_encode(b->coder, samples, n, &b->row);
		assert_true(preview_decode(b->coder, b->row.data, b->row.len, &got, &made));
		assert_int_equal(made, n < PREVIEW_BUCKETS ? n : PREVIEW_BUCKETS);
		for (size_t i = 0, from = 0; i < made; from += (size_t)got[i++].n) {
			size_t to = (i + 1) * n / made;
			struct preview want = preview_of(samples + from, to - from);

			assert_same_preview(&want, &got[i]);
		}
	}
	free(samples);
}

static void
a_preview_is_a_kilobyte(void **state)
{
	struct bench *b = *state;
	struct sample samples[CHUNK_POINTS];

	for (unsigned sort = 0; sort < 2; sort++) {
		buf_clear(&b->row);
		fill(samples, CHUNK_POINTS, sort, 0);
		preview_encode(b->coder, samples, CHUNK_POINTS, &b->row);
		assert_true(b->row.len <= 1024);
	}
}

/* Sums in whole numbers, so that their order does not matter. */
static void
joined_previews_are_the_preview_of_both(void **state)
{
	static const double odd[] = { -3, 0.0, -0.0, 5, NAN, 7, (double)INFINITY };
	struct sample samples[24];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = 2 + below(22), cut = 1 + below(n - 1);
		unsigned most = round % 3 == 0 ? 7 : round % 3 == 1 ? 6 : 5;
		struct preview left, right, want;

		fill(samples, n, 2, (unsigned)below(3));
		for (size_t i = 0; i < n; i++)
			samples[i].value = below(4) == 0 && round % 2 == 0 ? (double)NAN : odd[below(most)];
		left = added(samples, cut);
		right = added(samples + cut, n - cut);
		want = preview_of(samples, n);
		preview_join(&left, &right);
		assert_same_preview(&want, &left);
	}
}

static void
of_equal_extremes_the_earliest_stands(void **state)
{
	const struct sample samples[] = { { (double)NAN, 1, 1 }, { 2, 2, 2 }, { 1, 3, 3 }, { 1, 4, 4 },
		{ 2, 5, 5 }, { (double)NAN, 6, 6 } };
	struct preview p = added(samples, 6);

	(void)state;
	assert_true(p.first.step == 1 && isnan(p.first.value));
	assert_true(p.last.step == 6);
	assert_true(p.min.step == 3 && p.max.step == 2);
	assert_true(p.n == 6 && p.real == 4);
	p = added(samples + 5, 1);
	assert_true(isnan(p.min.value) && p.min.step == 6 && isnan(p.max.value));
	assert_true(p.sum == 0 && p.real == 0);
}

/* ---- summaries ---- */

static struct series_summary
summary_of(int32_t key, const struct sample *s, size_t n)
{
	struct preview p = preview_of(s, n);

	return (struct series_summary){ key, p.first, p.last, p.min, p.max, p.sum, p.n, p.real };
}

static void
assert_summaries_come_back(struct bench *b, const struct series_summary *want, size_t n)
{
	const struct series_summary *got;
	size_t count;

	buf_clear(&b->row);
	summary_encode(b->coder, want, n, &b->row);
	assert_true(summary_decode(b->coder, b->row.data, b->row.len, &got, &count));
	assert_int_equal(count, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(want[i].key_id, got[i].key_id);
		assert_same_sample(&want[i].first, &got[i].first);
		assert_same_sample(&want[i].last, &got[i].last);
		assert_same_sample(&want[i].min, &got[i].min);
		assert_same_sample(&want[i].max, &got[i].max);
		assert_same_double(want[i].sum, got[i].sum);
		assert_true(want[i].n == got[i].n && want[i].real == got[i].real);
	}
}

static void
summaries_of_any_series_come_back(void **state)
{
	struct series_summary all[BUNDLE_KEYS];
	struct set set;

	for (unsigned round = 0; round < 500; round++) {
		make_set(&set, 1 + below(round % 20 == 0 ? 255 : 12), 1 + below(12));
		for (size_t i = 0; i < set.n; i++)
			all[i] = summary_of(set.series[i].key_id, set.series[i].samples, set.series[i].n);
		assert_summaries_come_back(*state, all, set.n);
		free(set.samples);
	}
}

static void
summaries_of_any_numbers_come_back(void **state)
{
	struct series_summary all[BUNDLE_KEYS];

	for (unsigned round = 0; round < 100; round++) {
		int32_t base = round % 2 == 0 ? INT32_MAX / BUNDLE_KEYS * BUNDLE_KEYS : BUNDLE_KEYS;

		for (int32_t i = 0; i < BUNDLE_KEYS; i++) {
			int64_t n = 1 + (any_int64() & (INT64_MAX >> 1));

			all[i] = (struct series_summary){ .key_id = base + i,
				.sum = value_of((unsigned)below(8)),
				.n = n,
				.real = n - (int64_t)below(2) * n };
			fill(&all[i].first, 1, 4, 2);
			fill(&all[i].last, 1, 4, 2);
			fill(&all[i].min, 1, 4, 2);
			fill(&all[i].max, 1, 4, 2);
		}
		all[0].n = INT64_MAX;
		assert_summaries_come_back(*state, all, BUNDLE_KEYS);
	}
}

static void
summaries_of_common_series_are_small(void **state)
{
	struct bench *b = *state;
	struct series_summary all[150];
	struct set set = common_set(0, true);

	for (size_t i = 0; i < set.n; i++)
		all[i] = summary_of(set.series[i].key_id, set.series[i].samples, set.series[i].n);
	assert_summaries_come_back(b, all, set.n);
	assert_true(b->row.len <= set.points * 12 / 10);
	free(set.samples);
}

/* ---- the format ---- */

static void
assert_payload(struct bench *b, unsigned char kind, const unsigned char *want, size_t len)
{
	assert_int_equal(b->row.len, HEADER + len);
	assert_int_equal(b->row.data[0], 1);
	assert_int_equal(b->row.data[1], kind);
	assert_memory_equal(b->row.data + HEADER, want, len);
	buf_clear(&b->row);
}

/* Rows are stored for years: these bytes must not change under the same version. */
static void
the_bytes_of_version_1_stay(void **state)
{
	static const unsigned char chunk[] = { 3, 2, 2, 2, 1, 0, 0, 2, 2, 20, 20, 0, 0, 0, 8, 0, 0, 85, 0, 0,
		0, 85, 0, 0, 0, 85, 0, 0, 0, 85, 0, 0, 0, 85, 0, 0, 0, 85, 0, 0, 224, 213, 0, 0, 63, 63, 64 };
	static const unsigned char bundle[] = { 1, 2, 1, 2, 14, 0, 3, 2, 3, 2, 0, 3, 0, 1, 1, 1, 0, 1, 0, 0,
		5, 0, 2, 2, 20, 20, 2, 1, 0, 0, 2, 0, 59, 1, 0, 8, 0, 0, 85, 0, 0, 0, 0, 0, 0, 85, 0, 0, 0, 0,
		0, 0, 85, 0, 0, 0, 0, 0, 0, 85, 0, 0, 0, 0, 0, 0, 85, 0, 0, 0, 0, 0, 0, 85, 0, 0, 0, 0, 0,
		224, 213, 0, 208, 224, 252, 0, 63, 63, 64, 63, 63, 63 };
	static const unsigned char preview[] = { 2, 24, 0, 1, 0, 2, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 20,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 85, 0, 85, 0, 85, 0, 85, 0, 0, 85, 0, 85, 0, 85, 0, 85,
		0, 0, 85, 0, 85, 0, 85, 0, 85, 0, 0, 85, 0, 85, 0, 85, 0, 85, 0, 0, 85, 0, 85, 0, 85, 0, 85,
		0, 0, 85, 0, 85, 0, 85, 0, 85, 0, 224, 213, 224, 213, 224, 213, 224, 213, 1, 63, 0, 0, 8, 0,
		0, 85, 0, 0, 85, 0, 0, 85, 0, 0, 85, 0, 0, 85, 0, 0, 85, 0, 224, 213, 1, 63 };
	static const unsigned char summary[] = { 1, 1, 3, 0, 1, 3, 0, 0, 16, 3, 2, 2, 2, 1, 0, 0, 2, 2, 20,
		20, 0, 0, 0, 2, 1, 1, 0, 0, 0, 8, 0, 0, 0, 85, 0, 0, 0, 85, 0, 0, 0, 85, 0, 0, 0, 85, 0, 0, 0,
		85, 0, 0, 0, 85, 0, 224, 0, 213, 0, 63, 64, 63, 0, 0, 8, 0, 171, 0, 170, 0, 170, 0, 170, 0,
		170, 0, 170, 0, 6, 0, 64 };
	const struct sample s[] = { { 0.5, 10, 1 }, { 1.0 / 3, 20, 2 }, { 2.0, 30, 4 } };
	const struct sample near[] = { { 0.25, 11, 1 }, { 0.5, 21, 2 }, { 1.75, 31, 4 } };
	const struct bundle_series series[] = { { 257, s, 3 }, { 258, near, 3 } };
	const struct series_summary sum = { 257, s[0], s[2], s[1], s[2], 2.5 + 1.0 / 3, 3, 3 };
	struct bench *b = *state;

	chunk_encode(b->coder, s, 3, &b->row);
	assert_payload(b, 16, chunk, sizeof(chunk));
	bundle_encode(b->coder, series, 2, &b->row);
	assert_payload(b, 17, bundle, sizeof(bundle));
	preview_encode(b->coder, s, 2, &b->row);
	assert_payload(b, 18, preview, sizeof(preview));
	summary_encode(b->coder, &sum, 1, &b->row);
	assert_payload(b, 19, summary, sizeof(summary));
}

/* ---- damage ---- */

static void
seal(char *row, size_t len)
{
	uint32_t sum = codec_checksum(row, len);

	for (int i = 0; i < 4; i++)
		row[2 + i] = (char)(sum >> (8 * i));
}

static bool
decodes(struct bench *b, unsigned kind, const char *data, size_t len)
{
	const struct sample *samples;
	const struct bundle_series *series;
	const struct preview *previews;
	const struct series_summary *summaries;
	size_t n;

	switch (kind) {
	case 0:
		return chunk_decode(b->coder, data, len, &samples, &n);
	case 1:
		return bundle_decode(b->coder, data, len, NULL, 0, &series, &n);
	case 2:
		return preview_decode(b->coder, data, len, &previews, &n);
	default:
		return summary_decode(b->coder, data, len, &summaries, &n);
	}
}

static void
encode_kind(struct bench *b, unsigned kind)
{
	struct series_summary summaries[20];
	struct set set;

	buf_clear(&b->row);
	make_set(&set, 1 + below(20), 1 + below(100));
	for (size_t i = 0; i < set.n; i++)
		summaries[i] = summary_of(set.series[i].key_id, set.series[i].samples, set.series[i].n);
	if (kind == 0)
		chunk_encode(b->coder, set.samples, set.points, &b->row);
	else if (kind == 1)
		bundle_encode(b->coder, set.series, set.n, &b->row);
	else if (kind == 2)
		preview_encode(b->coder, set.samples, set.points, &b->row);
	else
		summary_encode(b->coder, summaries, set.n, &b->row);
	free(set.samples);
}

static void
damaged_rows_are_refused(void **state)
{
	struct bench *b = *state;

	for (unsigned kind = 0; kind < 4; kind++) {
		encode_kind(b, kind);
		for (unsigned other = 0; other < 4; other++)
			assert_true(decodes(b, other, b->row.data, b->row.len) == (other == kind));
		for (size_t bit = 0; bit < b->row.len * 8; bit++) {
			b->row.data[bit / 8] ^= (char)(1 << bit % 8);
			assert_false(decodes(b, kind, b->row.data, b->row.len));
			b->row.data[bit / 8] ^= (char)(1 << bit % 8);
		}
		for (size_t len = 0; len < b->row.len; len++)
			assert_false(decodes(b, kind, b->row.data, len));
		b->row.data[0]++;
		seal(b->row.data, b->row.len);
		assert_false(decodes(b, kind, b->row.data, b->row.len));
	}
}

/* The checksum made right again: the decoders alone stand between the bytes and the memory. */
static void
any_bytes_with_a_right_checksum_do_no_harm(void **state)
{
	struct bench *b = *state;

	for (unsigned round = 0; round < 20000; round++) {
		size_t changes = 1 + below(4), len;

		encode_kind(b, round % 4);
		for (size_t i = 0; i < changes; i++)
			b->row.data[HEADER + below(b->row.len - HEADER)] = (char)random_bits();
		len = below(4) == 0 ? HEADER + below(b->row.len - HEADER) : b->row.len;
		seal(b->row.data, len);
		(void)decodes(b, round % 4, b->row.data, len);
	}
}

static void
what_follows_a_row_is_damage(void **state)
{
	struct bench *b = *state;

	for (unsigned kind = 0; kind < 4; kind++) {
		encode_kind(b, kind);
		buf_char(&b->row, '\0');
		seal(b->row.data, b->row.len);
		assert_false(decodes(b, kind, b->row.data, b->row.len));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_chunk_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(values_of_mixed_sorts_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_chunk_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(extremes_of_int64_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_almost_is_decimal_comes_back_bit_for_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(every_nan_is_written_in_one_form, setup, teardown),
		cmocka_unit_test_setup_teardown(regular_chunks_are_small, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_decoder_gave_out_may_be_encoded, setup, teardown),
		cmocka_unit_test_setup_teardown(any_bundle_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_bundle_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_series_may_be_in_a_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(no_wanted_key_gives_no_series, setup, teardown),
		cmocka_unit_test_setup_teardown(
			steps_and_times_of_a_bundle_stand_there_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_preview_is_what_its_samples_say, setup, teardown),
		cmocka_unit_test_setup_teardown(a_preview_is_a_kilobyte, setup, teardown),
		cmocka_unit_test_setup_teardown(joined_previews_are_the_preview_of_both, setup, teardown),
		cmocka_unit_test_setup_teardown(of_equal_extremes_the_earliest_stands, setup, teardown),
		cmocka_unit_test_setup_teardown(summaries_of_any_series_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(summaries_of_any_numbers_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(summaries_of_common_series_are_small, setup, teardown),
		cmocka_unit_test_setup_teardown(the_bytes_of_version_1_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_rows_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(any_bytes_with_a_right_checksum_do_no_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(what_follows_a_row_is_damage, setup, teardown),
	};

	if (!hash_setup())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
