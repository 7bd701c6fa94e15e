#include "ingest/cursor.h"

#include <stdbool.h>
#include <string.h>

#include "base/hash.h"
#include "store/metric_reads.h"

/* What is encoded: the mark, the identifier as 16 hex digits, the snapshot. */
#define MARK      "c1"
#define HEAD_SIZE (sizeof(MARK) - 1 + 16)

enum status
cursor_now(struct tx *tx, struct cursor *out)
{
	return store_metric_snapshot(tx, &out->snapshot, &out->system_identifier);
}

const char *
cursor_write(struct ctx *cx, const struct cursor *c)
{
	const char *plain = arena_printf(
		cx->arena, MARK "%016llx%s", (unsigned long long)c->system_identifier, c->snapshot);
	size_t size = strlen(plain) * 2 + 8;
	char *out = arena_alloc(cx->arena, size);

	base64url_encode(out, size, plain, strlen(plain));
	return out;
}

/* A transaction id: digits, and not 0. It is compared as a bigint, which has room for all that there will be. NULL: it is none. */
static const char *
read_xid(const char *at, uint64_t *out)
{
	uint64_t v = 0;
	const char *start = at;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (v > ((uint64_t)INT64_MAX - digit) / 10)
			return NULL;
		v = v * 10 + digit;
	}
	*out = v;
	return at == start || v == 0 ? NULL : at;
}

/* xmin:xmax:xip,xip with xmin <= xmax, xips rising and in [xmin, xmax): as PostgreSQL reads it. */
static bool
is_snapshot(const char *at)
{
	uint64_t lo, hi, before = 0, xip;

	if ((at = read_xid(at, &lo)) == NULL || *at++ != ':')
		return false;
	if ((at = read_xid(at, &hi)) == NULL || *at++ != ':' || hi < lo)
		return false;
	if (*at == '\0')
		return true;
	for (;; at++) {
		if ((at = read_xid(at, &xip)) == NULL || xip < lo || xip >= hi || xip < before)
			return false;
		before = xip;
		if (*at == '\0')
			return true;
		if (*at != ',')
			return false;
	}
}

static bool
read_plain(const char *plain, struct cursor *out)
{
	unsigned char id[8];
	uint64_t v = 0;
	char digits[17] = { 0 };

	if (strlen(plain) < HEAD_SIZE || memcmp(plain, MARK, sizeof(MARK) - 1) != 0)
		return false;
	memcpy(digits, plain + sizeof(MARK) - 1, 16);
	if (!hex_decode(id, sizeof(id), digits))
		return false;
	for (size_t i = 0; i < sizeof(id); i++)
		v = v << 8 | id[i];
	out->system_identifier = (int64_t)v;
	out->snapshot = plain + HEAD_SIZE;
	return is_snapshot(out->snapshot);
}

enum status
cursor_read(struct ctx *cx, const char *text, struct cursor *out)
{
	size_t len = strlen(text), got = 0;
	char *plain;

	if (len <= CURSOR_TEXT_MOST) {
		plain = arena_alloc(cx->arena, len + 1);
		if (base64url_decode(plain, len, &got, text, len) && strlen(plain) == got &&
			read_plain(plain, out))
			return OK;
	}
	return fail(cx, INVALID, "this cursor is not one of ours: take the one of the answer before");
}
