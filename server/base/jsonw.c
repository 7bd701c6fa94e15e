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

static void
put_text(struct buf *b, const char *s, size_t len)
{
	size_t from = 0;

	buf_char(b, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f)
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
	buf_char(b, '"');
}

void
jw_key(struct jsonw *w, const char *key)
{
	separate(w);
	put_text(w->buf, key, strlen(key));
	buf_char(w->buf, ':');
	w->comma[w->depth] = false;
}

void
jw_textn(struct jsonw *w, const char *s, size_t len)
{
	separate(w);
	put_text(w->buf, s, len);
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
	char text[INT_TEXT];

	separate(w);
	buf_add(w->buf, text, int_text(text, v));
}

void
jw_real(struct jsonw *w, double v)
{
	char text[DOUBLE_TEXT];

	if (isnan(v)) {
		jw_text(w, "NaN");
	} else if (isinf(v)) {
		jw_text(w, v > 0 ? "Infinity" : "-Infinity");
	} else {
		separate(w);
		buf_add(w->buf, text, double_text(text, v));
	}
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
