#include "ingest/number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DIGITS_MOST   19 /* always fit 64 bits */
#define EXPONENT_MOST 100000

static bool
is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *
read_digits(const char *p, const char *end, struct number *n, int64_t *dropped)
{
	for (; is_digit(p, end); p++) {
		if (n->mantissa >= UINT64_C(1000000000000000000)) {
			n->exact = n->exact && *p == '0';
			++*dropped;
		} else {
			n->mantissa = n->mantissa * 10 + (uint64_t)(*p - '0');
		}
	}
	return p;
}

static const char *
read_fraction(const char *p, const char *end, struct number *n)
{
	const char *from = p + 1;
	int64_t dropped = 0;

	if (!is_digit(from, end))
		return NULL;
	p = read_digits(from, end, n, &dropped);
	n->exponent -= (p - from) - dropped;
	n->integer = false;
	return p;
}

static const char *
read_exponent(const char *p, const char *end, struct number *n)
{
	int64_t exponent = 0;
	bool negative;

	p++;
	negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (!is_digit(p, end))
		return NULL;
	for (; is_digit(p, end); p++)
		if (exponent < EXPONENT_MOST)
			exponent = exponent * 10 + (*p - '0');
	n->exponent += negative ? -exponent : exponent;
	n->integer = false;
	return p;
}

const char *
number_read(const char *p, const char *end, struct number *n)
{
	const char *text = p;

	*n = (struct number){ .text = text, .integer = true, .exact = true };
	n->negative = p < end && *p == '-';
	p += n->negative;
	if (!is_digit(p, end))
		return NULL;
	if (*p == '0')
		p++;
	else
		p = read_digits(p, end, n, &n->exponent);
	if (p < end && *p == '.')
		p = read_fraction(p, end, n);
	if (p != NULL && p < end && (*p == 'e' || *p == 'E'))
		p = read_exponent(p, end, n);
	if (p != NULL)
		n->len = (size_t)(p - text);
	return p;
}

/* ---- doubles ---- */

static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
	1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

#if LDBL_MANT_DIG == 64
static const long double long_tens[] = { 1e0L, 1e1L, 1e2L, 1e3L, 1e4L, 1e5L, 1e6L, 1e7L, 1e8L, 1e9L, 1e10L,
	1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L, 1e24L,
	1e25L, 1e26L, 1e27L };

/*
 * Mantissa and power are exact, so the result is off by half of its 64th bit at most. Rounding that to 53 bits is right
 * unless the eleven bits that go are next to one half.
 */
static bool
try_long(uint64_t mantissa, int64_t exponent, double *out)
{
	long double x = (long double)mantissa;
	uint64_t bits;

	if (exponent < -27 || exponent > 27)
		return false;
	x = exponent < 0 ? x / long_tens[-exponent] : x * long_tens[exponent];
	memcpy(&bits, &x, sizeof(bits));
	bits &= 0x7ff;
	*out = (double)x;
	return bits < 0x3ff || bits > 0x401;
}
#else
static bool
try_long(uint64_t mantissa, int64_t exponent, double *out)
{
	(void)mantissa, (void)exponent, (void)out;
	return false;
}
#endif

static bool
try_short(uint64_t mantissa, int64_t exponent, double *out)
{
	if (mantissa > UINT64_C(1) << 53 || exponent < -22 || exponent > 22)
		return false;
	*out = exponent < 0 ? (double)mantissa / tens[-exponent] : (double)mantissa * tens[exponent];
	return true;
}

static double
by_strtod(const struct number *n)
{
	char small[64], *text = n->len < sizeof(small) ? small : mem_alloc(n->len + 1);
	double v;

	memcpy(text, n->text, n->len);
	text[n->len] = '\0';
	v = strtod(text, NULL);
	if (text != small)
		free(text);
	return v;
}

bool
number_double(const struct number *n, double *out)
{
	if (n->mantissa == 0) {
		*out = n->negative ? -0.0 : 0.0;
		return true;
	}
	if (n->exact &&
		(try_short(n->mantissa, n->exponent, out) || try_long(n->mantissa, n->exponent, out))) {
		*out = n->negative ? -*out : *out;
		return true;
	}
	*out = by_strtod(n);
	return isfinite(*out);
}

bool
number_int64(const struct number *n, int64_t *out)
{
	uint64_t most = (uint64_t)INT64_MAX + n->negative;
	double v;

	if (n->integer && n->exponent == 0) {
		if (n->mantissa > most)
			return false;
		*out = (int64_t)(n->negative ? 0 - n->mantissa : n->mantissa);
		return true;
	}
	if (n->integer || !number_double(n, &v) || v != floor(v) || v < -0x1p63 || v >= 0x1p63)
		return false;
	*out = (int64_t)v;
	return true;
}
