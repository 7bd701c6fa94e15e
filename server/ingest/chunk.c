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
	scratch_fini(&c->axes);
	scratch_fini(&c->draft);
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

/* Samples as columns, in the coder's memory. */
static void
split(struct chunk_coder *c, const struct sample *samples, size_t n)
{
	int64_t *steps = scratch_room(&c->steps, n, sizeof(*steps));
	int64_t *times = scratch_room(&c->times, n, sizeof(*times));
	double *values = scratch_room(&c->values, n, sizeof(*values));

	for (size_t i = 0; i < n; i++) {
		values[i] = samples[i].value;
		times[i] = samples[i].time_unix_ms;
		steps[i] = samples[i].step;
	}
}

void
chunk_encode(struct chunk_coder *c, const struct sample *samples, size_t n, struct buf *out)
{
	uint8_t *payload = scratch_room(&c->payload, 16 * n + values_most(n, 1) + 256, 1), *p = payload;
	uint32_t count = (uint32_t)n;

	assert(n > 0 && n <= CHUNK_POINTS_MAX);
	split(c, samples, n);
	p = put_varint(p, n);
	p = put_sequence(&c->packer, p, c->steps.data, n);
	p = put_sequence(&c->packer, p, c->times.data, n);
	p = put_values(&c->packer, p, c->values.data, &count, 1);
	pack_seal(PACK_CHUNK, payload, (size_t)(p - payload), out);
}

static struct sample *
join(struct chunk_coder *c, size_t n)
{
	struct sample *to = scratch_room(&c->chunk, n, sizeof(*to));
	const int64_t *steps = c->steps.data, *times = c->times.data;
	const double *values = c->values.data;

	for (size_t i = 0; i < n; i++)
		to[i] = (struct sample){ values[i], times[i], steps[i] };
	return to;
}

bool
chunk_decode(struct chunk_coder *c, const void *data, size_t len, const struct sample **samples, size_t *n)
{
	struct reader r;
	uint32_t count;

	if (!pack_open(PACK_CHUNK, data, len, &r))
		return false;
	count = (uint32_t)get_size(&r, 1, CHUNK_POINTS_MAX);
	if (count == 0 ||
		!get_sequence(&c->packer, &r, scratch_room(&c->steps, count, sizeof(int64_t)), count) ||
		!get_sequence(&c->packer, &r, scratch_room(&c->times, count, sizeof(int64_t)), count) ||
		!get_values(&c->packer, &r, scratch_room(&c->values, count, sizeof(double)), &count, 1) ||
		reader_left(&r) > 0)
		return false;
	*samples = join(c, count);
	*n = count;
	return true;
}
