#include <string.h>
#include "http/decode.h"
#include "cm.h"

static bool
decoded(const char *text, bool plus, const char *want)
{
	char out[128];
	size_t len;

	return decode_text(out, &len, text, strlen(text), plus) && len == strlen(want) &&
	       strcmp(out, want) == 0;
}

static bool
refused(const char *text)
{
	char out[128];
	size_t len;

	return !decode_text(out, &len, text, strlen(text), false);
}

static void
escapes_are_decoded_once(void **state)
{
	(void)state;
	assert_true(decoded("a%20b", false, "a b"));
	assert_true(decoded("%252e", false, "%2e"));
	assert_true(decoded("%C3%a9", false, "\xc3\xa9"));
	assert_true(decoded("", false, ""));
}

static void
a_plus_is_a_blank_in_queries_only(void **state)
{
	(void)state;
	assert_true(decoded("a+b%2Bc", true, "a b+c"));
	assert_true(decoded("a+b", false, "a+b"));
}

static void
bad_escapes_and_nul_and_bad_utf8_are_refused(void **state)
{
	(void)state;
	assert_true(refused("%"));
	assert_true(refused("%2"));
	assert_true(refused("%zz"));
	assert_true(refused("a%00b"));
	assert_true(refused("%ff"));
	assert_true(refused("%c0%ae"));
	assert_true(refused("%ed%a0%80"));
	assert_true(refused("\xc3"));
}

static void
a_path_is_split_before_it_is_decoded(void **state)
{
	struct arena *arena = arena_new();
	struct segment *s;
	size_t n;

	(void)state;
	assert_true(decode_path(arena, "/a%2fb/c%5c//%2e%2e", &s, &n));
	assert_int_equal(n, 4);
	assert_string_equal(s[0].text, "a/b");
	assert_true(s[0].separator);
	assert_string_equal(s[1].text, "c\\");
	assert_true(s[1].separator);
	assert_int_equal(s[2].len, 0);
	assert_string_equal(s[3].text, "..");
	assert_false(s[3].separator);
	assert_false(decode_path(arena, "/ok/%0", &s, &n));
	arena_free(arena);
}

static void
a_query_keeps_its_order_and_its_twins(void **state)
{
	struct arena *arena = arena_new();
	struct pair *p;
	size_t n;

	(void)state;
	assert_true(decode_query(arena, "a=1&&b&a=x%3Dy+z=w&%3d=", &p, &n));
	assert_int_equal(n, 4);
	assert_string_equal(p[0].name, "a");
	assert_string_equal(p[0].value, "1");
	assert_string_equal(p[1].name, "b");
	assert_string_equal(p[1].value, "");
	assert_string_equal(p[2].value, "x=y z=w");
	assert_string_equal(p[3].name, "=");
	assert_true(decode_query(arena, "", &p, &n));
	assert_int_equal(n, 0);
	assert_false(decode_query(arena, "a=%00", &p, &n));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_are_decoded_once),
		cmocka_unit_test(a_plus_is_a_blank_in_queries_only),
		cmocka_unit_test(bad_escapes_and_nul_and_bad_utf8_are_refused),
		cmocka_unit_test(a_path_is_split_before_it_is_decoded),
		cmocka_unit_test(a_query_keeps_its_order_and_its_twins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
