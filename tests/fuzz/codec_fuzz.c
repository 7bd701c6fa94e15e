/*
 * Any bytes as a tail row, with the checksum put right so that the decoder itself is reached: no crash; what it accepts, encoded
 * again, is accepted again with as many points.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "ingest/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tail_point *
copy_points(const struct tail_point *points, size_t n)
{
	struct tail_point *copy = malloc(n * sizeof(*copy) + 1);

	if (n > 0)
		memcpy(copy, points, n * sizeof(*copy));
	return copy;
}

static void
again(struct codec *c, const struct tail_point *points, size_t n)
{
	struct tail_point *copy = copy_points(points, n);
	struct buf row;
	size_t count;

	buf_init(&row, 256u << 20);
	codec_encode(c, copy, n, &row);
	assert(codec_decode(c, row.data, row.len, &points, &count));
	assert(count == n);
	for (size_t i = 0; i < count; i++)
		assert(points[i].key_id > 0);
	buf_fini(&row);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct codec *c;
	const struct tail_point *points;
	uint8_t *row;
	uint32_t sum;
	size_t n;

	if (c == NULL && (!hash_setup() || (c = codec_new()) == NULL))
		return 1;
	(void)codec_decode(c, data, size, &points, &n);
	if (size < CODEC_HEADER)
		return 0;
	row = malloc(size);
	memcpy(row, data, size);
	row[0] = CODEC_VERSION;
	row[1] &= 1;
	sum = codec_checksum(row, size);
	for (int i = 0; i < 4; i++)
		row[2 + i] = (uint8_t)(sum >> (8 * i));
	if (codec_decode(c, row, size, &points, &n))
		again(c, points, n);
	free(row);
	return 0;
}
