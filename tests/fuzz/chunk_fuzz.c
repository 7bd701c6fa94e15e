/*
 * Any bytes as a chunk, a bundle, a preview or a summary (the first byte says which), with version, kind and checksum put right so that
 * the decoder itself is reached: no crash; what chunks, bundles and summaries hold, encoded again, comes back the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "ingest/chunk.h"
#include "ingest/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct chunk_coder *one, *other;
static struct buf row;

static bool
same(const struct sample *a, const struct sample *b)
{
	return a->step == b->step && a->time_unix_ms == b->time_unix_ms &&
	       double_bits(a->value) == double_bits(b->value);
}

static void
chunk(const uint8_t *data, size_t len)
{
	const struct sample *was, *is;
	size_t n, m;

	if (!chunk_decode(one, data, len, &was, &n))
		return;
	assert(n > 0 && n <= CHUNK_POINTS_MAX);
	chunk_encode(one, was, n, &row);
	assert(chunk_decode(other, row.data, row.len, &is, &m));
	assert(n == m);
	for (size_t i = 0; i < n; i++)
		assert(same(&was[i], &is[i]));
}

static void
bundle(const uint8_t *data, size_t len)
{
	const struct bundle_series *was, *is;
	const int32_t keys[] = { 1, 2, 3, 256, 300 };
	size_t n, m;

	(void)bundle_decode(other, data, len, keys, 5, &is, &m);
	if (!bundle_decode(one, data, len, NULL, 0, &was, &n))
		return;
	assert(n > 0 && n <= BUNDLE_KEYS);
	bundle_encode(one, was, n, &row);
	assert(bundle_decode(other, row.data, row.len, NULL, 0, &is, &m));
	assert(n == m);
	for (size_t i = 0; i < n; i++) {
		assert(was[i].key_id == is[i].key_id && was[i].n == is[i].n);
		for (size_t k = 0; k < was[i].n; k++)
			assert(same(&was[i].samples[k], &is[i].samples[k]));
	}
}

static void
preview(const uint8_t *data, size_t len)
{
	const struct preview *p;
	size_t n;

	if (!preview_decode(one, data, len, &p, &n))
		return;
	for (size_t i = 0; i < n; i++)
		assert(p[i].n > 0 && p[i].real >= 0 && p[i].real <= p[i].n);
}

static void
summary(const uint8_t *data, size_t len)
{
	const struct series_summary *was, *is;
	size_t n, m;

	if (!summary_decode(one, data, len, &was, &n))
		return;
	summary_encode(one, was, n, &row);
	assert(summary_decode(other, row.data, row.len, &is, &m));
	assert(n == m);
	for (size_t i = 0; i < n; i++) {
		assert(was[i].key_id == is[i].key_id && was[i].n == is[i].n && was[i].real == is[i].real);
		assert(same(&was[i].first, &is[i].first) && same(&was[i].last, &is[i].last));
		assert(same(&was[i].min, &is[i].min) && same(&was[i].max, &is[i].max));
		assert(double_bits(was[i].sum) == double_bits(is[i].sum));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const decoders[])(
		const uint8_t *data, size_t len) = { chunk, bundle, preview, summary };
	struct buf sealed;

	if (one == NULL) {
		if (!hash_setup())
			return 1;
		one = chunk_coder_new();
		other = chunk_coder_new();
		buf_init(&row, 64u << 20);
	}
	for (size_t i = 0; i < 4; i++)
		decoders[i](data, size);
	if (size == 0)
		return 0;
	buf_clear(&row);
	buf_init(&sealed, 64u << 20);
	pack_seal((enum pack_kind)(PACK_CHUNK + data[0] % 4), data + 1, size - 1, &sealed);
	decoders[data[0] % 4]((const uint8_t *)sealed.data, sealed.len);
	buf_fini(&sealed);
	return 0;
}
