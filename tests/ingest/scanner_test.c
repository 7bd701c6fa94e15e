#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ingest/scanner.h"
#include <cmocka.h>

struct desk {
	struct ctx cx;
	struct scanned_batch batch;
};

static int
setup(void **state)
{
	struct desk *d = mem_alloc(sizeof(*d));

	ctx_init(&d->cx, arena_new(), NULL);
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct desk *d = *state;

	arena_free(d->cx.arena);
	free(d);
	return 0;
}

/* From a block of exactly its size, so that a step beyond the end is seen. */
static enum status
scan(struct desk *d, bool whole_batch, const char *body, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);
	enum status st;

	memcpy(exact, body, len);
	d->cx.message[0] = '\0';
	st = whole_batch ? scan_log_batch(&d->cx, exact, len, &d->batch)
			 : scan_log_metric(&d->cx, exact, len, &d->batch);
	free(exact);
	return st;
}

static void
reads(struct desk *d, bool whole_batch, const char *body)
{
	enum status st = scan(d, whole_batch, body, strlen(body));

	if (st != OK)
		print_error("%s: %s\n", body, d->cx.message);
	assert_int_equal(st, OK);
}

static void
refuses(struct desk *d, bool whole_batch, const char *body, enum status want, const char *part)
{
	enum status st = scan(d, whole_batch, body, strlen(body));

	if (st != want || strstr(d->cx.message, part) == NULL)
		print_error("%s: status %d, \"%s\" without \"%s\"\n", body, (int)st, d->cx.message, part);
	assert_int_equal(st, want);
	assert_non_null(strstr(d->cx.message, part));
}

#define POINT "\"key\":\"k\",\"value\":1,\"timestamp\":2"

static void
a_metric_is_read_in_any_order(void **state)
{
	struct desk *d = *state;

	reads(d, false,
		"{\"step\":-7,\"timestamp\":1700000000123,\"extra\":{\"a\":[1,{}]},\"value\":0.25,\"run_"
		"uuid\":\"u\",\"key\":\"loss\"}");
	assert_string_equal(d->batch.run_id, "u");
	assert_int_equal(d->batch.n, 1);
	assert_string_equal(d->batch.points[0].key, "loss");
	assert_true(d->batch.points[0].value == 0.25);
	assert_true(d->batch.points[0].time_unix_ms == 1700000000123);
	assert_true(d->batch.points[0].step == -7);
	assert_null(d->batch.models);
}

static void
a_batch_is_read_whole(void **state)
{
	struct desk *d = *state;

	reads(d, true,
		" { \"tags\" : [ {\"value\":\"v\",\"key\":\"t\"} ], \"metrics\" : [ {" POINT "} , {" POINT
		",\"step\":\"9\",\"model_id\":\"m-1\",\"datasetName\":\"d\"} "
		"],\n\"params\":[{\"key\":\"p\"}],\"run_id\":\"r\" } ");
	assert_string_equal(d->batch.run_id, "r");
	assert_int_equal(d->batch.n, 2);
	assert_true(d->batch.points[0].step == 0);
	assert_true(d->batch.points[1].step == 9);
	assert_non_null(d->batch.models);
	assert_null(d->batch.models[0].model_id);
	assert_string_equal(d->batch.models[1].model_id, "m-1");
	assert_string_equal(d->batch.models[1].dataset_name, "d");
	assert_null(d->batch.models[1].dataset_digest);
	assert_int_equal(d->batch.param_count, 1);
	assert_string_equal(d->batch.params[0].value, "");
	assert_int_equal(d->batch.tag_count, 1);
	assert_string_equal(d->batch.tags[0].key, "t");
	assert_string_equal(d->batch.tags[0].value, "v");
}

static void
a_batch_of_nothing_is_fine(void **state)
{
	struct desk *d = *state;

	reads(d, true, "{\"run_id\":\"r\"}");
	assert_int_equal(d->batch.n, 0);
	reads(d, true, "{\"run_id\":\"r\",\"metrics\":null,\"params\":[],\"tags\":null}");
	assert_int_equal(d->batch.param_count, 0);
}

static void
numbers_come_as_numbers_or_text(void **state)
{
	struct desk *d = *state;

	reads(d, false,
		"{\"runId\":\"r\",\"key\":\"k\",\"value\":\"NaN\",\"timestamp\":\"12\",\"step\":\"-"
		"9223372036854775808\"}");
	assert_true(isnan(d->batch.points[0].value));
	assert_true(d->batch.points[0].time_unix_ms == 12);
	assert_true(d->batch.points[0].step == INT64_MIN);
	reads(d, false,
		"{\"run_id\":\"r\",\"key\":\"k\",\"value\":\"nan\",\"timestamp\":1e3,\"step\":"
		"9223372036854775807}");
	assert_true(isnan(d->batch.points[0].value));
	assert_true(d->batch.points[0].time_unix_ms == 1000);
	assert_true(d->batch.points[0].step == INT64_MAX);
	reads(d, false, "{\"run_id\":\"r\",\"key\":\"k\",\"value\":\"-Infinity\",\"timestamp\":0}");
	assert_true(d->batch.points[0].value == -(double)INFINITY);
	reads(d, false, "{\"run_id\":\"r\",\"key\":\"k\",\"value\":\"Infinity\",\"timestamp\":0}");
	assert_true(d->batch.points[0].value == (double)INFINITY);
	reads(d, false, "{\"run_id\":\"r\",\"key\":\"k\",\"value\":\"1.5\",\"timestamp\":0,\"step\":null}");
	assert_true(d->batch.points[0].value == 1.5);
	reads(d, false, "{\"run_id\":\"r\",\"key\":\"k\",\"value\":-0.0,\"timestamp\":0}");
	assert_true(signbit(d->batch.points[0].value));
}

static void
text_is_decoded(void **state)
{
	struct desk *d = *state;

	reads(d, true,
		"{\"run_id\":\"r\",\"tags\":[{\"k\\u0065y\":\"a\\n\\\"\\\\\\/"
		"\\u00e9\\ud83d\\ude00\",\"value\":\"caf\xc3\xa9 \xf0\x9f\x98\x80\"}]}");
	assert_string_equal(d->batch.tags[0].key, "a\n\"\\/\xc3\xa9\xf0\x9f\x98\x80");
	assert_string_equal(d->batch.tags[0].value, "caf\xc3\xa9 \xf0\x9f\x98\x80");
}

static void
a_body_in_a_string_is_unwrapped(void **state)
{
	struct desk *d = *state;

	reads(d, false,
		"\"{\\\"run_id\\\":\\\"r\\\",\\\"key\\\":\\\"k\\\",\\\"value\\\":1,\\\"timestamp\\\":2}\"");
	assert_string_equal(d->batch.points[0].key, "k");
	refuses(d, false, "\"\\\"{}\\\"\"", BAD_REQUEST, "JSON object");
}

static void
what_is_missing_is_named(void **state)
{
	struct desk *d = *state;
	static const struct {
		const char *body, *missing;
	} batch[] = {
		{ "", "'run_id'" },
		{ "{}", "'run_id'" },
		{ "{\"run_id\":\"\"}", "'run_id'" },
		{ "{\"metrics\":[{}]}", "'run_id'" },
		{ "{\"run_id\":\"r\",\"metrics\":[{" POINT "},{\"value\":1,\"timestamp\":2}]}",
			"'metrics[1].key'" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"key\":\"\",\"value\":1,\"timestamp\":2}]}",
			"'metrics[0].key'" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"key\":\"k\",\"value\":null,\"timestamp\":2}]}",
			"'metrics[0].value'" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"key\":\"k\",\"value\":1}]}", "'metrics[0].timestamp'" },
		{ "{\"run_id\":\"r\",\"params\":[{\"value\":\"v\"}]}", "'params[0].key'" },
		{ "{\"tags\":[{}],\"params\":[{}],\"run_id\":\"r\"}", "'params[0].key'" },
		{ "{\"tags\":[{\"key\":\"a\"},{}],\"run_id\":\"r\"}", "'tags[1].key'" },
	};
	char want[128];

	for (size_t i = 0; i < sizeof(batch) / sizeof(*batch); i++) {
		(void)snprintf(
			want, sizeof(want), "Missing value for required parameter %s.", batch[i].missing);
		refuses(d, true, batch[i].body, INVALID, want);
	}
	refuses(d, false, "{" POINT "}", INVALID, "parameter 'run_id'.");
	refuses(d, false, "{\"run_id\":\"r\",\"value\":1}", INVALID, "parameter 'key'.");
	refuses(d, false, "{\"run_id\":\"r\",\"key\":\"k\"}", INVALID, "parameter 'value'.");
	refuses(d, false, "{\"run_id\":\"r\",\"key\":\"k\",\"value\":1}", INVALID, "parameter 'timestamp'.");
}

static void
wrong_types_are_named(void **state)
{
	struct desk *d = *state;
	static const struct {
		const char *body, *part;
	} batch[] = {
		{ "{\"run_id\":5}", "Invalid value 5 for parameter 'run_id' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":\"foo\"}",
			"Invalid value \"foo\" for parameter 'metrics' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":{\"a\": [1, 2]}}",
			"Invalid value {\"a\":[1,2]} for parameter 'metrics' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[7]}",
			"Invalid value 7 for parameter 'metrics[0]' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"key\":1}]}",
			"Invalid value 1 for parameter 'metrics[0].key' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"value\":true}]}",
			"Invalid value true for parameter 'metrics[0].value' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"value\":\"abc\"}]}",
			"Invalid value \"abc\" for parameter 'metrics[0].value' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"value\":1e309}]}",
			"Invalid value 1e309 for parameter 'metrics[0].value' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"timestamp\":1.5}]}",
			"Invalid value 1.5 for parameter 'metrics[0].timestamp' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"step\":9223372036854775808}]}",
			"Invalid value 9223372036854775808 for parameter 'metrics[0].step' supplied" },
		{ "{\"run_id\":\"r\",\"metrics\":[{\"step\":\"1x\"}]}",
			"Invalid value \"1x\" for parameter 'metrics[0].step' supplied" },
		{ "{\"run_id\":\"r\",\"params\":[{\"key\":\"k\",\"value\":1}]}",
			"Invalid value 1 for parameter 'params[0].value' supplied" },
		{ "{\"run_id\":\"r\",\"tags\":[[]]}", "Invalid value [] for parameter 'tags[0]' supplied" },
	};

	for (size_t i = 0; i < sizeof(batch) / sizeof(*batch); i++)
		refuses(d, true, batch[i].body, INVALID, batch[i].part);
}

static void
the_same_member_twice_is_refused(void **state)
{
	struct desk *d = *state;

	refuses(d, false, "{\"run_id\":\"a\",\"run_id\":\"b\"," POINT "}", INVALID,
		"'run_id' more than once");
	refuses(d, false, "{\"run_id\":\"a\",\"runId\":\"b\"," POINT "}", INVALID, "'run_id' more than once");
	refuses(d, true, "{\"run_id\":\"a\",\"metrics\":[{" POINT ",\"k\\u0065y\":\"x\"}]}", INVALID,
		"'metrics[0].key' more than once");
	refuses(d, true, "{\"run_id\":\"a\",\"metrics\":[],\"metrics\":[]}", INVALID,
		"'metrics' more than once");
	reads(d, false, "{\"run_id\":\"a\",\"run_uuid\":\"a\",\"x\":1,\"x\":2," POINT "}");
}

static void
broken_json_says_where(void **state)
{
	struct desk *d = *state;
	static const char *const bodies[] = { "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
		"{a:1}", "{,}", "[1,]", "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}", "{\"a\":01}",
		"{\"a\":tru}", "{\"a\":nul}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":\"x}",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u00zz\"}", "{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\\ud800\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\\\xff\"}", "{} x", "{}{}", "1",
		"true", "[]", "\"abc", "\"\"x", "\xef\xbb\xbf{}", "{\"a\":-}", "{\"a\":1.}", "{\"a\":.5}",
		"{\"a\":\"\\" };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		refuses(d, true, bodies[i], BAD_REQUEST, "JSON");
	refuses(d, true, "{\n \"a\": 1,\n \"b\" 2}", BAD_REQUEST, "line 3, column 6");
	assert_int_equal(scan(d, true, "{\"a\":\"x\0y\"}", 11), BAD_REQUEST);
	assert_int_equal(scan(d, true, "{}\0", 3), BAD_REQUEST);
}

static void
depth_is_bounded(void **state)
{
	struct desk *d = *state;
	char body[400] = "{\"run_id\":\"r\",\"x\":";
	size_t head = strlen(body);

	for (int deep = 60; deep < 70; deep++) {
		memset(body + head, '[', (size_t)deep);
		memset(body + head + deep, ']', (size_t)deep);
		memcpy(body + head + 2 * deep, "}", 2);
		if (deep < 64)
			reads(d, true, body);
		else
			refuses(d, true, body, BAD_REQUEST, "more than 64 levels");
	}
}

static void
every_cut_of_a_body_is_refused(void **state)
{
	struct desk *d = *state;
	static const char body[] =
		"{\"run_id\":\"r\\u00e9\",\"metrics\":[{\"key\":\"k\xc3\xa9\",\"value\":-1.5e-3,"
		"\"timestamp\":\"12\",\"step\":3}],"
		"\"params\":[{\"key\":\"a\",\"value\":\"b\"}],\"tags\":[],\"other\":[true,false,null,{}]}";

	reads(d, true, body);
	for (size_t len = 1; len < sizeof(body) - 1; len++)
		assert_int_equal(scan(d, true, body, len), BAD_REQUEST);
}

static char *
many(const char *list, size_t n)
{
	struct buf b;

	buf_init(&b, 16u << 20);
	buf_printf(&b, "{\"run_id\":\"r\",\"%s\":[", list);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s{\"key\":\"k%zu\",\"value\":%s%zu%s,\"timestamp\":%zu,\"step\":%zu}",
			i > 0 ? "," : "", i, list[0] == 'm' ? "" : "\"", i, list[0] == 'm' ? "" : "\"", i, i);
	buf_str(&b, "]}");
	return b.data;
}

static void
many_points_keep_their_order(void **state)
{
	struct desk *d = *state;
	char *body = many("metrics", 5000), key[16];

	reads(d, true, body);
	assert_int_equal(d->batch.n, 5000);
	for (size_t i = 0; i < 5000; i++) {
		(void)snprintf(key, sizeof(key), "k%zu", i);
		assert_string_equal(d->batch.points[i].key, key);
		assert_true(d->batch.points[i].value == (double)i);
		assert_true(d->batch.points[i].step == (int64_t)i);
	}
	free(body);
}

static void
a_model_that_comes_late_has_its_place(void **state)
{
	struct desk *d = *state;
	struct buf b;

	buf_init(&b, 1u << 20);
	buf_str(&b, "{\"run_id\":\"r\",\"metrics\":[");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%s{" POINT "%s}", i > 0 ? "," : "",
			i == 40 || i == 99 ? ",\"model_id\":\"m\"" : "");
	buf_str(&b, "]}");
	reads(d, true, b.data);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(d->batch.models[i].model_id != NULL, i == 40 || i == 99);
	buf_fini(&b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_metric_is_read_in_any_order),
		T(a_batch_is_read_whole),
		T(a_batch_of_nothing_is_fine),
		T(numbers_come_as_numbers_or_text),
		T(text_is_decoded),
		T(a_body_in_a_string_is_unwrapped),
		T(what_is_missing_is_named),
		T(wrong_types_are_named),
		T(the_same_member_twice_is_refused),
		T(broken_json_says_where),
		T(depth_is_bounded),
		T(every_cut_of_a_body_is_refused),
		T(many_points_keep_their_order),
		T(a_model_that_comes_late_has_its_place),
	};

	if (!hash_setup())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
