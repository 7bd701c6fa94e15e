#include "base/jsonw.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/number_text.h"

void
jw_init(struct jsonw *w, struct buf *buf)
{
	w->buf = buf;
	w->depth = 0;
	w->comma[0] = false;
}

/* Before a value or a key: the comma, unless a key stands before it. */
static void
separate(struct jsonw *w)
{
	if (w->comma[w->depth])
		buf_char(w->buf, ',');
	w->comma[w->depth] = true;
}

static void
open_level(struct jsonw *w, bool array)
{
	separate(w);
	buf_char(w->buf, array ? '[' : '{');
	assert((size_t)w->depth + 1 < sizeof(w->comma));
	w->depth++;
	w->comma[w->depth] = false;
	w->array[w->depth] = array;
}

void
jw_object(struct jsonw *w)
{
	open_level(w, false);
}

void
jw_array(struct jsonw *w)
{
	open_level(w, true);
}

void
jw_end(struct jsonw *w)
{
	assert(w->depth > 0);
	buf_char(w->buf, w->array[w->depth] ? ']' : '}');
	w->depth--;
}

/* What stands in a string as it is: all but control characters, quote and backslash. */
static bool
is_plain(unsigned char c)
{
	return c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
}

static bool
all_plain(const char *s, size_t len)
{
	unsigned odd = 0;

	for (size_t i = 0; i < len; i++)
		odd |= !is_plain((unsigned char)s[i]);
	return odd == 0;
}

static void
put_escaped(struct buf *b, const char *s, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (is_plain(c))
			continue;
		buf_add(b, s + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\')
			buf_add(b, (char[]){ '\\', (char)c }, 2);
		else if (c == '\n')
			buf_add(b, "\\n", 2);
		else if (c == '\t')
			buf_add(b, "\\t", 2);
		else if (c == '\r')
			buf_add(b, "\\r", 2);
		else
			buf_printf(b, "\\u%04x", c);
	}
	buf_add(b, s + from, len - from);
}

/* The comma where one is due, the string, and `end` behind its quote. */
static void
put_text(struct jsonw *w, const char *s, size_t len, const char *end, size_t end_len)
{
	struct buf *b = w->buf;
	bool comma = w->comma[w->depth];
	char *p;

	if (!all_plain(s, len)) {
		separate(w);
		buf_char(b, '"');
		put_escaped(b, s, len);
		buf_add(b, end, end_len);
		return;
	}
	w->comma[w->depth] = true;
	if ((p = buf_room(b, comma + 1 + len + end_len)) == NULL)
		return;
	if (comma)
		*p++ = ',';
	*p++ = '"';
	memcpy(p, s, len);
	memcpy(p + len, end, end_len);
	p[len + end_len] = '\0';
	b->len += comma + 1 + len + end_len;
}

void
jw_key(struct jsonw *w, const char *key)
{
	put_text(w, key, strlen(key), "\":", 2);
	w->comma[w->depth] = false;
}

void
jw_textn(struct jsonw *w, const char *s, size_t len)
{
	put_text(w, s, len, "\"", 1);
}

void
jw_text(struct jsonw *w, const char *s)
{
	if (s == NULL)
		jw_null(w);
	else
		jw_textn(w, s, strlen(s));
}

void
jw_int(struct jsonw *w, int64_t v)
{
	struct buf *b = w->buf;
	char text[INT_TEXT];

	separate(w);
	if (b->size - b->len >= INT_TEXT && !b->overflow)
		b->len += int_text(b->data + b->len, v);
	else
		buf_add(b, text, int_text(text, v));
}

void
jw_real(struct jsonw *w, double v)
{
	struct buf *b = w->buf;
	char text[DOUBLE_TEXT];

	if (isnan(v)) {
		jw_text(w, "NaN");
		return;
	}
	if (isinf(v)) {
		jw_text(w, v > 0 ? "Infinity" : "-Infinity");
		return;
	}
	separate(w);
	if (b->size - b->len >= DOUBLE_TEXT && !b->overflow)
		b->len += double_text(b->data + b->len, v);
	else
		buf_add(b, text, double_text(text, v));
}

void
jw_bool(struct jsonw *w, bool v)
{
	separate(w);
	buf_str(w->buf, v ? "true" : "false");
}

void
jw_null(struct jsonw *w)
{
	separate(w);
	buf_str(w->buf, "null");
}

void
jw_raw(struct jsonw *w, const char *json, size_t len)
{
	separate(w);
	buf_add(w->buf, json, len);
}

void
jw_object_at(struct jsonw *w, const char *key)
{
	jw_key(w, key);
	jw_object(w);
}

void
jw_array_at(struct jsonw *w, const char *key)
{
	jw_key(w, key);
	jw_array(w);
}

void
jw_text_at(struct jsonw *w, const char *key, const char *s)
{
	if (s == NULL)
		return;
	jw_key(w, key);
	jw_text(w, s);
}

void
jw_int_at(struct jsonw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_int(w, v);
}

void
jw_real_at(struct jsonw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_real(w, v);
}

void
jw_bool_at(struct jsonw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}
