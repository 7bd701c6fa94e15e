/*
 * Numbers of JSON text, exactly: a double is the one that strtod() gives, bit for bit. Most come from one multiplication
 * (Clinger: up to 53 bits and a power of ten up to 10^22; with 64-bit long doubles up to 19 digits and 10^27); what these cannot
 * decide goes to strtod. Locale C.
 */
#ifndef INGEST_NUMBER_H
#define INGEST_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number {
	const char *text; /* borrowed */
	size_t len;
	uint64_t mantissa; /* its first digits as one integer */
	int64_t exponent;  /* of ten */
	bool negative;
	bool integer; /* neither point nor exponent */
	bool exact;   /* the mantissa holds all digits */
};

/* Read one number of JSON's grammar at p; what follows it, or NULL when there is none. */
const char *number_read(const char *p, const char *end, struct number *out);

/* False: too large for a double (too small is 0). */
bool number_double(const struct number *n, double *out);
/* 5, 5.0 and 5e0 are integers; false: it is none, or outside of int64. */
bool number_int64(const struct number *n, int64_t *out);

#endif
