#include "base/unit.h"

#include <float.h>
#include <math.h>
#include "base/number_text.h"

static double
from_bits(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static void
comes_back(double v)
{
	char text[DOUBLE_TEXT];
	size_t n = double_text(text, v);
	double back = strtod(text, NULL);

	assert_int_equal(n, strlen(text));
	if (memcmp(&back, &v, sizeof(v)) != 0)
		fail_msg("%a written as %s", v, text);
	assert_non_null(strpbrk(text, ".e")); /* a real stays a real */
}

/* What printf gives with the fewest digits that come back: the nearest of the shortest. */
static int
fewest_digits(double v, char *out, size_t size)
{
	for (int digits = 1; digits < 17; digits++) {
		snprintf(out, size, "%.*e", digits - 1, v);
		if (strtod(out, NULL) == v)
			return digits;
	}
	snprintf(out, size, "%.16e", v);
	return 17;
}

/* The digits alone, without zeros at either end. */
static void
digits_of(const char *text, char out[32])
{
	size_t n = 0;

	for (; *text != '\0' && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0'))
			out[n++] = *text;
	while (n > 1 && out[n - 1] == '0')
		n--;
	out[n] = '\0';
}

static void
is_shortest(double v)
{
	char text[DOUBLE_TEXT], want[40], digits[32], want_digits[32];
	int n = fewest_digits(v, want, sizeof(want));

	double_text(text, v);
	digits_of(text, digits);
	digits_of(want, want_digits);
	/* below a power of two the interval is lopsided: what is nearest may lie outside, and what is in it be shorter */
	if ((int)strlen(digits) < n || strcmp(digits, want_digits) == 0)
		return;
	if (fabs(frexp(v, &n)) != 0.5)
		fail_msg("%a written as %s, shortest is %s", v, text, want);
}

static const double edges[] = { 1, 2, 3, 10, 0.1, 0.2, 0.3, 0.5, 1.0 / 3, 2.0 / 3, 1e15, 1e16, 1e17, 1e21,
	1e22, 1e23, 1e-4, 1e-5, 123456.0, 0.0001234, 0.00001234, 123456789012345680.0, 9007199254740991,
	9007199254740992, 9007199254740994, 4503599627370496.5, 4503599627370497.5, 2.2250738585072011e-308,
	DBL_MIN, DBL_MAX, DBL_TRUE_MIN, DBL_EPSILON, 4.35, 100, 5e-324, 1e-323, 1.5e-323, 2e-323,
	9.5367431640625e-07, 5.684341886080802e-14, 8.41e21, 2.0019531e+18, 9.409340012568248e+18,
	1.7976931348623157e+308, 4.9406564584124654e-324, 0.000123, 99999999999999.99, 9999999999999998.0,
	0.1 + 0.2, 5e22, 7.2057594037927933e16 };

static void
every_double_comes_back_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edges); i++) {
		comes_back(edges[i]);
		comes_back(-edges[i]);
	}
	for (int i = 0; i < 2000000; i++) {
		double v = from_bits(random_u64());

		if (isfinite(v))
			comes_back(v);
	}
}

static void
powers_and_their_neighbours_come_back(void **state)
{
	(void)state;
	for (int e = -1074; e < 1024; e++) {
		double v = ldexp(1, e);

		comes_back(v);
		is_shortest(v);
		is_shortest(nextafter(v, (double)INFINITY));
		if (e > -1074)
			is_shortest(nextafter(v, 0));
		comes_back(nextafter(v, 0));
	}
	for (int e = -323; e < 309; e++) {
		char text[16];

		snprintf(text, sizeof(text), "1e%d", e);
		is_shortest(strtod(text, NULL));
		comes_back(nextafter(strtod(text, NULL), 0));
		comes_back(nextafter(strtod(text, NULL), 1e308));
	}
}

static void
no_other_text_is_shorter_or_nearer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edges); i++)
		is_shortest(edges[i]);
	for (int i = 0; i < 100000; i++) {
		double v = from_bits(random_u64());

		if (isfinite(v))
			is_shortest(v);
		is_shortest((double)(float)(1.0 / (double)(i + 1)));
	}
}

static void
short_decimals_stay_as_they_were_written(void **state)
{
	char want[64], text[DOUBLE_TEXT];

	(void)state;
	for (int i = 0; i < 300000; i++) {
		int digits = 1 + (int)(random_u64() % 6);
		uint64_t scale = (uint64_t)pow(10, digits), number = random_u64() % (scale * 100);

		if (number % 10 == 0)
			continue;
		snprintf(want, sizeof(want), "%llu.%0*llu", (unsigned long long)(number / scale), digits,
			(unsigned long long)(number % scale));
		double_text(text, strtod(want, NULL));
		if (strtod(want, NULL) >= 1e-4)
			assert_string_equal(text, want);
	}
	for (int i = 1; i < 1000000; i += 7) {
		snprintf(want, sizeof(want), "%d.0", i);
		double_text(text, (double)i);
		assert_string_equal(text, want);
	}
}

static void
numbers_look_as_in_python(void **state)
{
	static const struct {
		double v;
		const char *text;
	} want[] = { { 0.1, "0.1" }, { 1, "1.0" }, { -0.0, "-0.0" }, { 0, "0.0" }, { 1e300, "1e+300" },
		{ -1.5e-300, "-1.5e-300" }, { 100, "100.0" }, { 0.1 + 0.2, "0.30000000000000004" },
		{ DBL_MAX, "1.7976931348623157e+308" }, { -DBL_MAX, "-1.7976931348623157e+308" },
		{ 5e-324, "5e-324" }, { 1e15, "1000000000000000.0" }, { 1e16, "1e+16" }, { 1e22, "1e+22" },
		{ 9999999999999998, "9999999999999998.0" },
		{ 12345678901234567890.0, "1.2345678901234567e+19" }, { 0.0001, "0.0001" },
		{ 0.00012345, "0.00012345" }, { 0.00001, "1e-05" }, { 1.25e-5, "1.25e-05" }, { -2.5, "-2.5" },
		{ 1234567.125, "1234567.125" }, { 9007199254740992, "9007199254740992.0" },
		{ 1e23, "1e+23" } };
	char text[DOUBLE_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(double_text(text, want[i].v), strlen(want[i].text));
		assert_string_equal(text, want[i].text);
	}
}

static void
integers_are_what_printf_says(void **state)
{
	static const int64_t odd[] = { 0, 1, -1, 9, 10, -10, 99, 100, 999, 1000, 9999, 10000, 99999, 100000,
		INT64_MAX, INT64_MIN, INT64_MAX - 1, 1700000000000 };
	char text[INT_TEXT], want[INT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(odd) + 200000; i++) {
		int64_t v = i < COUNT(odd) ? odd[i] : (int64_t)random_u64() >> (random_u64() % 64);

		snprintf(want, sizeof(want), "%lld", (long long)v);
		assert_int_equal(int_text(text, v), strlen(want));
		assert_string_equal(text, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(every_double_comes_back_exactly),
		unit_case(powers_and_their_neighbours_come_back),
		unit_case(no_other_text_is_shorter_or_nearer),
		unit_case(short_decimals_stay_as_they_were_written),
		unit_case(numbers_look_as_in_python),
		unit_case(integers_are_what_printf_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
