/*
 * Tail rows: a few points of one run, packed. The format is in README.md; a row carries its version and a CRC32C, and the
 * decoder takes any bytes. A codec holds scratch memory: one thread at a time.
 */
#ifndef INGEST_CODEC_H
#define INGEST_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

#define CODEC_VERSION    1
#define CODEC_HEADER     6  /* version, codec, CRC32C */
#define CODEC_ZSTD_FROM  50 /* points in a row from which zstd pays */
#define CODEC_POINTS_MAX (1u << 20)

struct tail_point {
	int64_t step;
	int64_t time_unix_ms;
	double value;
	int32_t key_id; /* from 1 */
};

struct codec;

struct codec *codec_new(void);
void codec_free(struct codec *c); /* NULL is fine */

/* Append one row's data to `out`. n is at most CODEC_POINTS_MAX. NaN is written in one form; all else bit for bit. */
void codec_encode(struct codec *c, const struct tail_point *points, size_t n, struct buf *out);

/*
 * The points of a row, borrowed until the next call; points of one key keep the order in which they were encoded.
 * False: the bytes are damaged, or of a version we do not know.
 */
bool codec_decode(struct codec *c, const void *data, size_t len, const struct tail_point **points, size_t *n);

/* The checksum as it stands in bytes 2 to 5 of a row: over all of the row but itself. */
uint32_t codec_checksum(const void *data, size_t len);

#endif
