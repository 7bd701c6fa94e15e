/* Stretches of a series: how they are made, joined and written. Numbers are written as distances within the stretch, and are short. */
#include "ingest/chunk_coder.h"

#include <assert.h>
#include <math.h>

#define FIELDS       13 /* numbers of a stretch */
#define BUCKETS_MOST 4096

void
preview_start(struct preview *p, const struct sample *s)
{
	bool real = !isnan(s->value);

	*p = (struct preview){ *s, *s, *s, *s, s->time_unix_ms, s->time_unix_ms, real ? s->value : 0, 1,
		real };
}

static void
widen(struct preview *p, int64_t time_lo, int64_t time_hi)
{
	if (time_lo < p->time_lo_unix_ms)
		p->time_lo_unix_ms = time_lo;
	if (time_hi > p->time_hi_unix_ms)
		p->time_hi_unix_ms = time_hi;
}

/* When p had none but NaN, what is real takes their place; of equals the earlier stays. */
static void
take_extremes(struct preview *p, const struct sample *min, const struct sample *max)
{
	if (p->real == 0 || min->value < p->min.value)
		p->min = *min;
	if (p->real == 0 || max->value > p->max.value)
		p->max = *max;
}

void
preview_add(struct preview *p, const struct sample *s)
{
	p->last = *s;
	p->n++;
	widen(p, s->time_unix_ms, s->time_unix_ms);
	if (isnan(s->value))
		return;
	take_extremes(p, s, s);
	p->sum += s->value;
	p->real++;
}

void
preview_join(struct preview *p, const struct preview *next)
{
	p->last = next->last;
	p->n += next->n;
	widen(p, next->time_lo_unix_ms, next->time_hi_unix_ms);
	if (next->real == 0)
		return;
	take_extremes(p, &next->min, &next->max);
	p->sum += next->sum;
	p->real += next->real;
}

static size_t
cut(const struct sample *samples, size_t n, struct preview *out)
{
	size_t parts = n < PREVIEW_BUCKETS ? n : PREVIEW_BUCKETS;

	for (size_t part = 0; part < parts; part++) {
		preview_start(&out[part], &samples[part * n / parts]);
		for (size_t i = part * n / parts + 1; i < (part + 1) * n / parts; i++)
			preview_add(&out[part], &samples[i]);
	}
	return parts;
}

static uint8_t *
put_distance(uint8_t *p, int64_t from, int64_t to)
{
	return put_varint(p, zigzag((uint64_t)to - (uint64_t)from));
}

static int64_t
get_distance(struct reader *r, int64_t from)
{
	return (int64_t)((uint64_t)from + unzigzag(get_varint(r)));
}

static uint8_t *
put_moment(uint8_t *p, const struct sample *from, const struct sample *to)
{
	p = put_distance(p, from->step, to->step);
	return put_distance(p, from->time_unix_ms, to->time_unix_ms);
}

static void
get_moment(struct reader *r, const struct sample *from, struct sample *to)
{
	to->step = get_distance(r, from->step);
	to->time_unix_ms = get_distance(r, from->time_unix_ms);
}

static uint8_t *
put_numbers(uint8_t *p, const struct preview *b, const struct sample *before)
{
	p = put_varint(p, (uint64_t)b->n);
	p = put_varint(p, (uint64_t)(b->n - b->real));
	p = put_moment(p, before, &b->first);
	p = put_moment(p, &b->first, &b->last);
	p = put_moment(p, &b->first, &b->min);
	p = put_moment(p, &b->first, &b->max);
	p = put_distance(p, b->first.time_unix_ms, b->time_lo_unix_ms);
	return put_distance(p, b->last.time_unix_ms, b->time_hi_unix_ms);
}

static void
get_numbers(struct reader *r, struct preview *b, const struct sample *before)
{
	b->n = (int64_t)get_size(r, 1, INT64_MAX);
	b->real = b->n - (int64_t)get_size(r, 0, (size_t)b->n);
	get_moment(r, before, &b->first);
	get_moment(r, &b->first, &b->last);
	get_moment(r, &b->first, &b->min);
	get_moment(r, &b->first, &b->max);
	b->time_lo_unix_ms = get_distance(r, b->first.time_unix_ms);
	b->time_hi_unix_ms = get_distance(r, b->last.time_unix_ms);
}

/* Firsts, lasts, least and greatest of all stretches, then their sums. */
static void
gather(const struct preview *b, size_t n, double *values)
{
	for (size_t i = 0; i < n; i++) {
		values[i] = b[i].first.value;
		values[n + i] = b[i].last.value;
		values[2 * n + i] = b[i].min.value;
		values[3 * n + i] = b[i].max.value;
		values[4 * n + i] = b[i].sum;
	}
}

static void
scatter(struct preview *b, size_t n, const double *values)
{
	for (size_t i = 0; i < n; i++) {
		b[i].first.value = values[i];
		b[i].last.value = values[n + i];
		b[i].min.value = values[2 * n + i];
		b[i].max.value = values[3 * n + i];
		b[i].sum = values[4 * n + i];
	}
}

void
preview_encode(struct chunk_coder *c, const struct sample *samples, size_t n, struct buf *out)
{
	struct preview buckets[PREVIEW_BUCKETS];
	size_t made = cut(samples, n, buckets);
	uint8_t numbers[PREVIEW_BUCKETS * FIELDS * PACK_VARINT_MOST], *end = numbers;
	double values[PREVIEW_BUCKETS * 5];
	uint32_t count = (uint32_t)(4 * made), sums = (uint32_t)made;
	uint8_t *payload = scratch_room(
			&c->payload, 64 + sizeof(numbers) + 2 * values_most(PREVIEW_BUCKETS * 5, 1), 1),
		*p = payload;
	const struct sample zero = { 0 };

	assert(n > 0);
	for (size_t i = 0; i < made; i++)
		end = put_numbers(end, &buckets[i], i == 0 ? &zero : &buckets[i - 1].last);
	gather(buckets, made, values);
	p = put_varint(p, made);
	p = put_sized_column(&c->packer, p, numbers, (size_t)(end - numbers));
	p = put_values(&c->packer, p, values, &count, 1);
	p = put_values(&c->packer, p, values + count, &sums, 1);
	pack_seal(PACK_PREVIEW, payload, (size_t)(p - payload), out);
}

bool
preview_decode(
	struct chunk_coder *c, const void *data, size_t len, const struct preview **previews, size_t *n)
{
	struct reader r, numbers;
	const struct sample zero = { 0 };
	struct preview *b;
	double *values;
	uint32_t count, sums;

	if (!pack_open(PACK_PREVIEW, data, len, &r) || (*n = get_size(&r, 1, BUCKETS_MOST)) == 0)
		return false;
	numbers = get_sized_column(&c->packer, &r, &c->column, *n * FIELDS * PACK_VARINT_MOST);
	b = scratch_room(&c->previews, *n, sizeof(*b));
	for (size_t i = 0; i < *n; i++)
		get_numbers(&numbers, &b[i], i == 0 ? &zero : &b[i - 1].last);
	values = scratch_room(&c->values, *n * 5, sizeof(*values));
	count = (uint32_t)(*n * 4);
	sums = (uint32_t)*n;
	if (numbers.damaged || numbers.at != numbers.end || !get_values(&c->packer, &r, values, &count, 1) ||
		!get_values(&c->packer, &r, values + count, &sums, 1) || reader_left(&r) > 0)
		return false;
	scatter(b, *n, values);
	*previews = b;
	return true;
}
