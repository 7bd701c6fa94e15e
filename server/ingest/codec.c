/*
 * Both layouts (by key, by step) are written when both could win, and the shorter one is kept. Everything is little endian.
 * Differences are taken modulo 2^64, so that all of int64 comes back.
 */
#include "ingest/codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/pack.h"

enum { BY_KEY = 0, BY_STEP = 1 };

#define POINT_MOST 52          /* bytes: a point with a group of its own, at its worst */
#define RAW_MAX    (16u << 20) /* bytes of a row before compression */

struct codec {
	struct packer packer;
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
	packer_fini(&c->packer);
	scratch_fini(&c->by_key);
	scratch_fini(&c->by_step);
	scratch_fini(&c->packed);
	scratch_fini(&c->table);
	scratch_fini(&c->group);
	scratch_fini(&c->count);
	scratch_fini(&c->order);
	scratch_fini(&c->points);
	free(c);
}

static uint8_t *
put_value(uint8_t *at, size_t stride, double value)
{
	uint64_t bits = double_bits(value);

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
	uint32_t *table, *group = scratch_room(&c->group, n, sizeof(*group)),
			 *count = scratch_room(&c->count, n + 1, sizeof(*count));
	size_t groups = 0;

	while (slots < 2 * n)
		slots *= 2;
	table = scratch_room(&c->table, slots, 2 * sizeof(*table));
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
	uint32_t *order = scratch_room(&c->order, n, sizeof(*order)), start = 0;

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
	uint8_t *start = scratch_room(&c->by_key, n + 1, POINT_MOST), *p = start;
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
	uint8_t *start = scratch_room(&c->by_step, n + 1, POINT_MOST), *p = start;

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
	uint8_t *to = scratch_room(&c->packed, len, 1);
	size_t made = len > 5 ? pack_compress(&c->packer, to + 4, len - 5, raw, len) : 0;

	put_u32(to, (uint32_t)len);
	return made == 0 ? 0 : made + 4;
}

uint32_t
codec_checksum(const void *data, size_t len)
{
	return pack_checksum(data, len);
}

void
codec_encode(struct codec *c, const struct tail_point *points, size_t n, struct buf *out)
{
	size_t len, packed = 0;
	const uint8_t *raw = encode_shorter(c, points, n, &len);

	if (n >= CODEC_ZSTD_FROM)
		packed = compress(c, raw, len);
	if (packed > 0)
		pack_seal(PACK_TAIL_ZSTD, c->packed.data, packed, out);
	else
		pack_seal(PACK_TAIL, raw, len, out);
}

/* ---- decoding ---- */

struct row {
	struct reader in;
	struct tail_point *points;
	size_t n, size; /* read so far, and room for */
};

/* How many points a group says it has: each takes eight bytes and more, so the bytes that are there bound it. */
static size_t
get_count(struct row *r)
{
	uint64_t n = get_varint(&r->in);

	if (n == 0 || n > (size_t)(r->in.end - r->in.at) / 8 || n > r->size - r->n)
		r->in.damaged = true;
	return r->in.damaged ? 0 : (size_t)n;
}

static void
get_doubles(struct row *r, struct tail_point *to, size_t n)
{
	if ((size_t)(r->in.end - r->in.at) < 8 * n) {
		r->in.damaged = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = 0;

		for (size_t b = 0; b < 8; b++)
			bits |= (uint64_t)r->in.at[b * n + i] << (8 * b);
		memcpy(&to[i].value, &bits, sizeof(bits));
	}
	r->in.at += 8 * n;
}

static int32_t
key_or_damage(struct row *r, uint64_t key)
{
	if (key == 0 || key > INT32_MAX)
		r->in.damaged = true;
	return r->in.damaged ? 1 : (int32_t)key;
}

static void
get_key_group(struct row *r)
{
	int32_t key = key_or_damage(r, get_varint(&r->in));
	size_t n = get_count(r);
	struct tail_point *to = r->points + r->n;
	struct deltas steps = { 0 }, times = { 0 };

	for (size_t i = 0; i < n; i++) {
		to[i].key_id = key;
		to[i].step = get_next(&r->in, &steps);
	}
	for (size_t i = 0; i < n; i++)
		to[i].time_unix_ms = get_next(&r->in, &times);
	get_doubles(r, to, n);
	r->n += n;
}

static void
get_step_group(struct row *r)
{
	int64_t step = (int64_t)unzigzag(get_varint(&r->in)), time = (int64_t)unzigzag(get_varint(&r->in));
	size_t n = get_count(r);
	struct tail_point *to = r->points + r->n;
	uint64_t key = 0;

	for (size_t i = 0; i < n; i++) {
		key += unzigzag(get_varint(&r->in));
		to[i].key_id = key_or_damage(r, key);
		to[i].step = step;
		to[i].time_unix_ms = time;
	}
	get_doubles(r, to, n);
	r->n += n;
}

static bool
decode_groups(struct codec *c, const uint8_t *raw, size_t len, const struct tail_point **points, size_t *n)
{
	struct row r = { .in = { raw + 1, raw + len, false }, .size = len / 8 };

	if (len == 0 || raw[0] > BY_STEP)
		return false;
	if (r.size > CODEC_POINTS_MAX)
		r.size = CODEC_POINTS_MAX;
	r.points = scratch_room(&c->points, r.size + 1, sizeof(*r.points));
	while (r.in.at < r.in.end && !r.in.damaged) {
		if (raw[0] == BY_KEY)
			get_key_group(&r);
		else
			get_step_group(&r);
	}
	*points = r.points;
	*n = r.n;
	return !r.in.damaged;
}

bool
codec_decode(struct codec *c, const void *data, size_t len, const struct tail_point **points, size_t *n)
{
	struct reader r;
	size_t raw_len;
	uint8_t *raw;

	if (pack_open(PACK_TAIL, data, len, &r))
		return decode_groups(c, r.at, reader_left(&r), points, n);
	if (!pack_open(PACK_TAIL_ZSTD, data, len, &r) || reader_left(&r) < 4)
		return false;
	raw_len = get_u32(r.at);
	if (raw_len > RAW_MAX)
		return false;
	raw = scratch_room(&c->packed, raw_len, 1);
	return pack_decompress(&c->packer, raw, raw_len, r.at + 4, reader_left(&r) - 4) &&
	       decode_groups(c, raw, raw_len, points, n);
}
