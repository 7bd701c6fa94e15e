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
#include "ingest/codec.h"
#include <cmocka.h>

struct bench {
	struct codec *codec;
	struct buf row;
};

static int
setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->codec = codec_new();
	buf_init(&b->row, 64u << 20);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	codec_free(b->codec);
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

static int64_t
any_int64(void)
{
	static const int64_t odd[] = { 0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1,
		1700000000000 };

	return below(3) == 0 ? odd[below(sizeof(odd) / sizeof(*odd))] : (int64_t)random_bits();
}

static double
any_double(void)
{
	static const double odd[] = { 0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, 0.1 };
	uint64_t bits = random_bits();
	double v;

	if (below(3) == 0)
		return odd[below(sizeof(odd) / sizeof(*odd))];
	if (below(10) == 0)
		return below(3) == 0 ? (double)NAN : below(2) == 0 ? (double)INFINITY : -(double)INFINITY;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* ---- what must come back ---- */

struct numbered {
	struct tail_point point;
	size_t at;
};

static int
by_key_and_place(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->point.key_id != y->point.key_id)
		return x->point.key_id < y->point.key_id ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static struct numbered *
in_key_order(const struct tail_point *points, size_t n)
{
	struct numbered *out = mem_array(n, sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = (struct numbered){ points[i], i };
	qsort(out, n, sizeof(*out), by_key_and_place);
	return out;
}

static uint64_t
bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return isnan(v) ? UINT64_C(0x7ff8000000000000) : bits;
}

static void
assert_same(const struct tail_point *want, const struct tail_point *got, size_t n)
{
	struct numbered *x = in_key_order(want, n), *y = in_key_order(got, n);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(x[i].point.key_id, y[i].point.key_id);
		assert_true(x[i].point.step == y[i].point.step);
		assert_true(x[i].point.time_unix_ms == y[i].point.time_unix_ms);
		assert_true(bits_of(x[i].point.value) == bits_of(y[i].point.value));
	}
	free(x);
	free(y);
}

static void
assert_comes_back(struct bench *b, const struct tail_point *points, size_t n)
{
	const struct tail_point *got;
	size_t count;

	buf_clear(&b->row);
	codec_encode(b->codec, points, n, &b->row);
	assert_true(codec_decode(b->codec, b->row.data, b->row.len, &got, &count));
	assert_int_equal(count, n);
	assert_same(points, got, n);
}

/* ---- tests ---- */

static void
any_points_come_back(void **state)
{
	struct bench *b = *state;

	for (int round = 0; round < 3000; round++) {
		size_t n = below(200), keys = 1 + below(40), moments = 1 + below(20);
		struct tail_point points[200];
		int64_t times[20], steps[20];

		for (size_t i = 0; i < moments; i++) {
			times[i] = any_int64();
			steps[i] = any_int64();
		}
		for (size_t i = 0; i < n; i++) {
			size_t moment = below(moments);
			bool shared = below(4) != 0;

			points[i] = (struct tail_point){ .step = shared ? steps[moment] : any_int64(),
				.time_unix_ms = shared ? times[moment] : any_int64(),
				.value = any_double(),
				.key_id = below(50) == 0 ? INT32_MAX : 1 + (int32_t)below(keys) };
		}
		assert_comes_back(b, points, n);
	}
}

static void
no_points_are_a_row_too(void **state)
{
	assert_comes_back(*state, NULL, 0);
}

static void
ten_thousand_keys_at_one_step_come_back(void **state)
{
	struct bench *b = *state;
	size_t n = 10000;
	struct tail_point *points = mem_array(n, sizeof(*points));

	for (size_t i = 0; i < n; i++)
		points[i] = (struct tail_point){ 7, 1700000000000, any_double(), (int32_t)(i + 1) };
	assert_comes_back(b, points, n);
	assert_true(b->row.len < n * 10); /* step and time stand there once */
	free(points);
}

static void
extremes_of_int64_come_back(void **state)
{
	const struct tail_point points[] = {
		{ INT64_MIN, INT64_MAX, -0.0, 1 },
		{ INT64_MAX, INT64_MIN, (double)NAN, 1 },
		{ INT64_MIN, INT64_MIN, (double)INFINITY, 1 },
		{ INT64_MAX, INT64_MAX, -(double)INFINITY, INT32_MAX },
		{ 0, -1, 0.0, 1 },
	};

	assert_comes_back(*state, points, sizeof(points) / sizeof(*points));
}

static void
every_nan_is_written_in_one_form(void **state)
{
	struct bench *b = *state;
	uint64_t odd = UINT64_C(0xfff8000000001234);
	struct tail_point points[] = { { 1, 2, 0, 3 }, { 1, 2, (double)NAN, 3 } };
	char *first;
	size_t len;

	memcpy(&points[0].value, &odd, sizeof(odd));
	codec_encode(b->codec, &points[0], 1, &b->row);
	len = b->row.len;
	first = mem_alloc(len);
	memcpy(first, b->row.data, len);
	buf_clear(&b->row);
	codec_encode(b->codec, &points[1], 1, &b->row);
	assert_int_equal(b->row.len, len);
	assert_memory_equal(b->row.data, first, len);
	free(first);
}

static void
regular_series_are_small(void **state)
{
	struct bench *b = *state;
	struct tail_point points[1000];

	for (size_t i = 0; i < 1000; i++)
		points[i] = (struct tail_point){ (int64_t)i / 10, 1700000000000 + 1000 * ((int64_t)i / 10),
			(double)(float)(1.0 / (double)(i + 1)), (int32_t)(i % 10) + 1 };
	assert_comes_back(b, points, 1000);
	assert_int_equal(b->row.data[1], 1); /* zstd */
	assert_true(b->row.len < 8000);
	assert_comes_back(b, points, 10);
	assert_int_equal(b->row.data[1], 0);
	assert_true(b->row.len < 130);
}

/* Whatever the bytes: no crash, and with a checksum that does not fit no points. */
static void
damaged_rows_are_refused(void **state)
{
	struct bench *b = *state;
	struct tail_point points[120];
	const struct tail_point *got;
	size_t count;

	for (size_t i = 0; i < 120; i++)
		points[i] =
			(struct tail_point){ (int64_t)i, (int64_t)i * 1000, (double)i, 1 + (int32_t)(i % 7) };
	for (size_t n = 1; n <= 120; n += 17) {
		buf_clear(&b->row);
		codec_encode(b->codec, points, n, &b->row);
		for (size_t bit = 0; bit < b->row.len * 8; bit++) {
			b->row.data[bit / 8] ^= (char)(1 << bit % 8);
			assert_false(codec_decode(b->codec, b->row.data, b->row.len, &got, &count));
			b->row.data[bit / 8] ^= (char)(1 << bit % 8);
		}
		for (size_t len = 0; len < b->row.len; len++)
			assert_false(codec_decode(b->codec, b->row.data, len, &got, &count));
	}
}

static void
seal(char *row, size_t len)
{
	uint32_t sum = codec_checksum(row, len);

	for (int i = 0; i < 4; i++)
		row[2 + i] = (char)(sum >> (8 * i));
}

/* The checksum made right again: the decoder alone stands between the bytes and the memory. */
static void
any_bytes_with_a_right_checksum_do_no_harm(void **state)
{
	struct bench *b = *state;
	struct tail_point points[150];
	const struct tail_point *got;
	size_t count;

	for (size_t i = 0; i < 150; i++)
		points[i] = (struct tail_point){ (int64_t)i / 3, (int64_t)i * 1000, (double)i,
			1 + (int32_t)(i % 3) };
	for (int round = 0; round < 20000; round++) {
		size_t changes = 1 + below(8), len;

		buf_clear(&b->row);
		codec_encode(b->codec, points, 1 + below(150), &b->row);
		for (size_t i = 0; i < changes; i++)
			b->row.data[below(b->row.len)] = (char)random_bits();
		len = below(4) == 0 ? CODEC_HEADER + below(b->row.len - CODEC_HEADER) : b->row.len;
		b->row.data[0] = CODEC_VERSION;
		seal(b->row.data, len);
		if (codec_decode(b->codec, b->row.data, len, &got, &count))
			for (size_t i = 0; i < count; i++)
				assert_true(got[i].key_id > 0);
	}
}

static void
another_version_is_refused(void **state)
{
	struct bench *b = *state;
	const struct tail_point point = { 1, 2, 3, 4 };
	const struct tail_point *got;
	size_t count;

	codec_encode(b->codec, &point, 1, &b->row);
	b->row.data[0] = CODEC_VERSION + 1;
	seal(b->row.data, b->row.len);
	assert_false(codec_decode(b->codec, b->row.data, b->row.len, &got, &count));
}

/* The format is stored for years: these bytes must not change under the same version. */
static void
the_bytes_of_version_1_stay(void **state)
{
	static const unsigned char by_key[] = { 0, 5, 2, 2, 2, 20, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xf0, 0, 0x3f, 0x40 };
	static const unsigned char by_step[] = { 1, 6, 8, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0,
		0, 0x3f, 0x40 };
	const struct tail_point series[] = { { 1, 10, 1.0, 5 }, { 2, 20, 2.0, 5 } };
	const struct tail_point moment[] = { { 3, 4, 1.0, 1 }, { 3, 4, 2.0, 2 } };
	struct bench *b = *state;

	assert_true(hash_setup());
	codec_encode(b->codec, series, 2, &b->row);
	assert_int_equal(b->row.len, CODEC_HEADER + sizeof(by_key));
	assert_memory_equal(b->row.data + CODEC_HEADER, by_key, sizeof(by_key));
	buf_clear(&b->row);
	codec_encode(b->codec, moment, 2, &b->row);
	assert_int_equal(b->row.len, CODEC_HEADER + sizeof(by_step));
	assert_memory_equal(b->row.data + CODEC_HEADER, by_step, sizeof(by_step));
	assert_int_equal(b->row.data[0], 1);
	assert_int_equal(b->row.data[1], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_points_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(no_points_are_a_row_too, setup, teardown),
		cmocka_unit_test_setup_teardown(ten_thousand_keys_at_one_step_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(extremes_of_int64_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(every_nan_is_written_in_one_form, setup, teardown),
		cmocka_unit_test_setup_teardown(regular_series_are_small, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_rows_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(any_bytes_with_a_right_checksum_do_no_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(another_version_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_bytes_of_version_1_stay, setup, teardown),
	};

	if (!hash_setup())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
