#include "base/unit.h"

#include "base/json.h"

static const struct json *
parsed(struct ctx *cx, const char *text)
{
	const struct json *v = NULL;

	if (json_parse(cx, text, strlen(text), &v) != OK)
		print_error("%s: %s\n", text, cx->message);
	assert_non_null(v);
	return v;
}

static void
refused(struct ctx *cx, const char *text)
{
	const struct json *v = NULL;

	cx->message[0] = '\0';
	if (json_parse(cx, text, strlen(text), &v) != BAD_REQUEST)
		print_error("accepted: %s\n", text);
	assert_null(v);
	assert_true(strlen(cx->message) > 10);
}

static char *
nested(struct ctx *cx, size_t levels, const char *open, const char *inner, const char *close)
{
	char *out = arena_alloc(cx->arena, levels * (strlen(open) + strlen(close)) + strlen(inner) + 1),
	     *p = out;

	for (size_t i = 0; i < levels; i++, p += strlen(open))
		memcpy(p, open, strlen(open));
	memcpy(p, inner, strlen(inner));
	p += strlen(inner);
	for (size_t i = 0; i < levels; i++, p += strlen(close))
		memcpy(p, close, strlen(close));
	return out;
}

static void
every_kind_of_value_is_read(void **state)
{
	struct ctx *cx = *state;
	const struct json *v = parsed(cx,
		" {\"a\":null,\"b\":true,\"c\":-7,\"d\":2.5,\"e\":\"x\\u00e9\\n\",\"f\":[1,[]],\"g\":{}} ");

	assert_int_equal(json_kind(v), JSON_KIND_OBJECT);
	assert_int_equal(json_length(v), 7);
	assert_int_equal(json_kind(json_member(v, "a")), JSON_KIND_NULL);
	assert_true(json_truth(json_member(v, "b")));
	assert_int_equal(json_int64(json_member(v, "c")), -7);
	assert_true(json_double(json_member(v, "c")) == -7.0);
	assert_true(json_double(json_member(v, "d")) == 2.5);
	assert_string_equal(json_text(json_member(v, "e")), "x\xc3\xa9\n");
	assert_int_equal(json_length(json_member(v, "f")), 2);
	assert_int_equal(json_int64(json_at(json_member(v, "f"), 0)), 1);
	assert_null(json_at(json_member(v, "f"), 2));
	assert_null(json_member(v, "h"));
	assert_null(json_member(json_member(v, "f"), "a"));
	assert_string_equal(json_name(v, 4), "e");
	assert_null(json_name(v, 7));
	assert_null(json_name(json_member(v, "f"), 0));
}

static void
a_value_of_another_kind_reads_as_nothing(void **state)
{
	struct ctx *cx = *state;
	const struct json *v = parsed(cx, "[\"1\",1,true]");

	assert_int_equal(json_int64(json_at(v, 0)), 0);
	assert_true(json_double(json_at(v, 0)) == 0);
	assert_false(json_truth(json_at(v, 1)));
	assert_null(json_text(json_at(v, 2)));
}

static void
sixty_four_levels_pass_and_one_more_does_not(void **state)
{
	struct ctx *cx = *state;

	parsed(cx, nested(cx, 64, "[", "1", "]"));
	refused(cx, nested(cx, 65, "[", "1", "]"));
	assert_non_null(strstr(cx->message, "64 levels"));
	parsed(cx, nested(cx, 64, "{\"a\":", "1", "}"));
	refused(cx, nested(cx, 65, "{\"a\":", "1", "}"));
	/* brackets in strings are no levels, nor are those that have closed */
	parsed(cx, nested(cx, 63, "[", "\"[[[[{{{{\\\"[[[[\"", "]"));
	parsed(cx, "[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],["
		   "],[],"
		   "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]"
		   ",[],"
		   "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]"
		   ",[]]");
	refused(cx, nested(cx, 100000, "[", "", "]"));
}

static void
twin_keys_are_refused(void **state)
{
	struct ctx *cx = *state;

	refused(cx, "{\"a\":1,\"a\":2}");
	refused(cx, "{\"a\":1,\"\\u0061\":2}");
	refused(cx, "[{\"x\":{\"k\":1,\"k\":1}}]");
	parsed(cx, "{\"a\":1,\"A\":2}");
}

static void
what_is_no_json_is_refused_with_its_place(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[1,]", "{\"a\" 1}", "{a:1}", "nul", "'a'", "[1] 2",
		"{}{}", "01", "1.", ".5", "+1", "0x10", "NaN", "Infinity", "-Infinity", "1e309",
		"9223372036854775808", "-9223372036854775809", "\"\\x\"", "\"\\u12\"", "\"a\nb\"",
		"\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\xff\"", "\"\xc0\x80\"",
		"\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\xef\xbb\xbf{}", "[1/*x*/]", "{\"\\u0000\":1}" };
	struct ctx *cx = *state;

	for (size_t i = 0; i < COUNT(bad); i++)
		refused(cx, bad[i]);
	refused(cx, "{\n  \"a\": 1,\n  \"b\": }");
	assert_non_null(strstr(cx->message, "line 3"));
}

static void
a_nul_byte_in_the_body_is_refused(void **state)
{
	struct ctx *cx = *state;
	const struct json *v = NULL;

	assert_int_equal(json_parse(cx, "{\"a\":\"b\0c\"}", 11, &v), BAD_REQUEST);
	assert_int_equal(json_parse(cx, "{}\0", 3, &v), BAD_REQUEST);
}

static void
numbers_keep_their_extremes(void **state)
{
	struct ctx *cx = *state;
	const struct json *v = parsed(cx, "[9223372036854775807,-9223372036854775808,0,-0,-0.0,5e-324,"
					  "1.7976931348623157e308,1e-400,1E+2,9007199254740993]");

	assert_true(json_int64(json_at(v, 0)) == INT64_MAX);
	assert_true(json_int64(json_at(v, 1)) == INT64_MIN);
	assert_int_equal(json_kind(json_at(v, 3)), JSON_KIND_INT);
	assert_int_equal(json_kind(json_at(v, 4)), JSON_KIND_REAL);
	assert_true(1 / json_double(json_at(v, 4)) < 0);
	assert_true(json_double(json_at(v, 5)) == 5e-324);
	assert_true(json_double(json_at(v, 6)) == 1.7976931348623157e308);
	assert_true(json_double(json_at(v, 7)) == 0);
	assert_true(json_double(json_at(v, 8)) == 100);
	assert_true(json_int64(json_at(v, 9)) == 9007199254740993);
}

static void
json_inside_a_json_string_is_unwrapped_once(void **state)
{
	struct ctx *cx = *state;

	assert_string_equal(json_text(json_member(parsed(cx, "\"{\\\"a\\\":\\\"b\\\"}\""), "a")), "b");
	/* twice in a string stays a string */
	assert_int_equal(json_kind(parsed(cx, "\"\\\"{}\\\"\"")), JSON_KIND_STRING);
	refused(cx, "\"no json\"");
	refused(cx, "\"{\\\"a\\\":1,\\\"a\\\":1}\"");
	refused(cx, "\"\"");
}

static void
a_dump_reads_back_the_same(void **state)
{
	static const char *const texts[] = { "{\"a\":null,\"b\":[true,false,-1,0.5,\"x\"],\"c\":{}}", "[]",
		"[[[]]]", "\"\\\"\\\\\\n\\t\\r\\u0001\"", "[9223372036854775807,1e+300,5e-324,-0.0]" };
	struct ctx *cx = *state;

	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *wrapped = arena_printf(cx->arena, "[%s]", texts[i]);
		const char *once = json_dump(cx, parsed(cx, wrapped));

		assert_string_equal(json_dump(cx, parsed(cx, once)), once);
	}
	assert_string_equal(json_dump(cx, parsed(cx, "{ \"b\" : 1 , \"a\" : [ ] }")), "{\"b\":1,\"a\":[]}");
	json_dump(cx, parsed(cx, nested(cx, 64, "[", "", "]")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(every_kind_of_value_is_read),
		unit_case(a_value_of_another_kind_reads_as_nothing),
		unit_case(sixty_four_levels_pass_and_one_more_does_not),
		unit_case(twin_keys_are_refused),
		unit_case(what_is_no_json_is_refused_with_its_place),
		unit_case(a_nul_byte_in_the_body_is_refused),
		unit_case(numbers_keep_their_extremes),
		unit_case(json_inside_a_json_string_is_unwrapped_once),
		unit_case(a_dump_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
