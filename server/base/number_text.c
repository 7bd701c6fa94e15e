/*
 * A double is c * 2^q; what reads back to it is the interval up to half way to its neighbours. Schubfach scales the interval by the power
 * of ten that leaves at least one and at most a few integers in it, and takes one of these: three products with 128 bits of that
 * power decide all.
 */
#include "base/number_text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

/* ---- powers of ten ---- */

#define LEAST    (-292)
#define GREATEST 324
#define LIMBS    42 /* of 32 bits: 10^324 has 1,077 bits; 2^1,300 / 10^292 still has 330 */

/* The upper 128 bits of 10^k, the highest one set; rounded up. */
struct power {
	uint64_t high, low;
};

static struct power powers[GREATEST - LEAST + 1];
static atomic_bool powers_known;

/* A large integer, lowest limb first. */
struct large {
	uint32_t limb[LIMBS];
};

static void
times_ten(struct large *v)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < LIMBS; i++) {
		carry += (uint64_t)v->limb[i] * 10;
		v->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

/* Rounded down; doing it again and again is as exact as once. */
static void
by_ten(struct large *v)
{
	uint64_t rest = 0;

	for (size_t i = LIMBS; i-- > 0;) {
		rest = rest << 32 | v->limb[i];
		v->limb[i] = (uint32_t)(rest / 10);
		rest %= 10;
	}
}

static bool
bit_of(const struct large *v, int at)
{
	return at >= 0 && (v->limb[at / 32] >> at % 32 & 1) != 0;
}

static int
highest_bit(const struct large *v)
{
	int at = LIMBS * 32 - 1;

	while (!bit_of(v, at))
		at--;
	return at;
}

/* Its upper 128 bits, plus one when something was cut off or was cut off before. */
static struct power
upper(const struct large *v, bool inexact)
{
	int top = highest_bit(v);
	struct power p = { 0 };

	for (int i = 0; i < 128; i++) {
		p.high = p.high << 1 | p.low >> 63;
		p.low = p.low << 1 | bit_of(v, top - i);
	}
	for (int i = top - 128; i >= 0 && !inexact; i--)
		inexact = bit_of(v, i);
	p.low += inexact;
	p.high += inexact && p.low == 0;
	return p;
}

static void
compute_powers(void)
{
	struct large v = { .limb = { 1 } };

	for (int k = 0; k <= GREATEST; k++, times_ten(&v))
		powers[k - LEAST] = upper(&v, false);
	v = (struct large){ .limb = { [1300 / 32] = 1u << 1300 % 32 } };
	for (int k = -1; k >= LEAST; k--) {
		by_ten(&v);
		powers[k - LEAST] = upper(&v, true);
	}
	atomic_store_explicit(&powers_known, true, memory_order_release);
}

static const struct power *
power_of_ten(int k)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!atomic_load_explicit(&powers_known, memory_order_acquire))
		pthread_once(&once, compute_powers);
	return &powers[k - LEAST];
}

/* ---- the shortest decimal ---- */

struct decimal {
	uint64_t digits;
	int exponent; /* of ten */
};

__extension__ typedef unsigned __int128 uint128;

/* floor(log2(10^e)), for |e| up to 1,233 */
static int
log2_of_power_of_ten(int e)
{
	return (e * 1741647) >> 19;
}

/* floor(log10(2^e)), or of 3/4 of it, for |e| up to 1,500 */
static int
log10_of_power_of_two(int e, bool three_quarters)
{
	return (e * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}

/* The upper 64 bits of g * v, the lowest bit set when anything but zeros (and the error of g) was cut off. */
static uint64_t
round_to_odd(const struct power *g, uint64_t v)
{
	uint128 low = (uint128)g->low * v, high = (uint128)g->high * v + (uint64_t)(low >> 64);

	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* c * 2^q; irregular: the neighbour below is only half as far as the one above. */
static struct decimal
shortest(uint64_t c, int q, bool irregular)
{
	bool odd = (c & 1) != 0; /* then the ends of the interval belong to the neighbours */
	int k = log10_of_power_of_two(q, irregular);
	int h = q + log2_of_power_of_ten(-k) + 1;
	const struct power *g = power_of_ten(-k);
	uint64_t lower = round_to_odd(g, (4 * c - 2 + irregular) << h) + odd;
	uint64_t v = round_to_odd(g, (4 * c) << h);
	uint64_t upper_end = round_to_odd(g, (4 * c + 2) << h) - odd;
	uint64_t s = v / 4, tens = s / 10;
	bool below, above;

	if (s >= 10) {
		below = lower <= 40 * tens;
		above = 40 * tens + 40 <= upper_end;
		if (below != above)
			return (struct decimal){ tens + above, k + 1 };
	}
	below = lower <= 4 * s;
	above = 4 * s + 4 <= upper_end;
	if (below != above)
		return (struct decimal){ s + above, k };
	above = v > 4 * s + 2 || (v == 4 * s + 2 && (s & 1) != 0);
	return (struct decimal){ s + above, k };
}

static inline bool
strip(struct decimal *d, uint64_t ten, int zeros)
{
	uint64_t rest = d->digits / ten;

	if (rest * ten != d->digits)
		return false;
	d->digits = rest;
	d->exponent += zeros;
	return true;
}

/* Divisors that the compiler knows are products to the processor. */
static void
strip_zeros(struct decimal *d)
{
	if (!strip(d, 10, 1))
		return;
	while (strip(d, 100000000, 8))
		;
	strip(d, 10000, 4);
	strip(d, 100, 2);
	strip(d, 10, 1);
}

#define FRACTION UINT64_C(0xfffffffffffff)
#define HIDDEN   UINT64_C(0x10000000000000)

/* Without zeros at the end. bits: of a finite double other than 0, without its sign. */
static struct decimal
to_decimal(uint64_t bits)
{
	uint64_t fraction = bits & FRACTION, c = fraction | HIDDEN;
	int exponent = (int)(bits >> 52), q = exponent - 1075;
	struct decimal d;

	if (exponent == 0)
		d = shortest(fraction, -1074, false);
	else if (q <= 0 && q >= -52 && (c & ((UINT64_C(1) << -q) - 1)) == 0)
		d = (struct decimal){ c >> -q, 0 }; /* an integer below 2^53 */
	else
		d = shortest(c, q, fraction == 0 && exponent > 1);
	strip_zeros(&d);
	return d;
}

/* ---- text ---- */

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
			    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

static size_t
count_digits(uint64_t v)
{
	static const uint64_t tens[] = { 0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
		1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
		1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
		10000000000000000000u };
	/* of its bits times log10(2) digits, or one more */
	size_t about = (size_t)(64 - __builtin_clzll(v | 1)) * 1233 >> 12;

	return about + (v >= tens[about]);
}

static void
put_pair(char *to, uint32_t v)
{
	memcpy(to, pairs + 2 * v, 2);
}

/* Two halves that do not wait for each other. */
static void
put_eight(char *to, uint32_t v)
{
	uint32_t high = v / 10000, low = v % 10000;

	put_pair(to, high / 100);
	put_pair(to + 2, high % 100);
	put_pair(to + 4, low / 100);
	put_pair(to + 6, low % 100);
}

/* The n digits of v; v has no more. */
static void
put_digits(char *to, uint64_t v, size_t n)
{
	for (; n > 8; v /= 100000000)
		put_eight(to + (n -= 8), (uint32_t)(v % 100000000));
	for (; n >= 2; v /= 100)
		put_pair(to + (n -= 2), (uint32_t)(v % 100));
	if (n > 0)
		*to = (char)('0' + v % 10);
}

size_t
int_text(char out[INT_TEXT], int64_t v)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t n = count_digits(u), sign = v < 0;

	out[0] = '-';
	put_digits(out + sign, u, n);
	out[sign + n] = '\0';
	return sign + n;
}

/* d.ddde+xx: point is where the point would stand in the digits. */
static char *
put_exponent(char *p, const struct decimal *d, size_t n, int point)
{
	int e = point - 1;
	unsigned size = (unsigned)(e < 0 ? -e : e);

	put_digits(p + 1, d->digits, n);
	p[0] = p[1];
	p[1] = '.';
	p += n > 1 ? n + 1 : 1;
	*p++ = 'e';
	*p++ = e < 0 ? '-' : '+';
	put_digits(p, size, size < 100 ? 2 : 3);
	return p + (size < 100 ? 2 : 3);
}

static char *
put_fixed(char *p, const struct decimal *d, size_t n, int point)
{
	size_t zeros, whole = (size_t)point;

	if (point <= 0) {
		zeros = (size_t)-point;
		memcpy(p, "0.000", 5);
		put_digits(p + 2 + zeros, d->digits, n);
		return p + 2 + zeros + n;
	}
	if (whole < n) {
		put_digits(p + 1, d->digits, n);
		for (size_t i = 0; i < whole; i++)
			p[i] = p[i + 1];
		p[whole] = '.';
		return p + n + 1;
	}
	put_digits(p, d->digits, n);
	memset(p + n, '0', whole - n);
	memcpy(p + whole, ".0", 2);
	return p + whole + 2;
}

size_t
double_text(char out[DOUBLE_TEXT], double v)
{
	uint64_t bits;
	char *p = out;
	struct decimal d;
	size_t n;
	int point;

	memcpy(&bits, &v, sizeof(bits));
	if (bits >> 63 != 0)
		*p++ = '-';
	bits &= UINT64_MAX >> 1;
	if (bits == 0) {
		memcpy(p, "0.0", 4);
		return (size_t)(p - out) + 3;
	}
	d = to_decimal(bits);
	n = count_digits(d.digits);
	point = (int)n + d.exponent;
	p = point > -4 && point <= 16 ? put_fixed(p, &d, n, point) : put_exponent(p, &d, n, point);
	*p = '\0';
	return (size_t)(p - out);
}
