/* What the coders of chunks, bundles, previews and summaries share. Inside ingest only. */
#ifndef INGEST_CHUNK_CODER_H
#define INGEST_CHUNK_CODER_H

#include "ingest/chunk.h"
#include "ingest/planes.h"

/* Encoders may read what decoders gave out: that lies in memory of its own. */
struct chunk_coder {
	struct packer packer;
	struct scratch payload, column, values, axes, draft;               /* while a call works */
	struct scratch steps, times;                                       /* int64_t */
	struct scratch chunk, bundle, bundle_samples, previews, summaries; /* given out */
};

static inline bool
same_sample(const struct sample *a, const struct sample *b)
{
	return a->step == b->step && a->time_unix_ms == b->time_unix_ms &&
	       double_bits(a->value) == double_bits(b->value);
}

#define PARTS_MOST                                                                                           \
	(INT32_MAX / BUNDLE_KEYS) /* the number of a bundle, or of a part of run_summary, is at most this */

/* What the first key of a part is counted from; each key is then counted from the one before. */
static inline int32_t
first_key(size_t part)
{
	return (int32_t)part * BUNDLE_KEYS;
}

/* The next key of a part, greater than the one before (the first may be equal to it), or damage. */
int32_t get_key(struct reader *r, int32_t before, bool first, size_t part);

#endif
