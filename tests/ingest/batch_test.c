/* What libcairn's writer makes, the server's reader reads; what is damaged is refused with a sentence. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"
#include "ingest/batch.h"
#include "wire/metrics.h"
#include <cmocka.h>

struct bench {
	struct ctx cx;
	struct buf body;
};

static int
setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	ctx_init(&b->cx, arena_new(), NULL);
	buf_init(&b->body, 64u << 20);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	arena_free(b->cx.arena);
	buf_fini(&b->body);
	free(b);
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct wire_point *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order == 0)
		order = (x->step > y->step) - (x->step < y->step);
	return order != 0 ? order : (x->time_unix_ms > y->time_unix_ms) - (x->time_unix_ms < y->time_unix_ms);
}

static struct wire_point *
sorted(const struct point *points, size_t n)
{
	struct wire_point *out = mem_array(n + 1, sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = (struct wire_point){ points[i].key, points[i].value, points[i].time_unix_ms,
			points[i].step };
	qsort(out, n, sizeof(*out), by_key);
	return out;
}

/* Written, read, and compared without regard to order; how many bytes it took. */
static size_t
comes_back(struct bench *b, struct wire_point *points, size_t n)
{
	struct metric_batch got;
	struct wire_point *back;

	buf_clear(&b->body);
	arena_reset(b->cx.arena);
	wire_metrics_write(&b->body, points, n);
	assert_false(b->body.overflow);
	assert_int_equal(batch_read(&b->cx, b->body.data, b->body.len, &got), OK);
	assert_int_equal(got.n, n);
	back = sorted(got.points, n);
	qsort(points, n, sizeof(*points), by_key);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(back[i].key, points[i].key);
		assert_memory_equal(&back[i].value, &points[i].value, sizeof(double));
		assert_true(back[i].step == points[i].step && back[i].time_unix_ms == points[i].time_unix_ms);
	}
	free(back);
	return b->body.len;
}

static void
series_and_moments_come_back(void **state)
{
	static const char *const keys[] = { "loss",
		"gr\xc3\xb6\xc3\x9f"
		"e",
		"a/b" };
	struct wire_point points[3000];
	size_t n = 0;

	for (int64_t i = 0; i < 1000; i++)
		for (size_t k = 0; k < 3; k++)
			points[n++] = (struct wire_point){ keys[k], (double)i / 7,
				1700000000000 + i * 1000 + (int64_t)k, i };
	assert_in_range(comes_back(*state, points, n), 3000 * 10, 3000 * 11);
	comes_back(*state, points, 1);
	comes_back(*state, points, 2);
	comes_back(*state, points, 0);
}

static void
many_keys_of_one_moment_take_little_more_than_their_names(void **state)
{
	static char names[10000][8];
	static struct wire_point points[10000];

	for (int i = 0; i < 10000; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "k%d", i);
		points[i] = (struct wire_point){ names[i], i, 1700000000000, 5 };
	}
	assert_in_range(comes_back(*state, points, 10000), 10000 * 14, 10000 * 17);
}

static void
extreme_numbers_come_back(void **state)
{
	static const double values[] = { -0.0, 5e-324, 1.7976931348623157e308, (double)INFINITY,
		-(double)INFINITY, (double)NAN };
	static const int64_t numbers[] = { INT64_MIN, INT64_MAX, 0, -1, INT64_MAX, INT64_MIN };
	struct wire_point points[36];
	size_t n = 0;

	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 6; k++)
			points[n++] = (struct wire_point){ "x", values[(i + k) % 6], numbers[k],
				numbers[i] ^ (int64_t)(i * 7) };
	comes_back(*state, points, n);
}

static void
every_nan_becomes_the_same(void **state)
{
	struct bench *b = *state;
	struct wire_point p = { "x", 0, 1, 1 };
	uint64_t odd = UINT64_C(0xfff0000000000001), want = UINT64_C(0x7ff8000000000000);
	struct metric_batch got;

	memcpy(&p.value, &odd, sizeof(odd));
	wire_metrics_write(&b->body, &p, 1);
	memcpy(b->body.data + b->body.len - 8, &odd, sizeof(odd));
	assert_int_equal(batch_read(&b->cx, b->body.data, b->body.len, &got), OK);
	assert_memory_equal(&got.points[0].value, &want, sizeof(want));
}

static void
no_damage_goes_unseen_by_the_reader(void **state)
{
	struct bench *b = *state;
	struct wire_point points[40];
	struct metric_batch got;

	for (int i = 0; i < 40; i++)
		points[i] = (struct wire_point){ i % 2 == 0 ? "even" : "odd", i, i * 10, i };
	wire_metrics_write(&b->body, points, 40);
	for (size_t len = 0; len < b->body.len; len++) {
		char *cut = malloc(len + 1); /* of that length alone, so that a sanitizer sees who reads on */

		memcpy(cut, b->body.data, len);
		assert_int_equal(batch_read(&b->cx, cut, len, &got), BAD_REQUEST);
		assert_true(b->cx.message[0] != '\0');
		free(cut);
	}
	for (size_t at = 0; at < b->body.len; at++) {
		char was = b->body.data[at];

		for (int bit = 0; bit < 8; bit++) {
			b->body.data[at] = (char)(was ^ 1 << bit);
			if (batch_read(&b->cx, b->body.data, b->body.len, &got) == OK)
				assert_int_equal(got.n, 40);
		}
		b->body.data[at] = was;
	}
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(series_and_moments_come_back),
		CASE(many_keys_of_one_moment_take_little_more_than_their_names),
		CASE(extreme_numbers_come_back),
		CASE(every_nan_becomes_the_same),
		CASE(no_damage_goes_unseen_by_the_reader),
	};

	return hash_setup() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
