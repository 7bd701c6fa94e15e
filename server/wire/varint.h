/* Integers in few bytes, as they travel and as they are stored: varints, zigzag, and how numbers differ. */
#ifndef WIRE_VARINT_H
#define WIRE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_MOST 10 /* bytes */

/* 0, -1, 1, -2 … as 0, 1, 2, 3 … */
static inline uint64_t
zigzag(uint64_t v)
{
	return (v << 1) ^ (0 - (v >> 63));
}

static inline uint64_t
unzigzag(uint64_t v)
{
	return (v >> 1) ^ (0 - (v & 1));
}

/* Seven bits a byte, lowest first. Where the next byte goes. */
static inline uint8_t *
put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

/* Delta of delta: the first number as it is, the second's difference, then the change of the difference; modulo 2^64. */
struct deltas {
	uint64_t last;
	uint64_t delta;
	bool started;
};

static inline uint8_t *
put_next(uint8_t *p, struct deltas *d, int64_t number)
{
	uint64_t v = (uint64_t)number, delta = d->started ? v - d->last : 0;

	p = put_varint(p, zigzag(d->started ? delta - d->delta : v));
	*d = (struct deltas){ v, delta, true };
	return p;
}

#endif
