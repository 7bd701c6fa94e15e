#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ingest/number.h"
#include <cmocka.h>

static uint64_t seed = 1181783497276652981u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(2685821657736338717);
}

static void
assert_as_strtod(const char *text)
{
	struct number n;
	double got = 0, want = strtod(text, NULL);
	const char *end = text + strlen(text);

	if (number_read(text, end, &n) != end) {
		print_error("%s is not read whole\n", text);
		assert_true(false);
	}
	assert_int_equal(number_double(&n, &got), isfinite(want) != 0);
	if (isfinite(want) && memcmp(&got, &want, sizeof(got)) != 0) {
		print_error("%s: %a instead of %a\n", text, got, want);
		assert_true(false);
	}
}

static void
any_double_is_the_one_of_strtod(void **state)
{
	static const char *const formats[] = { "%.17g", "%.16g", "%.15g", "%.6g", "%.20e", "%.25g" };
	char text[64];

	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint64_t bits = random_bits();
		double v;

		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v))
			continue;
		(void)snprintf(text, sizeof(text), formats[i % 6], v);
		assert_as_strtod(text);
		(void)snprintf(text, sizeof(text), formats[i % 6], (double)(bits >> 11) * 0x1p-53);
		assert_as_strtod(text);
		(void)snprintf(text, sizeof(text), "%s%llu.%llue%d", i % 2 == 0 ? "" : "-",
			(unsigned long long)(random_bits() >> (random_bits() & 63)),
			(unsigned long long)(random_bits() >> (random_bits() & 63)),
			(int)(random_bits() % 80) - 40);
		assert_as_strtod(text);
	}
}

/* Halfway between two doubles, and next to it: where a rounding that is only nearly right goes wrong. */
static void
halfway_cases_are_right(void **state)
{
	char text[64];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t odd = (UINT64_C(1) << 53 | random_bits() >> 11) * 2 + 1; /* 54 bits and one more */
		int delta = (int)(random_bits() % 3) - 1;

		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)(odd + (uint64_t)delta));
		assert_as_strtod(text);
		(void)snprintf(text, sizeof(text), "%llu.5", (unsigned long long)(odd >> 2));
		assert_as_strtod(text);
		(void)snprintf(text, sizeof(text), "%llue%d", (unsigned long long)odd,
			(int)(random_bits() % 60) - 30);
		assert_as_strtod(text);
	}
}

static void
known_hard_ones_are_right(void **state)
{
	static const char *const hard[] = {
		"0", "-0", "0.0", "-0.0", "0e5", "-0e-400", "1e308", "1.7976931348623157e308",
		"1.7976931348623159e308", "1e309", "-1e309", "1e400000000000000000000",
		"1e-400000000000000000000", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
		"2.2250738585072011e-308", "9007199254740993", "9007199254740992", "9007199254740991",
		"18446744073709551615", "18446744073709551616", "1234567890123456789012345678901234567890",
		"0.000000000000000000000000000001", "100000000000000000000000000000000e-32",
		"10000000000000000000", "9999999999999999999", "99999999999999999999", "8.5e22", "1e22",
		"1e23", "123456789012345678e-18", "0.1", "0.30000000000000004", "6.02214076e23",
		"0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000001"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hard) / sizeof(*hard); i++)
		assert_as_strtod(hard[i]);
}

static bool
as_int64(const char *text, int64_t *out)
{
	struct number n;
	const char *end = text + strlen(text);

	return number_read(text, end, &n) == end && number_int64(&n, out);
}

static void
integers_are_exact_or_refused(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = { { "0", 0 }, { "-0", 0 }, { "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN }, { "5.0", 5 }, { "1e3", 1000 },
		{ "1700000000000", 1700000000000 }, { "1.7e12", 1700000000000 }, { "-3.00", -3 } };
	static const char *const bad[] = { "9223372036854775808", "-9223372036854775809",
		"18446744073709551616", "1.5", "1e19", "99999999999999999999999", "-1e300", "1e-3" };
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(as_int64(good[i].text, &v));
		assert_true(v == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(as_int64(bad[i], &v));
}

static void
what_is_no_number_of_json_is_refused(void **state)
{
	static const char *const bad[] = { "", "-", "+1", ".5", "1.", "1e", "1e+", "-e", "abc", "NaN",
		"-.5" };
	struct number n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(number_read(bad[i], bad[i] + strlen(bad[i]), &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_double_is_the_one_of_strtod),
		cmocka_unit_test(halfway_cases_are_right),
		cmocka_unit_test(known_hard_ones_are_right),
		cmocka_unit_test(integers_are_exact_or_refused),
		cmocka_unit_test(what_is_no_number_of_json_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
