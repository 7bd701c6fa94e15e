/*
 * Planes are compressed one by one: bytes of one sort share a Huffman table, the noise of mantissas is stored as it is, and a plane of
 * one repeated byte costs two bytes and no time.
 */
#include "ingest/planes.h"

#include <math.h>
#include <string.h>

#define DECIMALS_MOST 10
#define EXACT_BELOW   0x1p53
#define LOOK_AT       256 /* numbers that are looked at to choose a form */

/* ---- sequences ---- */

static unsigned
bit_length(uint64_t v)
{
	return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

struct sequence
sequence_choose(const int64_t *numbers, size_t n, uint64_t *bits)
{
	const uint64_t *v = (const uint64_t *)numbers;
	uint64_t sums[SEQUENCE_FORMS] = { 0 };
	size_t stride = 1 + n / LOOK_AT, looked = 0;
	struct sequence s = { FROM_FIRST, v[0], n > 1 ? v[1] - v[0] : 0 };

	for (size_t i = n > 2 ? 2 : 1; i < n; i += stride, looked++) {
		uint64_t delta = v[i] - v[i - 1], before = i > 1 ? v[i - 1] - v[i - 2] : 0;

		sums[FROM_FIRST] += bit_length(zigzag(v[i] - v[0]));
		sums[FROM_LAST] += bit_length(zigzag(delta));
		sums[FROM_TREND] += bit_length(zigzag(delta - before));
	}
	for (unsigned form = FROM_LAST; form < SEQUENCE_FORMS; form++)
		if (sums[form] < sums[s.form])
			s.form = (enum sequence_form)form;
	*bits = looked == 0 ? 0 : sums[s.form] * n / looked;
	return s;
}

void
sequence_codes(const struct sequence *s, const int64_t *numbers, size_t n, uint64_t *codes)
{
	const uint64_t *v = (const uint64_t *)numbers;
	uint64_t delta = s->trend;

	switch (s->form) {
	case FROM_LAST:
		for (size_t i = 1; i < n; i++)
			codes[i - 1] = zigzag(v[i] - v[i - 1]);
		return;
	case FROM_TREND:
		for (size_t i = 1; i < n; i++) {
			codes[i - 1] = zigzag(v[i] - v[i - 1] - delta);
			delta = v[i] - v[i - 1];
		}
		return;
	default:
		for (size_t i = 1; i < n; i++)
			codes[i - 1] = zigzag(v[i] - v[0]);
	}
}

void
sequence_numbers(const struct sequence *s, const uint64_t *codes, size_t n, int64_t *numbers)
{
	uint64_t v = s->first, delta = s->trend;

	numbers[0] = (int64_t)v;
	switch (s->form) {
	case FROM_LAST:
		for (size_t i = 1; i < n; i++)
			numbers[i] = (int64_t)(v += unzigzag(codes[i - 1]));
		return;
	case FROM_TREND:
		for (size_t i = 1; i < n; i++) {
			delta += unzigzag(codes[i - 1]);
			numbers[i] = (int64_t)(v += delta);
		}
		return;
	default:
		for (size_t i = 1; i < n; i++)
			numbers[i] = (int64_t)(v + unzigzag(codes[i - 1]));
	}
}

uint8_t *
put_sequence_head(uint8_t *p, const struct sequence *s, size_t n)
{
	p = put_varint(p, zigzag(s->first));
	return s->form == FROM_TREND && n > 1 ? put_varint(p, zigzag(s->trend)) : p;
}

void
get_sequence_head(struct reader *r, enum sequence_form form, size_t n, struct sequence *s)
{
	*s = (struct sequence){ .form = form };
	s->first = unzigzag(get_varint(r));
	if (form == FROM_TREND && n > 1)
		s->trend = unzigzag(get_varint(r));
}

uint8_t *
put_sequence(struct packer *k, uint8_t *p, const int64_t *numbers, size_t n)
{
	uint64_t *codes = scratch_room(&k->codes, n, sizeof(*codes)), bits;
	struct sequence s = sequence_choose(numbers, n, &bits);

	sequence_codes(&s, numbers, n, codes);
	*p++ = (uint8_t)s.form;
	p = put_sequence_head(p, &s, n);
	return put_planes(k, p, codes, n - 1);
}

bool
get_sequence(struct packer *k, struct reader *r, int64_t *numbers, size_t n)
{
	uint64_t *codes = scratch_room(&k->codes, n, sizeof(*codes));
	size_t form = get_size(r, 0, SEQUENCE_FORMS - 1);
	struct sequence s;

	get_sequence_head(r, (enum sequence_form)form, n, &s);
	if (r->damaged || !get_planes(k, r, codes, n - 1))
		return false;
	sequence_numbers(&s, codes, n, numbers);
	return true;
}

/* ---- planes ---- */

uint8_t *
put_planes(struct packer *k, uint8_t *p, const uint64_t *codes, size_t n)
{
	uint8_t *plane = scratch_room(&k->planes, n + 1, 8);
	uint64_t used = 0;
	unsigned width;

	for (size_t i = 0; i < n; i++)
		used |= codes[i];
	width = (bit_length(used) + 7) / 8;
	*p++ = (uint8_t)width;
	for (unsigned b = 0; b < width; b++) {
		for (size_t i = 0; i < n; i++)
			plane[i] = (uint8_t)(codes[i] >> (8 * b));
		p = put_column(k, p, plane, n);
	}
	return p;
}

/* Planes that are not all one byte, and what the others give to every code. */
struct planes {
	const uint8_t *plane[8];
	unsigned shift[8];
	unsigned n;
	uint64_t common;
};

static bool
get_columns(struct packer *k, struct reader *r, size_t width, struct planes *planes, size_t n)
{
	uint8_t *room = scratch_room(&k->planes, n + 1, 8);
	uint8_t byte;

	for (unsigned b = 0; b < width; b++) {
		if (get_repeated(r, &byte)) {
			planes->common |= (uint64_t)byte << (8 * b);
			continue;
		}
		planes->plane[planes->n] = get_column(k, r, room + b * n, n);
		planes->shift[planes->n] = 8 * b;
		if (planes->plane[planes->n++] == NULL)
			return false;
	}
	return true;
}

/* Two planes in one pass. */
static void
add_pair(uint64_t *codes, const struct planes *planes, unsigned at, size_t n)
{
	const uint8_t *a = planes->plane[at], *b = planes->plane[at + 1];
	unsigned shift_a = planes->shift[at], shift_b = planes->shift[at + 1];

	for (size_t i = 0; i < n; i++)
		codes[i] |= (uint64_t)a[i] << shift_a | (uint64_t)b[i] << shift_b;
}

static void
add_plane(uint64_t *codes, const uint8_t *plane, unsigned shift, size_t n)
{
	for (size_t i = 0; i < n; i++)
		codes[i] |= (uint64_t)plane[i] << shift;
}

static void
add_all(uint64_t *codes, const struct planes *planes, size_t n)
{
	const uint8_t *const *p = planes->plane;

	for (size_t i = 0; i < n; i++)
		codes[i] = (uint64_t)p[0][i] | (uint64_t)p[1][i] << 8 | (uint64_t)p[2][i] << 16 |
			   (uint64_t)p[3][i] << 24 | (uint64_t)p[4][i] << 32 | (uint64_t)p[5][i] << 40 |
			   (uint64_t)p[6][i] << 48 | (uint64_t)p[7][i] << 56;
}

bool
get_planes(struct packer *k, struct reader *r, uint64_t *codes, size_t n)
{
	size_t width = get_size(r, 0, 8);
	struct planes planes = { .n = 0 };
	unsigned at = 0;

	if (r->damaged || !get_columns(k, r, width, &planes, n))
		return false;
	if (planes.n == 8) {
		add_all(codes, &planes, n);
		return true;
	}
	for (size_t i = 0; i < n; i++)
		codes[i] = planes.common;
	for (; at + 1 < planes.n; at += 2)
		add_pair(codes, &planes, at, n);
	if (at < planes.n)
		add_plane(codes, planes.plane[at], planes.shift[at], n);
	return true;
}

/* ---- values ---- */

/* A series' form: 0 doubles, else one and more: decimals and the sequence's form. */
#define FORMS (1 + (DECIMALS_MOST + 1) * SEQUENCE_FORMS)

static const double tens[DECIMALS_MOST + 1] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10 };

/* value is exactly the double next to *out / ten; neither -0.0 nor NaN is. */
static inline bool
as_decimal(double value, double ten, int64_t *out)
{
	double scaled = value * ten, back;

	if (!(fabs(scaled) < EXACT_BELOW))
		return false;
	*out = (int64_t)(scaled + copysign(0.5, scaled));
	back = (double)*out / ten;
	return memcmp(&back, &value, sizeof(value)) == 0;
}

/* The values as integers of the fewest decimals that all have; over DECIMALS_MOST: there are none. */
static unsigned
to_decimals(const double *values, size_t n, int64_t *numbers)
{
	unsigned e = 0;

	for (size_t i = 0; i < n; i++) {
		if (as_decimal(values[i], tens[e], &numbers[i]))
			continue;
		while (++e <= DECIMALS_MOST && !as_decimal(values[i], tens[e], &numbers[i]))
			;
		if (e > DECIMALS_MOST)
			return e;
		i = SIZE_MAX; /* from the start again */
	}
	return e;
}

/* About how many bits a double takes: its exponent varies little, and zeros at the end cost nothing. */
static uint64_t
bits_as_doubles(const double *values, size_t n)
{
	uint64_t used = 0;
	unsigned zeros;

	for (size_t i = 0; i < n; i++)
		used |= double_bits(values[i]);
	zeros = used == 0 ? 64 : (unsigned)__builtin_ctzll(used);
	return n * (zeros < 52 ? 56 - zeros : 4);
}

/* What put_values collects before it writes. */
struct draft {
	uint8_t *forms, *heads, *head;
	uint64_t *codes, *doubles;
	size_t code_count, double_count;
};

/* False: these values are no decimals, or shorter as doubles. */
static bool
draft_decimals(struct packer *k, struct draft *d, size_t at, const double *values, size_t n)
{
	int64_t *numbers = scratch_room(&k->numbers, n, sizeof(*numbers));
	unsigned e = to_decimals(values, n, numbers);
	struct sequence s;
	uint64_t bits;
	uint8_t *end;

	if (e > DECIMALS_MOST)
		return false;
	s = sequence_choose(numbers, n, &bits);
	end = put_sequence_head(d->head, &s, n);
	if (bits + 8 * (uint64_t)(end - d->head) >= bits_as_doubles(values, n))
		return false;
	d->head = end;
	sequence_codes(&s, numbers, n, d->codes + d->code_count);
	d->code_count += n - 1;
	d->forms[at] = (uint8_t)(1 + e * SEQUENCE_FORMS + s.form);
	return true;
}

static void
draft_series(struct packer *k, struct draft *d, size_t at, const double *values, size_t n)
{
	d->forms[at] = 0;
	if (n == 0 || draft_decimals(k, d, at, values, n))
		return;
	for (size_t i = 0; i < n; i++)
		d->doubles[d->double_count++] = double_bits(values[i]);
}

static size_t
sum_of(const uint32_t *counts, size_t series)
{
	size_t n = 0;

	for (size_t i = 0; i < series; i++)
		n += counts[i];
	return n;
}

uint8_t *
put_values(struct packer *k, uint8_t *p, const double *values, const uint32_t *counts, size_t series)
{
	size_t all = sum_of(counts, series);
	struct draft d = {
		.forms = scratch_room(&k->forms, series + 1, 1),
		.heads = scratch_room(&k->heads, series + 1, SEQUENCE_HEAD_MOST),
		.codes = scratch_room(&k->codes, all + 1, sizeof(uint64_t)),
		.doubles = scratch_room(&k->doubles, all + 1, sizeof(uint64_t)),
	};

	d.head = d.heads;
	for (size_t s = 0; s < series; values += counts[s++])
		draft_series(k, &d, s, values, counts[s]);
	p = put_column(k, p, d.forms, series);
	if (d.double_count > 0)
		p = put_planes(k, p, d.doubles, d.double_count);
	if (d.double_count == all)
		return p;
	p = put_sized_column(k, p, d.heads, (size_t)(d.head - d.heads));
	return put_planes(k, p, d.codes, d.code_count);
}

/* How many values stand as doubles, and how many codes of decimals there are; false: a form that there is not. */
static bool
count_forms(const uint8_t *forms, const uint32_t *counts, size_t series, size_t *doubles, size_t *codes)
{
	*doubles = *codes = 0;
	for (size_t s = 0; s < series; s++) {
		if (forms[s] >= FORMS || (forms[s] > 0 && counts[s] == 0))
			return false;
		if (forms[s] == 0)
			*doubles += counts[s];
		else
			*codes += counts[s] - 1;
	}
	return true;
}

static void
fill_decimals(struct packer *k, struct reader *heads, unsigned form, const uint64_t *codes, size_t n,
	double *values)
{
	int64_t *numbers = scratch_room(&k->numbers, n, sizeof(*numbers));
	double ten = tens[form / SEQUENCE_FORMS];
	struct sequence s;

	get_sequence_head(heads, (enum sequence_form)(form % SEQUENCE_FORMS), n, &s);
	sequence_numbers(&s, codes, n, numbers);
	for (size_t i = 0; i < n; i++)
		values[i] = (double)numbers[i] / ten;
}

/* Decimals and doubles each go to their places. */
static void
fill_values(struct packer *k, struct reader *heads, double *values, const uint32_t *counts,
	const uint8_t *forms, size_t series)
{
	const uint64_t *codes = k->codes.data, *doubles = k->doubles.data;

	for (size_t s = 0; s < series; values += counts[s++]) {
		if (forms[s] > 0) {
			fill_decimals(k, heads, forms[s] - 1u, codes, counts[s], values);
			codes += counts[s] - 1;
		} else if (counts[s] > 0) {
			memcpy(values, doubles, counts[s] * sizeof(*values));
			doubles += counts[s];
		}
	}
}

bool
get_values(struct packer *k, struct reader *r, double *values, const uint32_t *counts, size_t series)
{
	size_t all = sum_of(counts, series), doubles, codes;
	const uint8_t *forms = get_column(k, r, scratch_room(&k->forms, series + 1, 1), series);
	uint64_t *bits = scratch_room(&k->doubles, all + 1, sizeof(*bits));
	struct reader heads;

	if (forms == NULL || !count_forms(forms, counts, series, &doubles, &codes) ||
		(doubles > 0 && !get_planes(k, r, bits, doubles)))
		return false;
	if (doubles == all) {
		memcpy(values, bits, all * sizeof(*values));
		return true;
	}
	heads = get_sized_column(k, r, &k->heads, series * SEQUENCE_HEAD_MOST);
	if (heads.damaged || !get_planes(k, r, scratch_room(&k->codes, codes + 1, sizeof(uint64_t)), codes))
		return false;
	fill_values(k, &heads, values, counts, forms, series);
	return !heads.damaged && heads.at == heads.end;
}
