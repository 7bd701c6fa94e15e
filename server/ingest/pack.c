/*
 * Columns are compressed one by one: bytes of one sort share a Huffman table, the noise of mantissas is stored as it is, and a column
 * of one repeated byte costs two.
 */
#include "ingest/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/mem.h"

#define ZSTD_LEVEL    1
#define ZSTD_FROM     32 /* bytes of a column from which zstd may win over its own head */
#define DECIMALS_MOST 10
#define EXACT_BELOW   0x1p53

enum { PLAIN = 0, REPEATED = 1, ZSTD = 2 };

/* ---- memory ---- */

void *
scratch_room(struct scratch *s, size_t n, size_t size)
{
	if (s->size < n * size || s->data == NULL) {
		free(s->data);
		s->size = n * size + n * size / 2 + 64;
		s->data = mem_array(s->size, 1);
	}
	return s->data;
}

void
scratch_fini(struct scratch *s)
{
	free(s->data);
	*s = (struct scratch){ 0 };
}

void
packer_fini(struct packer *k)
{
	ZSTD_freeCCtx(k->compressor);
	ZSTD_freeDCtx(k->decompressor);
	scratch_fini(&k->packed);
	scratch_fini(&k->planes);
	scratch_fini(&k->bits);
	scratch_fini(&k->decimals);
	scratch_fini(&k->forms);
	scratch_fini(&k->numbers);
}

size_t
pack_compress(struct packer *k, void *room, size_t size, const void *raw, size_t len)
{
	size_t made;

	if (k->compressor == NULL && (k->compressor = ZSTD_createCCtx()) == NULL)
		return 0;
	made = ZSTD_compressCCtx(k->compressor, room, size, raw, len, ZSTD_LEVEL);
	return ZSTD_isError(made) ? 0 : made;
}

bool
pack_decompress(struct packer *k, void *to, size_t len, const void *data, size_t size)
{
	size_t made;

	if (k->decompressor == NULL && (k->decompressor = ZSTD_createDCtx()) == NULL)
		return false;
	made = ZSTD_decompressDCtx(k->decompressor, to, len, data, size);
	return !ZSTD_isError(made) && made == len;
}

/* ---- numbers ---- */

uint64_t
get_long_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	r->damaged = true;
	return 0;
}

size_t
get_size(struct reader *r, size_t least, size_t most)
{
	uint64_t v = get_varint(r);

	if (v < least || v > most)
		r->damaged = true;
	return r->damaged ? 0 : (size_t)v;
}

uint64_t
double_bits(double value)
{
	uint64_t bits;

	if (isnan(value))
		return UINT64_C(0x7ff8000000000000);
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

void
put_planes(uint8_t *planes, const uint64_t *bits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t b = 0; b < 8; b++)
			planes[b * n + i] = (uint8_t)(bits[i] >> (8 * b));
}

void
get_planes(double *values, const uint8_t *planes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = 0;

		for (size_t b = 0; b < 8; b++)
			bits |= (uint64_t)planes[b * n + i] << (8 * b);
		memcpy(&values[i], &bits, sizeof(bits));
	}
}

/* ---- columns ---- */

uint8_t *
put_column(struct packer *k, uint8_t *p, const uint8_t *raw, size_t len)
{
	size_t made;
	uint8_t *to;

	if (len > 1 && memcmp(raw, raw + 1, len - 1) == 0) {
		*p++ = REPEATED;
		*p++ = raw[0];
		return p;
	}
	/* the varint of its length takes a byte and more */
	if (len >= ZSTD_FROM) {
		to = scratch_room(&k->packed, len, 1);
		made = pack_compress(k, to, len - PACK_VARINT_MOST, raw, len);
		if (made > 0) {
			*p++ = ZSTD;
			p = put_varint(p, made);
			memcpy(p, to, made);
			return p + made;
		}
	}
	*p++ = PLAIN;
	if (len > 0)
		memcpy(p, raw, len);
	return p + len;
}

static const uint8_t *
take(struct reader *r, size_t len)
{
	const uint8_t *p = r->at;

	if (r->damaged || len > reader_left(r)) {
		r->damaged = true;
		return NULL;
	}
	r->at += len;
	return p;
}

static const uint8_t *
get_repeated(struct reader *r, uint8_t *to, size_t len)
{
	const uint8_t *byte = take(r, 1);

	if (byte == NULL)
		return NULL;
	memset(to, *byte, len);
	return to;
}

static const uint8_t *
get_packed(struct packer *k, struct reader *r, uint8_t *to, size_t len)
{
	size_t size = get_size(r, 1, reader_left(r));
	const uint8_t *data = take(r, size);

	if (data != NULL && pack_decompress(k, to, len, data, size))
		return to;
	r->damaged = true;
	return NULL;
}

const uint8_t *
get_column(struct packer *k, struct reader *r, uint8_t *to, size_t len)
{
	const uint8_t *form = take(r, 1);

	if (form != NULL && *form == PLAIN)
		return take(r, len);
	if (form != NULL && *form == REPEATED)
		return get_repeated(r, to, len);
	if (form != NULL && *form == ZSTD)
		return get_packed(k, r, to, len);
	r->damaged = true;
	return NULL;
}

uint8_t *
put_sized_column(struct packer *k, uint8_t *p, const uint8_t *raw, size_t len)
{
	return put_column(k, put_varint(p, len), raw, len);
}

struct reader
get_sized_column(struct packer *k, struct reader *r, struct scratch *to, size_t most)
{
	size_t len = get_size(r, 0, most);
	const uint8_t *p = r->damaged ? NULL : get_column(k, r, scratch_room(to, len + 1, 1), len);

	return p == NULL ? (struct reader){ .damaged = true } : (struct reader){ p, p + len, false };
}

/* ---- values ---- */

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

/* The fewest decimals that all values have; over DECIMALS_MOST: none does. */
static unsigned
count_decimals(const double *values, size_t n)
{
	unsigned e = 0;
	int64_t number;

	for (size_t i = 0; i < n; i++)
		while (!as_decimal(values[i], tens[e], &number))
			if (++e > DECIMALS_MOST)
				return e;
	return e;
}

static unsigned
trailing_zeros(uint64_t v)
{
	return v == 0 ? 64 : (unsigned)__builtin_ctzll(v);
}

/* The integers' differences, or NULL: these values are no decimals, or shorter as doubles, of which only the bits in use count. */
static uint8_t *
put_decimals(uint8_t *to, const double *values, size_t n, unsigned *form)
{
	unsigned e = count_decimals(values, n);
	uint64_t used = 0, last = 0;
	uint8_t *p = to;
	int64_t number;

	if (e > DECIMALS_MOST)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (!as_decimal(values[i], tens[e], &number))
			return NULL;
		p = put_varint(p, zigzag((uint64_t)number - last));
		last = (uint64_t)number;
		used |= double_bits(values[i]);
	}
	*form = e + 1;
	return (size_t)(p - to) * 8 < n * (64 - trailing_zeros(used)) ? p : NULL;
}

static uint8_t *
put_bits(struct packer *k, uint8_t *p, const uint64_t *bits, size_t n)
{
	uint8_t *planes = scratch_room(&k->planes, n, 8);

	put_planes(planes, bits, n);
	for (size_t b = 0; b < 8; b++)
		p = put_column(k, p, planes + b * n, n);
	return p;
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
	size_t all = sum_of(counts, series), doubles = 0;
	uint8_t *forms = scratch_room(&k->forms, series + 1, 1);
	uint8_t *decimals = scratch_room(&k->decimals, all + 1, PACK_VALUE_MOST), *end = decimals, *made;
	uint64_t *bits = scratch_room(&k->bits, all + 1, sizeof(*bits));

	for (size_t s = 0; s < series; values += counts[s++]) {
		unsigned form = 0;

		if (counts[s] > 0 && (made = put_decimals(end, values, counts[s], &form)) != NULL) {
			end = made;
			forms[s] = (uint8_t)form;
			continue;
		}
		forms[s] = 0;
		for (size_t i = 0; i < counts[s]; i++)
			bits[doubles++] = double_bits(values[i]);
	}
	p = put_column(k, p, forms, series);
	if (doubles > 0)
		p = put_bits(k, p, bits, doubles);
	return doubles < all ? put_sized_column(k, p, decimals, (size_t)(end - decimals)) : p;
}

/* How many values stand as doubles; false: a form that there is not. */
static bool
count_doubles(const uint8_t *forms, const uint32_t *counts, size_t series, size_t *doubles)
{
	*doubles = 0;
	for (size_t s = 0; s < series; s++) {
		if (forms[s] > DECIMALS_MOST + 1)
			return false;
		*doubles += forms[s] == 0 ? counts[s] : 0;
	}
	return true;
}

static bool
get_bits(struct packer *k, struct reader *r, double *values, size_t n)
{
	uint8_t *planes = scratch_room(&k->planes, n, 8);

	for (size_t b = 0; b < 8; b++) {
		const uint8_t *plane = get_column(k, r, planes + b * n, n);

		if (plane == NULL)
			return false;
		if (plane != planes + b * n)
			memcpy(planes + b * n, plane, n);
	}
	get_planes(values, planes, n);
	return true;
}

static void
get_decimals(struct reader *r, double *values, size_t n, double ten)
{
	uint64_t number = 0;

	for (size_t i = 0; i < n; i++) {
		number += unzigzag(get_varint(r));
		values[i] = (double)(int64_t)number / ten;
	}
}

bool
get_values(struct packer *k, struct reader *r, double *values, const uint32_t *counts, size_t series)
{
	size_t all = sum_of(counts, series), doubles;
	const uint8_t *forms = get_column(k, r, scratch_room(&k->forms, series + 1, 1), series);
	double *plain = scratch_room(&k->bits, all + 1, sizeof(*plain));
	struct reader decimals = { 0 };

	if (forms == NULL || !count_doubles(forms, counts, series, &doubles))
		return false;
	if (doubles > 0 && !get_bits(k, r, doubles == all ? values : plain, doubles))
		return false;
	if (doubles == all)
		return true;
	decimals = get_sized_column(k, r, &k->decimals, all * PACK_VARINT_MOST);
	for (size_t s = 0; s < series; values += counts[s++]) {
		if (forms[s] > 0) {
			get_decimals(&decimals, values, counts[s], tens[forms[s] - 1]);
		} else if (counts[s] > 0) {
			memcpy(values, plain, counts[s] * sizeof(*plain));
			plain += counts[s];
		}
	}
	return !decimals.damaged && decimals.at == decimals.end;
}

/* ---- frames ---- */

uint32_t
pack_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;

	return crc32c(crc32c(0, p, 2), p + PACK_HEADER, len - PACK_HEADER);
}

void
pack_seal(enum pack_kind kind, const void *payload, size_t len, struct buf *out)
{
	uint8_t *to = (uint8_t *)buf_room(out, PACK_HEADER + len);

	if (to == NULL)
		return;
	to[0] = PACK_VERSION;
	to[1] = (uint8_t)kind;
	memcpy(to + PACK_HEADER, payload, len);
	put_u32(to + 2, pack_checksum(to, PACK_HEADER + len));
	out->len += PACK_HEADER + len;
}

bool
pack_open(enum pack_kind kind, const void *data, size_t len, struct reader *payload)
{
	const uint8_t *p = data;

	if (len < PACK_HEADER || p[0] != PACK_VERSION || p[1] != kind ||
		get_u32(p + 2) != pack_checksum(p, len))
		return false;
	*payload = (struct reader){ p + PACK_HEADER, p + len, false };
	return true;
}
