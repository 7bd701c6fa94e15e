/* Texts in IN lists: MLflow hands the list to Python, so Python's quotes and escapes hold. */
#include "search/parts.h"

#include <string.h>
#include "base/utf8.h"

static int
digit_of(char c, int base)
{
	int v = -1;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	return v < base ? v : -1;
}

/* \x41, \u00e9, \U0001f600: all the digits; \101: up to three. */
static bool
read_code(const char **s, const char *end, int digits, int base, struct buf *out)
{
	uint32_t cp = 0;
	char utf8[4];
	int n = 0;

	for (; n < digits && *s < end && digit_of(**s, base) >= 0; n++)
		cp = cp * (uint32_t)base + (uint32_t)digit_of(*(*s)++, base);
	if ((base == 16 && n < digits) || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return false;
	buf_add(out, utf8, utf8_put(utf8, cp));
	return true;
}

/* After the backslash. What is no escape stays as it is, backslash and all. */
static bool
read_escape(const char **s, const char *end, struct buf *out)
{
	static const char names[] = "\\'\"abfnrtv";
	static const char values[] = "\\'\"\a\b\f\n\r\t\v";
	const char *found;
	char c;

	if (*s >= end)
		return false;
	c = *(*s)++;
	if (c == 'x' || c == 'u' || c == 'U')
		return read_code(s, end, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, out);
	if (c >= '0' && c <= '7') {
		(*s)--;
		return read_code(s, end, 3, 8, out);
	}
	if (c == 'N')
		return false;
	if ((found = strchr(names, c)) != NULL) {
		buf_char(out, values[found - names]);
	} else if (c != '\n') {
		buf_char(out, '\\');
		buf_char(out, c);
	}
	return true;
}

bool
literal_read(const char **s, const char *end, struct buf *out)
{
	char quote;

	if (*s < end && (**s == 'u' || **s == 'U'))
		(*s)++;
	if (*s >= end || (**s != '\'' && **s != '"'))
		return false;
	quote = *(*s)++;
	while (*s < end && **s != quote) {
		char c = *(*s)++;

		if (c == '\n' || c == '\r')
			return false;
		if (c != '\\')
			buf_char(out, c);
		else if (!read_escape(s, end, out))
			return false;
	}
	if (*s >= end)
		return false;
	(*s)++;
	return true;
}
