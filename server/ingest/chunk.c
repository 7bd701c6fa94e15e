#include "ingest/chunk_coder.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

struct chunk_coder *
chunk_coder_new(void)
{
	return mem_alloc(sizeof(struct chunk_coder));
}

void
chunk_coder_free(struct chunk_coder *c)
{
	if (c == NULL)
		return;
	packer_fini(&c->packer);
	scratch_fini(&c->payload);
	scratch_fini(&c->column);
	scratch_fini(&c->values);
	scratch_fini(&c->counts);
	scratch_fini(&c->axes);
	scratch_fini(&c->numbers);
	scratch_fini(&c->steps);
	scratch_fini(&c->times);
	scratch_fini(&c->chunk);
	scratch_fini(&c->bundle);
	scratch_fini(&c->bundle_samples);
	scratch_fini(&c->previews);
	scratch_fini(&c->summaries);
	free(c);
}

int32_t
get_key(struct reader *r, int32_t before, bool first, size_t part)
{
	size_t gap = get_size(r, first ? 0 : 1, BUNDLE_KEYS - 1);
	size_t key = (size_t)before + gap;

	if (key == 0 || key / BUNDLE_KEYS != part || key > INT32_MAX)
		r->damaged = true;
	return r->damaged ? before : (int32_t)key;
}

bool
get_deltas(struct packer *k, struct reader *r, struct scratch *to, size_t n)
{
	struct reader in = get_sized_column(k, r, &k->numbers, n * PACK_VARINT_MOST);
	int64_t *out = scratch_room(to, n, sizeof(*out));
	struct deltas d = { 0 };

	for (size_t i = 0; i < n; i++)
		out[i] = get_next(&in, &d);
	return !in.damaged && in.at == in.end;
}

static uint8_t *
put_steps(struct chunk_coder *c, uint8_t *p, const struct sample *samples, size_t n)
{
	uint8_t *column = scratch_room(&c->column, n, PACK_VARINT_MOST), *end = column;
	struct deltas d = { 0 };

	for (size_t i = 0; i < n; i++)
		end = put_next(end, &d, samples[i].step);
	return put_sized_column(&c->packer, p, column, (size_t)(end - column));
}

static uint8_t *
put_times(struct chunk_coder *c, uint8_t *p, const struct sample *samples, size_t n)
{
	uint8_t *column = scratch_room(&c->column, n, PACK_VARINT_MOST), *end = column;
	struct deltas d = { 0 };

	for (size_t i = 0; i < n; i++)
		end = put_next(end, &d, samples[i].time_unix_ms);
	return put_sized_column(&c->packer, p, column, (size_t)(end - column));
}

void
chunk_encode(struct chunk_coder *c, const struct sample *samples, size_t n, struct buf *out)
{
	size_t most = 64 + n * 2 * PACK_VARINT_MOST + pack_values_most(n, 1);
	uint8_t *payload = scratch_room(&c->payload, most, 1), *p = payload;
	double *values = scratch_room(&c->values, n, sizeof(*values));
	uint32_t count = (uint32_t)n;

	assert(n > 0 && n <= CHUNK_POINTS_MAX);
	for (size_t i = 0; i < n; i++)
		values[i] = samples[i].value;
	p = put_varint(p, n);
	p = put_steps(c, p, samples, n);
	p = put_times(c, p, samples, n);
	p = put_values(&c->packer, p, values, &count, 1);
	pack_seal(PACK_CHUNK, payload, (size_t)(p - payload), out);
}

bool
chunk_decode(struct chunk_coder *c, const void *data, size_t len, const struct sample **samples, size_t *n)
{
	struct reader r;
	struct sample *to;
	const int64_t *steps, *times;
	double *values;
	uint32_t count;

	if (!pack_open(PACK_CHUNK, data, len, &r))
		return false;
	count = (uint32_t)get_size(&r, 1, CHUNK_POINTS_MAX);
	if (count == 0 || !get_deltas(&c->packer, &r, &c->steps, count) ||
		!get_deltas(&c->packer, &r, &c->times, count))
		return false;
	values = scratch_room(&c->values, count, sizeof(*values));
	if (!get_values(&c->packer, &r, values, &count, 1) || reader_left(&r) > 0)
		return false;
	steps = c->steps.data;
	times = c->times.data;
	to = scratch_room(&c->chunk, count, sizeof(*to));
	for (size_t i = 0; i < count; i++)
		to[i] = (struct sample){ values[i], times[i], steps[i] };
	*samples = to;
	*n = count;
	return true;
}
