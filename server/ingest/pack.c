#include "ingest/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/mem.h"

#define ZSTD_LEVEL 1
#define ZSTD_FROM  32 /* bytes of a column from which zstd may win over its own head */

enum { PLAIN = 0, REPEATED = 1, ZSTD = 2 };

/* ---- memory ---- */

void *
scratch_room(struct scratch *s, size_t n, size_t size)
{
	if (s->size < n * size || s->data == NULL) {
		free(s->data);
		s->size = n * size + n * size / 2 + 64;
		s->data = mem_array(s->size, 1);
	}
	return s->data;
}

void
scratch_fini(struct scratch *s)
{
	free(s->data);
	*s = (struct scratch){ 0 };
}

void
packer_fini(struct packer *k)
{
	ZSTD_freeCCtx(k->compressor);
	ZSTD_freeDCtx(k->decompressor);
	scratch_fini(&k->packed);
	scratch_fini(&k->planes);
	scratch_fini(&k->codes);
	scratch_fini(&k->doubles);
	scratch_fini(&k->numbers);
	scratch_fini(&k->forms);
	scratch_fini(&k->heads);
}

size_t
pack_compress(struct packer *k, void *room, size_t size, const void *raw, size_t len)
{
	size_t made;

	if (k->compressor == NULL && (k->compressor = ZSTD_createCCtx()) == NULL)
		return 0;
	made = ZSTD_compressCCtx(k->compressor, room, size, raw, len, ZSTD_LEVEL);
	return ZSTD_isError(made) ? 0 : made;
}

bool
pack_decompress(struct packer *k, void *to, size_t len, const void *data, size_t size)
{
	size_t made;

	if (k->decompressor == NULL && (k->decompressor = ZSTD_createDCtx()) == NULL)
		return false;
	made = ZSTD_decompressDCtx(k->decompressor, to, len, data, size);
	return !ZSTD_isError(made) && made == len;
}

/* ---- numbers ---- */

uint64_t
get_long_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	r->damaged = true;
	return 0;
}

size_t
get_size(struct reader *r, size_t least, size_t most)
{
	uint64_t v = get_varint(r);

	if (v < least || v > most)
		r->damaged = true;
	return r->damaged ? 0 : (size_t)v;
}

uint64_t
double_bits(double value)
{
	uint64_t bits;

	if (isnan(value))
		return UINT64_C(0x7ff8000000000000);
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* ---- columns ---- */

uint8_t *
put_column(struct packer *k, uint8_t *p, const uint8_t *raw, size_t len)
{
	size_t made;
	uint8_t *to;

	if (len > 1 && memcmp(raw, raw + 1, len - 1) == 0) {
		*p++ = REPEATED;
		*p++ = raw[0];
		return p;
	}
	/* the varint of its length takes a byte and more */
	if (len >= ZSTD_FROM) {
		to = scratch_room(&k->packed, len, 1);
		made = pack_compress(k, to, len - PACK_VARINT_MOST, raw, len);
		if (made > 0) {
			*p++ = ZSTD;
			p = put_varint(p, made);
			memcpy(p, to, made);
			return p + made;
		}
	}
	*p++ = PLAIN;
	if (len > 0)
		memcpy(p, raw, len);
	return p + len;
}

static const uint8_t *
take(struct reader *r, size_t len)
{
	const uint8_t *p = r->at;

	if (r->damaged || len > reader_left(r)) {
		r->damaged = true;
		return NULL;
	}
	r->at += len;
	return p;
}

bool
get_repeated(struct reader *r, uint8_t *byte)
{
	if (r->damaged || reader_left(r) < 2 || r->at[0] != REPEATED)
		return false;
	*byte = r->at[1];
	r->at += 2;
	return true;
}

static const uint8_t *
get_packed(struct packer *k, struct reader *r, uint8_t *to, size_t len)
{
	size_t size = get_size(r, 1, reader_left(r));
	const uint8_t *data = take(r, size);

	if (data != NULL && pack_decompress(k, to, len, data, size))
		return to;
	r->damaged = true;
	return NULL;
}

const uint8_t *
get_column(struct packer *k, struct reader *r, uint8_t *to, size_t len)
{
	const uint8_t *form;
	uint8_t byte;

	if (get_repeated(r, &byte))
		return memset(to, byte, len);
	form = take(r, 1);
	if (form != NULL && *form == PLAIN)
		return take(r, len);
	if (form != NULL && *form == ZSTD)
		return get_packed(k, r, to, len);
	r->damaged = true;
	return NULL;
}

uint8_t *
put_sized_column(struct packer *k, uint8_t *p, const uint8_t *raw, size_t len)
{
	return put_column(k, put_varint(p, len), raw, len);
}

struct reader
get_sized_column(struct packer *k, struct reader *r, struct scratch *to, size_t most)
{
	size_t len = get_size(r, 0, most);
	const uint8_t *p = r->damaged ? NULL : get_column(k, r, scratch_room(to, len + 1, 1), len);

	return p == NULL ? (struct reader){ .damaged = true } : (struct reader){ p, p + len, false };
}

/* ---- frames ---- */

uint32_t
pack_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;

	return crc32c(crc32c(0, p, 2), p + PACK_HEADER, len - PACK_HEADER);
}

void
pack_seal(enum pack_kind kind, const void *payload, size_t len, struct buf *out)
{
	uint8_t *to = (uint8_t *)buf_room(out, PACK_HEADER + len);

	if (to == NULL)
		return;
	to[0] = PACK_VERSION;
	to[1] = (uint8_t)kind;
	memcpy(to + PACK_HEADER, payload, len);
	put_u32(to + 2, pack_checksum(to, PACK_HEADER + len));
	out->len += PACK_HEADER + len;
}

bool
pack_open(enum pack_kind kind, const void *data, size_t len, struct reader *payload)
{
	const uint8_t *p = data;

	if (len < PACK_HEADER || p[0] != PACK_VERSION || p[1] != kind ||
		get_u32(p + 2) != pack_checksum(p, len))
		return false;
	*payload = (struct reader){ p + PACK_HEADER, p + len, false };
	return true;
}
