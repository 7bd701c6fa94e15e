#include <string.h>
#include "base/utf8.h"
#include "http/decode.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the escape at `text` stands for; -1 when malformed or zero. */
static int
escaped_byte(const char *text, size_t len)
{
	int high, low;

	if (len < 3)
		return -1;
	high = hex_digit(text[1]);
	low = hex_digit(text[2]);
	if (high < 0 || low < 0 || (high | low) == 0)
		return -1;
	return high * 16 + low;
}

bool
decode_text(char *out, size_t *out_len, const char *text, size_t len, bool plus)
{
	size_t n = 0;
	int byte;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%') {
			byte = escaped_byte(text + i, len - i);
			if (byte < 0)
				return false;
			out[n++] = (char)byte;
			i += 2;
		} else {
			out[n++] = plus && text[i] == '+' ? ' ' : text[i];
		}
	}
	out[n] = '\0';
	*out_len = n;
	return utf8_valid(out, n);
}

static size_t
count_char(const char *s, char c)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == c;
	return n;
}

bool
decode_path(struct arena *arena, const char *path, struct segment **out, size_t *n)
{
	struct segment *list = arena_array(arena, count_char(path, '/'), sizeof *list);
	size_t count = 0;

	while (*path == '/') {
		struct segment *s = &list[count++];
		size_t len = strcspn(++path, "/");
		char *text = arena_alloc(arena, len + 1);

		if (!decode_text(text, &s->len, path, len, false))
			return false;
		s->text = text;
		s->separator = strpbrk(text, "/\\") != NULL;
		path += len;
	}
	*out = list;
	*n = count;
	return true;
}

static bool
decode_pair(struct arena *arena, const char *text, size_t len, struct pair *out)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	size_t value_len = equals ? len - name_len - 1 : 0;
	char *name = arena_alloc(arena, name_len + 1);
	char *value = arena_alloc(arena, value_len + 1);
	size_t decoded;

	out->name = name;
	out->value = value;
	return decode_text(name, &decoded, text, name_len, true) &&
	       decode_text(value, &decoded, text + len - value_len, value_len, true);
}

bool
decode_query(struct arena *arena, const char *query, struct pair **out, size_t *n)
{
	struct pair *list = arena_array(arena, count_char(query, '&') + 1, sizeof *list);
	size_t count = 0;

	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (len > 0 && !decode_pair(arena, query, len, &list[count++]))
			return false;
		query += len;
		query += *query == '&';
	}
	*out = list;
	*n = count;
	return true;
}
