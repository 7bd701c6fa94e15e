/*
 * Page tokens name the last row by the values it is ordered by, so that rows that come and go do not shift the pages:
 * base64url of {"q":"<hash of the query>","v":["i5","d3ff0000000000000","tname",null]}. Doubles by their bits, integers in full.
 */
#include "search/parts.h"

#include <inttypes.h>
#include <string.h>
#include "base/hash.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"

#define QUERY_BYTES     8
#define TOKEN_MAX_BYTES (4u << 20)

static void
write_value(struct ctx *cx, struct jsonw *w, const struct search_value *v)
{
	uint8_t bits[8];
	char hex[17];
	uint64_t u;

	if (v->kind == VALUE_TEXT) {
		jw_text(w, arena_printf(cx->arena, "t%s", v->text));
	} else if (v->kind != VALUE_NUMBER) {
		jw_null(w);
	} else if (v->is_integer) {
		jw_text(w, arena_printf(cx->arena, "i%" PRId64, v->integer));
	} else {
		memcpy(&u, &v->number, sizeof u);
		for (int i = 0; i < 8; i++)
			bits[i] = (uint8_t)(u >> (56 - 8 * i));
		hex_encode(hex, bits, sizeof bits);
		jw_text(w, arena_printf(cx->arena, "d%s", hex));
	}
}

const char *
search_token(struct ctx *cx, const struct search *s, const struct search_value *last)
{
	char query[2 * QUERY_BYTES + 1];
	struct jsonw w;
	struct buf b;
	char *text;
	size_t size;

	hex_encode(query, s->hash, QUERY_BYTES);
	buf_init(&b, TOKEN_MAX_BYTES);
	jw_init(&w, &b);
	jw_object(&w);
	jw_text_at(&w, "q", query);
	jw_array_at(&w, "v");
	for (size_t i = 0; i < s->order_count; i++)
		write_value(cx, &w, &last[s->orders[i].slot]);
	jw_end(&w);
	jw_end(&w);
	size = (b.len * 4 + 2) / 3 + 1;
	text = arena_alloc(cx->arena, size);
	base64url_encode(text, size, b.data, b.len);
	buf_fini(&b);
	return text;
}

static bool
read_double(const char *hex, double *out)
{
	uint8_t bits[8];
	uint64_t u = 0;

	if (strlen(hex) != 16 || !hex_decode(bits, sizeof bits, hex))
		return false;
	for (int i = 0; i < 8; i++)
		u = u << 8 | bits[i];
	memcpy(out, &u, sizeof *out);
	return true;
}

/* Of the kind that the column has, so that a made-up token cannot bring rows to be compared with another. */
static bool
read_value(const struct search_column *c, const struct json *v, struct search_value *out)
{
	const char *text;

	if (json_kind(v) == JSON_KIND_NULL)
		return true;
	if (json_kind(v) != JSON_KIND_STRING)
		return false;
	text = json_text(v);
	if (*text == 't' && !c->numeric) {
		out->kind = VALUE_TEXT;
		out->text = text + 1;
		return true;
	}
	out->kind = VALUE_NUMBER;
	if (*text == 'i' && c->numeric) {
		out->is_integer = true;
		return str_int64(text + 1, &out->integer);
	}
	return *text == 'd' && c->numeric && read_double(text + 1, &out->number);
}

static enum status
refuse_token(struct ctx *cx, const char *why)
{
	return fail(cx, INVALID, "Invalid page token, %s", why);
}

static enum status
read_values(struct ctx *cx, const struct search *s, const struct json *list, struct search_value **values)
{
	struct search_value *out = arena_array(cx->arena, s->column_count + 1, sizeof *out);

	if (!list || json_kind(list) != JSON_KIND_ARRAY || json_length(list) != s->order_count)
		return refuse_token(cx, "its values do not fit the order");
	for (size_t i = 0; i < s->order_count; i++) {
		int slot = s->orders[i].slot;

		if (!read_value(&s->columns[slot], json_at(list, i), &out[slot]))
			return refuse_token(cx, "its values do not fit the order");
	}
	*values = out;
	return OK;
}

enum status
search_token_read(struct ctx *cx, const struct search *s, const char *token, struct search_value **values)
{
	char query[2 * QUERY_BYTES + 1];
	const struct json *doc, *q;
	size_t len = 0, size = strlen(token);
	char *text;

	if (size > TOKEN_MAX_BYTES)
		return refuse_token(cx, "it is too long to be one of this server's");
	text = arena_alloc(cx->arena, size + 1);
	if (!base64url_decode(text, size, &len, token, size))
		return refuse_token(cx, "could not base64-decode");
	if (json_parse(cx, text, len, &doc) != OK || json_kind(doc) != JSON_KIND_OBJECT)
		return refuse_token(cx, "it is none of this server's");
	hex_encode(query, s->hash, QUERY_BYTES);
	q = json_member(doc, "q");
	if (!q || json_kind(q) != JSON_KIND_STRING)
		return refuse_token(cx, "it is none of this server's");
	if (!str_eq(json_text(q), query))
		return refuse_token(cx, "it belongs to another query: filter, order and scope must be those "
					"of the first page");
	return read_values(cx, s, json_member(doc, "v"), values);
}
