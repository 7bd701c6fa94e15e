/*
 * Both layouts (by key, by step) are written when both could win, and the shorter one is kept. Everything is little endian.
 * Differences are taken modulo 2^64, so that all of int64 comes back.
 */
#include "ingest/codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/mem.h"

enum { BY_KEY = 0, BY_STEP = 1 };
enum { PLAIN = 0, ZSTD = 1 };

#define POINT_MOST 52          /* bytes: a point with a group of its own, at its worst */
#define RAW_MAX    (16u << 20) /* bytes of a row before compression */
#define ZSTD_LEVEL 1

struct scratch {
	void *data;
	size_t size;
};

struct codec {
	ZSTD_CCtx *compressor;
	ZSTD_DCtx *decompressor;
	struct scratch by_key, by_step, packed; /* bytes */
	struct scratch table;                   /* uint32_t: key -> group + 1 */
	struct scratch group, count, order;     /* uint32_t */
	struct scratch points;                  /* struct tail_point */
};

struct codec *
codec_new(void)
{
	return mem_alloc(sizeof(struct codec));
}

void
codec_free(struct codec *c)
{
	if (c == NULL)
		return;
	ZSTD_freeCCtx(c->compressor);
	ZSTD_freeDCtx(c->decompressor);
	free(c->by_key.data);
	free(c->by_step.data);
	free(c->packed.data);
	free(c->table.data);
	free(c->group.data);
	free(c->count.data);
	free(c->order.data);
	free(c->points.data);
	free(c);
}

static void *
room(struct scratch *s, size_t n, size_t size)
{
	if (s->size < n * size || s->data == NULL) {
		free(s->data);
		s->size = n * size + n * size / 2 + 64;
		s->data = mem_array(s->size, 1);
	}
	return s->data;
}

/* ---- numbers ---- */

static uint64_t
zigzag(uint64_t v)
{
	return (v << 1) ^ (0 - (v >> 63));
}

static uint64_t
unzigzag(uint64_t v)
{
	return (v >> 1) ^ (0 - (v & 1));
}

static uint8_t *
put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *
put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Delta of delta: the first number as it is, then the change of the distance to the one before. */
struct deltas {
	uint64_t last;
	uint64_t delta;
	bool started;
};

static uint8_t *
put_next(uint8_t *p, struct deltas *d, int64_t number)
{
	uint64_t v = (uint64_t)number, delta = d->started ? v - d->last : 0;

	p = put_varint(p, zigzag(d->started ? delta - d->delta : v));
	*d = (struct deltas){ v, delta, true };
	return p;
}

static uint64_t
bits_of(double value)
{
	uint64_t bits;

	if (isnan(value))
		return UINT64_C(0x7ff8000000000000);
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static uint8_t *
put_value(uint8_t *at, size_t stride, double value)
{
	uint64_t bits = bits_of(value);

	for (size_t b = 0; b < 8; b++)
		at[b * stride] = (uint8_t)(bits >> (8 * b));
	return at + 1;
}

/* ---- encoding ---- */

static uint32_t
spread(int32_t key, uint32_t mask)
{
	return ((uint32_t)key * 2654435761u >> 7) & mask;
}

/* Number the keys in the order of their first points; counts the points of each. */
static size_t
find_groups(struct codec *c, const struct tail_point *points, size_t n)
{
	uint32_t slots = 16;
	uint32_t *table, *group = room(&c->group, n, sizeof(*group)),
			 *count = room(&c->count, n + 1, sizeof(*count));
	size_t groups = 0;

	while (slots < 2 * n)
		slots *= 2;
	table = room(&c->table, slots, 2 * sizeof(*table));
	memset(table, 0, slots * 2 * sizeof(*table));
	for (size_t i = 0; i < n; i++) {
		uint32_t at = spread(points[i].key_id, slots - 1);

		while (table[2 * at] != 0 && table[2 * at + 1] != (uint32_t)points[i].key_id)
			at = (at + 1) & (slots - 1);
		if (table[2 * at] == 0) {
			table[2 * at] = (uint32_t)++groups;
			table[2 * at + 1] = (uint32_t)points[i].key_id;
			count[groups - 1] = 0;
		}
		group[i] = table[2 * at] - 1;
		count[group[i]]++;
	}
	return groups;
}

/* The points' indexes, group after group, each in the order it came. Afterwards count[g] is where group g ends. */
static uint32_t *
order_by_group(struct codec *c, size_t n, size_t groups)
{
	uint32_t *group = c->group.data, *count = c->count.data;
	uint32_t *order = room(&c->order, n, sizeof(*order)), start = 0;

	for (size_t g = 0; g < groups; g++) {
		uint32_t size = count[g];

		count[g] = start;
		start += size;
	}
	for (uint32_t i = 0; i < n; i++)
		order[count[group[i]]++] = i;
	return order;
}

static uint8_t *
put_key_group(uint8_t *p, const struct tail_point *points, const uint32_t *order, size_t n)
{
	struct deltas steps = { 0 }, times = { 0 };

	p = put_varint(p, (uint64_t)points[order[0]].key_id);
	p = put_varint(p, n);
	for (size_t i = 0; i < n; i++)
		p = put_next(p, &steps, points[order[i]].step);
	for (size_t i = 0; i < n; i++)
		p = put_next(p, &times, points[order[i]].time_unix_ms);
	for (size_t i = 0; i < n; i++)
		put_value(p + i, n, points[order[i]].value);
	return p + 8 * n;
}

static size_t
encode_by_key(struct codec *c, const struct tail_point *points, size_t n, size_t groups)
{
	const uint32_t *order = order_by_group(c, n, groups), *end = c->count.data;
	uint8_t *start = room(&c->by_key, n + 1, POINT_MOST), *p = start;
	size_t from = 0;

	*p++ = BY_KEY;
	for (size_t g = 0; g < groups; from = end[g++])
		p = put_key_group(p, points, order + from, end[g] - from);
	return (size_t)(p - start);
}

static bool
same_moment(const struct tail_point *a, const struct tail_point *b)
{
	return a->step == b->step && a->time_unix_ms == b->time_unix_ms;
}

static size_t
count_moments(const struct tail_point *points, size_t n)
{
	size_t moments = n > 0;

	for (size_t i = 1; i < n; i++)
		moments += !same_moment(&points[i - 1], &points[i]);
	return moments;
}

static uint8_t *
put_step_group(uint8_t *p, const struct tail_point *points, size_t n)
{
	int64_t last = 0;

	p = put_varint(p, zigzag((uint64_t)points[0].step));
	p = put_varint(p, zigzag((uint64_t)points[0].time_unix_ms));
	p = put_varint(p, n);
	for (size_t i = 0; i < n; last = points[i++].key_id)
		p = put_varint(p, zigzag((uint64_t)(points[i].key_id - last)));
	for (size_t i = 0; i < n; i++)
		put_value(p + i, n, points[i].value);
	return p + 8 * n;
}

static size_t
encode_by_step(struct codec *c, const struct tail_point *points, size_t n)
{
	uint8_t *start = room(&c->by_step, n + 1, POINT_MOST), *p = start;

	*p++ = BY_STEP;
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && same_moment(&points[from], &points[to]);)
			to++;
		p = put_step_group(p, points + from, to - from);
	}
	return (size_t)(p - start);
}

/* The shorter layout. Where every point has a moment of its own, or every key one point, only one can win. */
static const uint8_t *
encode_shorter(struct codec *c, const struct tail_point *points, size_t n, size_t *len)
{
	size_t groups = find_groups(c, points, n), moments = count_moments(points, n), by_step;

	if (moments < n && groups == n) {
		*len = encode_by_step(c, points, n);
		return c->by_step.data;
	}
	*len = encode_by_key(c, points, n, groups);
	if (moments == n)
		return c->by_key.data;
	by_step = encode_by_step(c, points, n);
	if (by_step >= *len)
		return c->by_key.data;
	*len = by_step;
	return c->by_step.data;
}

/* zstd's frame with the length before it, or 0 when that is not shorter. */
static size_t
compress(struct codec *c, const uint8_t *raw, size_t len)
{
	size_t bound = ZSTD_compressBound(len), made;
	uint8_t *to = room(&c->packed, bound + 4, 1);

	if (c->compressor == NULL)
		c->compressor = ZSTD_createCCtx();
	if (c->compressor == NULL)
		return 0;
	made = ZSTD_compressCCtx(c->compressor, put_u32(to, (uint32_t)len), bound, raw, len, ZSTD_LEVEL);
	return ZSTD_isError(made) || made + 4 >= len ? 0 : made + 4;
}

uint32_t
codec_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;

	return crc32c(crc32c(0, p, 2), p + CODEC_HEADER, len - CODEC_HEADER);
}

void
codec_encode(struct codec *c, const struct tail_point *points, size_t n, struct buf *out)
{
	size_t len, packed;
	const uint8_t *raw = encode_shorter(c, points, n, &len);
	uint8_t codec = PLAIN;
	uint8_t *to;

	if (n >= CODEC_ZSTD_FROM && (packed = compress(c, raw, len)) > 0) {
		raw = c->packed.data;
		len = packed;
		codec = ZSTD;
	}
	if ((to = (uint8_t *)buf_room(out, CODEC_HEADER + len)) == NULL)
		return;
	to[0] = CODEC_VERSION;
	to[1] = codec;
	memcpy(to + CODEC_HEADER, raw, len);
	put_u32(to + 2, codec_checksum(to, CODEC_HEADER + len));
	out->len += CODEC_HEADER + len;
}

/* ---- decoding ---- */

struct reader {
	const uint8_t *at, *end;
	struct tail_point *points;
	size_t n, size; /* read so far, and room for */
	bool damaged;
};

static uint64_t
get_varint(struct reader *r)
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

static int64_t
get_next(struct reader *r, struct deltas *d)
{
	uint64_t v = unzigzag(get_varint(r)), delta = d->started ? v + d->delta : 0;

	if (d->started)
		v = d->last + delta;
	*d = (struct deltas){ v, delta, true };
	return (int64_t)v;
}

/* How many points a group says it has: each takes eight bytes and more, so the bytes that are there bound it. */
static size_t
get_count(struct reader *r)
{
	uint64_t n = get_varint(r);

	if (n == 0 || n > (size_t)(r->end - r->at) / 8 || n > r->size - r->n)
		r->damaged = true;
	return r->damaged ? 0 : (size_t)n;
}

static void
get_values(struct reader *r, struct tail_point *to, size_t n)
{
	if ((size_t)(r->end - r->at) < 8 * n) {
		r->damaged = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = 0;

		for (size_t b = 0; b < 8; b++)
			bits |= (uint64_t)r->at[b * n + i] << (8 * b);
		memcpy(&to[i].value, &bits, sizeof(bits));
	}
	r->at += 8 * n;
}

static int32_t
key_or_damage(struct reader *r, uint64_t key)
{
	if (key == 0 || key > INT32_MAX)
		r->damaged = true;
	return r->damaged ? 1 : (int32_t)key;
}

static void
get_key_group(struct reader *r)
{
	int32_t key = key_or_damage(r, get_varint(r));
	size_t n = get_count(r);
	struct tail_point *to = r->points + r->n;
	struct deltas steps = { 0 }, times = { 0 };

	for (size_t i = 0; i < n; i++) {
		to[i].key_id = key;
		to[i].step = get_next(r, &steps);
	}
	for (size_t i = 0; i < n; i++)
		to[i].time_unix_ms = get_next(r, &times);
	get_values(r, to, n);
	r->n += n;
}

static void
get_step_group(struct reader *r)
{
	int64_t step = (int64_t)unzigzag(get_varint(r)), time = (int64_t)unzigzag(get_varint(r));
	size_t n = get_count(r);
	struct tail_point *to = r->points + r->n;
	uint64_t key = 0;

	for (size_t i = 0; i < n; i++) {
		key += unzigzag(get_varint(r));
		to[i].key_id = key_or_damage(r, key);
		to[i].step = step;
		to[i].time_unix_ms = time;
	}
	get_values(r, to, n);
	r->n += n;
}

static bool
decode_groups(struct codec *c, const uint8_t *raw, size_t len, const struct tail_point **points, size_t *n)
{
	struct reader r = { .at = raw + 1, .end = raw + len, .size = len / 8 };

	if (len == 0 || raw[0] > BY_STEP)
		return false;
	if (r.size > CODEC_POINTS_MAX)
		r.size = CODEC_POINTS_MAX;
	r.points = room(&c->points, r.size + 1, sizeof(*r.points));
	while (r.at < r.end && !r.damaged) {
		if (raw[0] == BY_KEY)
			get_key_group(&r);
		else
			get_step_group(&r);
	}
	*points = r.points;
	*n = r.n;
	return !r.damaged;
}

static bool
decompress(struct codec *c, const uint8_t *data, size_t len, size_t *raw_len)
{
	size_t made;

	if (len < 4 || (*raw_len = get_u32(data)) > RAW_MAX)
		return false;
	if (c->decompressor == NULL && (c->decompressor = ZSTD_createDCtx()) == NULL)
		return false;
	made = ZSTD_decompressDCtx(
		c->decompressor, room(&c->packed, *raw_len, 1), *raw_len, data + 4, len - 4);
	return !ZSTD_isError(made) && made == *raw_len;
}

bool
codec_decode(struct codec *c, const void *data, size_t len, const struct tail_point **points, size_t *n)
{
	const uint8_t *p = data;
	size_t raw_len;

	if (len < CODEC_HEADER || p[0] != CODEC_VERSION || get_u32(p + 2) != codec_checksum(p, len))
		return false;
	p += CODEC_HEADER;
	len -= CODEC_HEADER;
	switch (((const uint8_t *)data)[1]) {
	case PLAIN:
		return decode_groups(c, p, len, points, n);
	case ZSTD:
		return decompress(c, p, len, &raw_len) &&
		       decode_groups(c, c->packed.data, raw_len, points, n);
	default:
		return false;
	}
}
