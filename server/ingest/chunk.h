/*
 * Chunks: what compaction makes of points. One series (chunk) or several short ones (bundle), compressed; previews of a chunk, for
 * charts; summaries of series. The formats are in README.md; data carries its version and a CRC32C, and decoders take any bytes.
 * Samples are in stored order (step, time, value) without exact duplicates. A coder holds scratch memory: one thread at a time;
 * what a decoder returns is borrowed until the next call of the same decoder with the same coder.
 */
#ifndef INGEST_CHUNK_H
#define INGEST_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "ingest/ingest.h"

#define CHUNK_POINTS      4096       /* a full chunk */
#define CHUNK_POINTS_MAX  (1u << 16) /* none has more */
#define BUNDLE_KEYS       256        /* numbers that share bundles, and a part of run_summary */
#define BUNDLE_BELOW      512        /* a series with fewer points goes into a bundle */
#define BUNDLE_POINTS_MAX (1u << 18) /* of all series of one bundle */
#define PREVIEW_FROM      256        /* points of a chunk that has a preview */
#define PREVIEW_BUCKETS   16

/* The key_id of the bundles, and the part of run_summary, in which a key's number belongs. */
static inline int32_t
bundle_of(int32_t key_id)
{
	return -(key_id / BUNDLE_KEYS) - 1;
}

struct chunk_coder;

struct chunk_coder *chunk_coder_new(void);
void chunk_coder_free(struct chunk_coder *c); /* NULL is fine */

/* Append a chunk's data. 1 to CHUNK_POINTS_MAX samples. NaN is written in one form, all else bit for bit. */
void chunk_encode(struct chunk_coder *c, const struct sample *samples, size_t n, struct buf *out);
/* False: damaged, or of a version we do not know; of all decoders. */
bool chunk_decode(
	struct chunk_coder *c, const void *data, size_t len, const struct sample **samples, size_t *n);

struct bundle_series {
	int32_t key_id;
	const struct sample *samples;
	size_t n; /* at least 1 */
};
/* Sorted by key_id, without twins, all of one bundle_of(). */
void bundle_encode(struct chunk_coder *c, const struct bundle_series *series, size_t n, struct buf *out);
/* keys: sorted; only these series are taken out. NULL: all. */
bool bundle_decode(struct chunk_coder *c, const void *data, size_t len, const int32_t *keys, size_t key_count,
	const struct bundle_series **series, size_t *n);

/* A stretch of a series. NaN counts in neither min nor max nor sum; when all are NaN, min and max are the first. */
struct preview {
	struct sample first, last, min, max;
	int64_t time_lo_unix_ms, time_hi_unix_ms; /* steps are those of first and last */
	double sum;                               /* of real: the samples that are no NaN */
	int64_t n, real;
};
/* What stretches are made of; also how two neighbours become one. */
void preview_start(struct preview *p, const struct sample *s);
void preview_add(struct preview *p, const struct sample *s); /* s comes after all that is in p */
void preview_join(struct preview *p, const struct preview *next);

/* Append the preview of a chunk: its samples in PREVIEW_BUCKETS stretches of equally many. */
void preview_encode(struct chunk_coder *c, const struct sample *samples, size_t n, struct buf *out);
bool preview_decode(
	struct chunk_coder *c, const void *data, size_t len, const struct preview **previews, size_t *n);

/* A series in a few numbers; same rules as of a preview, extremes at their earliest sample in stored order. */
struct series_summary {
	int32_t key_id;
	struct sample first, last, min, max;
	double sum;
	int64_t n, real;
};
/* Sorted by key_id, without twins, all of one part. */
void summary_encode(struct chunk_coder *c, const struct series_summary *series, size_t n, struct buf *out);
bool summary_decode(
	struct chunk_coder *c, const void *data, size_t len, const struct series_summary **series, size_t *n);

#endif
