/*
 * What packed rows are made of: varints, differences, columns of bytes, and the frame with its checksum. Little endian; the
 * bytes are in README.md. Inside ingest only.
 */
#ifndef INGEST_PACK_H
#define INGEST_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "wire/varint.h"

#define PACK_VERSION     1
#define PACK_HEADER      6 /* version, kind, CRC32C */
#define PACK_VARINT_MOST VARINT_MOST

/* ---- memory that is kept between calls ---- */

struct scratch {
	void *data;
	size_t size;
};

/* Room for n things; what was there is gone. */
void *scratch_room(struct scratch *s, size_t n, size_t size);
void scratch_fini(struct scratch *s);

/* zstd's contexts and working memory; zeroed at first. One thread at a time. */
struct packer {
	struct ZSTD_CCtx_s *compressor;
	struct ZSTD_DCtx_s *decompressor;
	struct scratch packed, planes, codes, doubles, numbers, forms, heads;
};
void packer_fini(struct packer *k);

/* zstd level 1; 0: not below `room`, which has room for that many bytes, or no memory. */
size_t pack_compress(struct packer *k, void *room, size_t size, const void *raw, size_t len);
/* True: these bytes are a frame of exactly `len` bytes. */
bool pack_decompress(struct packer *k, void *to, size_t len, const void *data, size_t size);

/* ---- numbers ---- */

static inline uint8_t *
put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static inline uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Bytes that are read, to their end. A read past it, or of what cannot be, sets `damaged` and gives 0. */
struct reader {
	const uint8_t *at, *end;
	bool damaged;
};

uint64_t get_long_varint(struct reader *r);

static inline uint64_t
get_varint(struct reader *r)
{
	if (r->at < r->end && *r->at < 0x80)
		return *r->at++;
	return get_long_varint(r);
}

static inline size_t
reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

/* A varint between least and most, or damage and 0. */
size_t get_size(struct reader *r, size_t least, size_t most);

/* What put_next() wrote. */
static inline int64_t
get_next(struct reader *r, struct deltas *d)
{
	uint64_t v = unzigzag(get_varint(r)), delta = d->started ? v + d->delta : 0;

	if (d->started)
		v = d->last + delta;
	*d = (struct deltas){ v, delta, true };
	return (int64_t)v;
}

/* The bits of a double; of every NaN the same. */
uint64_t double_bits(double value);

/* ---- columns ---- */

/* Bytes in the shortest of three forms; at most len + 1. The length is the reader's to know. */
uint8_t *put_column(struct packer *k, uint8_t *p, const uint8_t *raw, size_t len);
/* Borrowed from the reader's bytes, or written to `to`, which has room; NULL: damaged. */
const uint8_t *get_column(struct packer *k, struct reader *r, uint8_t *to, size_t len);
/* The column is one byte again and again: it is passed over. Otherwise the reader stays where it is. */
bool get_repeated(struct reader *r, uint8_t *byte);

/* The same with its length before it (a varint), for columns of varints. */
uint8_t *put_sized_column(struct packer *k, uint8_t *p, const uint8_t *raw, size_t len);
/* A reader of its bytes, which are kept in `to`; a length over `most` is damage. */
struct reader get_sized_column(struct packer *k, struct reader *r, struct scratch *to, size_t most);

/* ---- frames ---- */

/* The second byte of a row. */
enum pack_kind {
	PACK_TAIL = 0,
	PACK_TAIL_ZSTD = 1,
	PACK_CHUNK = 16,
	PACK_BUNDLE = 17,
	PACK_PREVIEW = 18,
	PACK_SUMMARY = 19,
};

/* Over all of a row but the checksum itself. */
uint32_t pack_checksum(const void *data, size_t len);
/* Append version, kind, checksum and payload. */
void pack_seal(enum pack_kind kind, const void *payload, size_t len, struct buf *out);
/* The payload of a row whose version, kind and checksum are right. */
bool pack_open(enum pack_kind kind, const void *data, size_t len, struct reader *payload);

#endif
