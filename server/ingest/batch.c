#include "ingest/batch.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

#include "base/utf8.h"
#include "ingest/pack.h"
#include "wire/metrics.h"

#define POINT_LEAST 9 /* bytes that a point takes at least */

struct reading {
	struct ctx *cx;
	const uint8_t *start;
	struct reader in;
	struct metric_batch *out;
	size_t n; /* points so far */
};

static enum status
damaged(const struct reading *r, const char *what)
{
	return fail(r->cx, BAD_REQUEST, "the batch cannot be read at byte %zu: %s",
		(size_t)(r->in.at - r->start), what);
}

static enum status
get_number(struct reading *r, uint64_t *out)
{
	*out = get_varint(&r->in);
	return r->in.damaged ? damaged(r, "expected a number of 64 bits, seven bits a byte") : OK;
}

/* How many of something, each of which takes `least` bytes of what is left. */
static enum status
get_count(struct reading *r, size_t least, size_t *out)
{
	uint64_t n;
	enum status st = get_number(r, &n);

	if (st == OK && n > reader_left(&r->in) / least)
		st = damaged(r, "the number of what follows is larger than the rest of the batch");
	*out = st == OK ? (size_t)n : 0;
	return st;
}

static enum status
get_name(struct reading *r, const char **out)
{
	size_t len;
	enum status st = get_count(r, 1, &len);

	if (st != OK)
		return st;
	if (len == 0 || !utf8_valid((const char *)r->in.at, len))
		return damaged(r, "a metric's name must be UTF-8 text without NUL, and not empty");
	*out = arena_strn(r->cx->arena, (const char *)r->in.at, len);
	r->in.at += len;
	return OK;
}

static enum status
get_names(struct reading *r)
{
	struct metric_batch *out = r->out;
	enum status st = get_count(r, 2, &out->name_count);

	if (st == OK && out->name_count > out->n)
		st = damaged(r, "there are more names than points");
	if (st != OK)
		return st;
	out->names = arena_array(r->cx->arena, out->name_count, sizeof(*out->names));
	for (size_t i = 0; st == OK && i < out->name_count; i++)
		st = get_name(r, &out->names[i]);
	return st;
}

static enum status
get_key(struct reading *r, const char **out)
{
	uint64_t at;
	enum status st = get_number(r, &at);

	if (st == OK && at >= r->out->name_count)
		st = damaged(r, "there is no name of this number");
	if (st == OK)
		*out = r->out->names[at];
	return st;
}

/* Room for the points of a group, which each take `least` bytes. */
static enum status
get_points(struct reading *r, size_t least, struct point **to, size_t *n)
{
	enum status st = get_count(r, least, n);

	if (st == OK && (*n == 0 || *n > r->out->n - r->n))
		st = damaged(r, "a group has no points, or more than the batch says it has");
	*to = r->out->points + r->n;
	return st;
}

static enum status
read_values(struct reading *r, struct point *to, size_t n)
{
	if (r->in.damaged || reader_left(&r->in) < 8 * n)
		return damaged(r, "the steps, times or values of a group are cut short");
	for (size_t i = 0; i < n; i++, r->in.at += 8) {
		uint64_t bits = get_u32(r->in.at) | (uint64_t)get_u32(r->in.at + 4) << 32;

		memcpy(&to[i].value, &bits, sizeof(bits));
		if (isnan(to[i].value))
			to[i].value = (double)NAN;
	}
	r->n += n;
	return OK;
}

static enum status
get_key_group(struct reading *r)
{
	struct deltas steps = { 0 }, times = { 0 };
	struct point *to = NULL;
	const char *key = NULL;
	size_t n = 0;
	enum status st;

	if ((st = get_key(r, &key)) != OK || (st = get_points(r, POINT_LEAST + 1, &to, &n)) != OK)
		return st;
	for (size_t i = 0; i < n; i++) {
		to[i].key = key;
		to[i].step = get_next(&r->in, &steps);
	}
	for (size_t i = 0; i < n; i++)
		to[i].time_unix_ms = get_next(&r->in, &times);
	return read_values(r, to, n);
}

static enum status
get_step_group(struct reading *r)
{
	struct point *to = NULL;
	uint64_t step, time;
	size_t n = 0;
	enum status st;

	if ((st = get_number(r, &step)) != OK || (st = get_number(r, &time)) != OK ||
		(st = get_points(r, POINT_LEAST, &to, &n)) != OK)
		return st;
	for (size_t i = 0; st == OK && i < n; i++) {
		to[i].step = (int64_t)unzigzag(step);
		to[i].time_unix_ms = (int64_t)unzigzag(time);
		st = get_key(r, &to[i].key);
	}
	return st == OK ? read_values(r, to, n) : st;
}

static enum status
get_groups(struct reading *r)
{
	enum status st = OK;

	while (st == OK && r->in.at < r->in.end) {
		switch (*r->in.at++) {
		case WIRE_BY_KEY:
			st = get_key_group(r);
			break;
		case WIRE_BY_STEP:
			st = get_step_group(r);
			break;
		default:
			r->in.at--;
			st = damaged(r, "expected a group: 0, by key, or 1, by step");
		}
	}
	if (st == OK && r->n != r->out->n)
		st = fail(
			r->cx, BAD_REQUEST, "the batch says it has %zu points, and has %zu", r->out->n, r->n);
	return st;
}

static enum status
get_payload(struct reading *r)
{
	uint64_t n;
	enum status st = get_number(r, &n);

	if (st != OK)
		return st;
	if (n > WIRE_POINTS_MOST)
		return fail(r->cx, INVALID,
			"A batch logging request can contain at most %d metrics. Got %llu metrics. Please "
			"split up metrics across multiple requests and try again.",
			WIRE_POINTS_MOST, (unsigned long long)n);
	if (n > reader_left(&r->in) / POINT_LEAST)
		return damaged(r, "the batch says it has more points than fit into its bytes");
	r->out->n = (size_t)n;
	if ((st = get_names(r)) != OK)
		return st;
	r->out->points = arena_array(r->cx->arena, r->out->n, sizeof(*r->out->points));
	return get_groups(r);
}

/* ---- the whole ---- */

size_t
batch_size(const char *body, size_t len)
{
	const uint8_t *p = (const uint8_t *)body;

	return len >= WIRE_HEADER + 4 && p[4] == WIRE_ZSTD ? get_u32(p + WIRE_HEADER) : len;
}

static enum status
unpack(struct ctx *cx, const uint8_t *body, size_t len, struct reading *r)
{
	size_t size = batch_size((const char *)body, len), made;
	uint8_t *to;

	if (len < WIRE_HEADER + 4)
		return fail(cx, BAD_REQUEST, "the batch ends before it says how long it is when unpacked");
	if (size > WIRE_BODY_MOST)
		return fail(cx, TOO_LARGE, "a batch of %zu bytes when unpacked is over the limit of %u", size,
			WIRE_BODY_MOST);
	to = arena_alloc(cx->arena, size + 1);
	made = ZSTD_decompress(to, size, body + WIRE_HEADER + 4, len - WIRE_HEADER - 4);
	if (ZSTD_isError(made) || made != size)
		return fail(cx, BAD_REQUEST, "the batch is no zstd frame of %zu bytes: %s", size,
			ZSTD_isError(made) ? ZSTD_getErrorName(made) : "it is shorter");
	r->start = to;
	r->in = (struct reader){ .at = to, .end = to + size };
	return OK;
}

enum status
batch_read(struct ctx *cx, const char *body, size_t len, struct metric_batch *out)
{
	const uint8_t *p = (const uint8_t *)body;
	struct reading r = {
		.cx = cx, .start = p, .in = { .at = p + WIRE_HEADER, .end = p + len }, .out = out
	};
	enum status st = OK;

	memset(out, 0, sizeof(*out));
	if (len < WIRE_HEADER || memcmp(p, WIRE_METRICS_MAGIC, 3) != 0)
		return fail(cx, BAD_REQUEST, "the body is no batch of metrics: it begins with \"%s\"",
			WIRE_METRICS_MAGIC);
	if (p[3] != WIRE_VERSION)
		return fail(cx, BAD_REQUEST, "batches of version %d are not known here; version %d is", p[3],
			WIRE_VERSION);
	if (p[4] == WIRE_ZSTD)
		st = unpack(cx, p, len, &r);
	else if (p[4] != WIRE_PLAIN)
		st = fail(cx, BAD_REQUEST,
			"encoding %d of a batch is not known here: 0, plain, and 1, zstd, are", p[4]);
	return st == OK ? get_payload(&r) : st;
}
