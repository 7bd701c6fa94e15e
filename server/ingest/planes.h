/*
 * Many numbers in few bytes: integers as differences, doubles as decimal integers where they are any, all in planes (the lowest bytes
 * of all, then the next ones), each plane a column of its own. The bytes are in README.md. Inside ingest only.
 */
#ifndef INGEST_PLANES_H
#define INGEST_PLANES_H

#include "ingest/pack.h"

/* What a number is told from, as a zigzag difference modulo 2^64. */
enum sequence_form {
	FROM_FIRST, /* the first number */
	FROM_LAST,  /* the one before */
	FROM_TREND, /* the one before and the step before: delta of delta */
	SEQUENCE_FORMS
};

/* A sequence is a head and n - 1 codes. */
struct sequence {
	enum sequence_form form;
	uint64_t first;
	uint64_t trend; /* FROM_TREND of two and more: the first step; the first code is then 0 */
};

#define SEQUENCE_HEAD_MOST 20 /* bytes of a written head */

/* The form with the shortest codes; *bits of them, about. n is at least 1. */
struct sequence sequence_choose(const int64_t *numbers, size_t n, uint64_t *bits);
void sequence_codes(const struct sequence *s, const int64_t *numbers, size_t n, uint64_t *codes);
void sequence_numbers(const struct sequence *s, const uint64_t *codes, size_t n, int64_t *numbers);
uint8_t *put_sequence_head(uint8_t *p, const struct sequence *s, size_t n); /* without the form */
void get_sequence_head(struct reader *r, enum sequence_form form, size_t n, struct sequence *s);

/* One sequence with its form; n is the reader's to know. At most 8 * n + 64 bytes. */
uint8_t *put_sequence(struct packer *k, uint8_t *p, const int64_t *numbers, size_t n);
bool get_sequence(struct packer *k, struct reader *r, int64_t *numbers, size_t n);

/* At most 8 * n + 9 bytes. codes has room for n. */
uint8_t *put_planes(struct packer *k, uint8_t *p, const uint64_t *codes, size_t n);
bool get_planes(struct packer *k, struct reader *r, uint64_t *codes, size_t n);

/*
 * Values of several series, one after the other; counts[i] (0 too) of series i. Each series is decimal integers when all of its values
 * are, and that is shorter, and doubles otherwise. NaN is written in one form. At most values_most() bytes.
 */
uint8_t *put_values(
	struct packer *k, uint8_t *p, const double *values, const uint32_t *counts, size_t series);
bool get_values(struct packer *k, struct reader *r, double *values, const uint32_t *counts, size_t series);

static inline size_t
values_most(size_t values, size_t series)
{
	return 8 * values + series * (SEQUENCE_HEAD_MOST + 1) + 64;
}

#endif
