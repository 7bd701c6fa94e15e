#include "base/unit.h"

#include <math.h>
#include "base/str.h"

static void
whole_numbers_in_range_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t v;
	} good[] = { { "0", 0 }, { "-0", 0 }, { "007", 7 }, { "42", 42 }, { "-42", -42 },
		{ "9223372036854775807", INT64_MAX }, { "-9223372036854775808", INT64_MIN } };
	static const char *const bad[] = { "", "-", "--1", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "1a",
		"\t1", "1\n", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "-a",
		"\xd9\xa1", "1,000" };
	int64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(str_int64(good[i].text, &v));
		assert_true(v == good[i].v);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (str_int64(bad[i], &v))
			print_error("\"%s\" was read\n", bad[i]);
		assert_false(str_int64(bad[i], &v));
	}
}

static void
numbers_nan_and_infinities_are_read(void **state)
{
	static const struct {
		const char *text;
		double v;
	} good[] = { { "0", 0 }, { "1", 1 }, { "-1.5", -1.5 }, { "+2", 2 }, { ".5", 0.5 }, { "5.", 5 },
		{ "1e3", 1000 }, { "1E-3", 0.001 }, { "1.7976931348623157e308", 1.7976931348623157e308 },
		{ "5e-324", 5e-324 }, { "1e-999", 0 }, { "inf", (double)INFINITY },
		{ "-Infinity", -(double)INFINITY }, { "INF", (double)INFINITY } };
	static const char *const nans[] = { "nan", "NaN", "NAN", "-nan", "+NaN" };
	static const char *const bad[] = { "", " ", " 1", "1 ", "\n1", "0x10", "0X1p3", "nan(1)", "1,5", "1e",
		"e3", "--1", "infinit", "nanx", "1\n", "." };
	double v;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(str_double(good[i].text, &v));
		assert_true(v == good[i].v);
	}
	assert_true(str_double("-0", &v) && signbit(v));
	for (size_t i = 0; i < COUNT(nans); i++)
		assert_true(str_double(nans[i], &v) && isnan(v));
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (str_double(bad[i], &v))
			print_error("\"%s\" was read\n", bad[i]);
		assert_false(str_double(bad[i], &v));
	}
}

static void
text_is_compared_and_cut(void **state)
{
	char out[4];

	(void)state;
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq(NULL, ""));
	assert_true(str_eq_nocase("TrUe", "tRuE"));
	assert_false(str_eq_nocase("true", "truer"));
	assert_false(str_eq_nocase(NULL, "a"));
	assert_true(str_starts("abc", "ab") && str_starts("abc", "") && !str_starts("a", "ab"));
	assert_true(str_ends("abc", "bc") && str_ends("abc", "") && !str_ends("c", "bc"));
	assert_true(str_empty(NULL) && str_empty("") && !str_empty(" "));
	assert_true(str_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
	assert_false(str_copy(out, sizeof(out), "wxyz"));
	assert_string_equal(out, "wxy");
	assert_false(str_copy(out, 0, "no"));
	assert_string_equal(out, "wxy");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_in_range_are_read),
		cmocka_unit_test(numbers_nan_and_infinities_are_read),
		cmocka_unit_test(text_is_compared_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
