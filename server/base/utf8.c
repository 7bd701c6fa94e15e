#include "base/utf8.h"

#include "base/unicode_tables.h"

/* Length of the sequence that starts here when it is well formed; 0 otherwise. */
static size_t
sequence(const unsigned char *s, size_t left)
{
	if (s[0] < 0x80)
		return s[0] != 0;
	if (s[0] < 0xc2 || left < 2 || (s[1] & 0xc0) != 0x80)
		return 0;
	if (s[0] < 0xe0)
		return 2;
	if (left < 3 || (s[2] & 0xc0) != 0x80)
		return 0;
	if (s[0] < 0xf0)
		return (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ? 0 : 3;
	if (left < 4 || (s[3] & 0xc0) != 0x80 || s[0] > 0xf4)
		return 0;
	return (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ? 0 : 4;
}

bool
utf8_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = sequence((const unsigned char *)s + i, len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

size_t
utf8_count(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

uint32_t
utf8_next(const char **s, const char *end)
{
	const unsigned char *p = (const unsigned char *)*s;
	size_t n;
	uint32_t cp;

	if (*s >= end)
		return 0;
	n = sequence(p, (size_t)(end - *s));
	if (n <= 1) { /* a malformed byte stands for itself, so that the walk always moves on */
		*s += 1;
		return p[0];
	}
	cp = n == 2 ? p[0] & 0x1fU : n == 3 ? p[0] & 0x0fU : p[0] & 0x07U;
	for (size_t i = 1; i < n; i++)
		cp = cp << 6 | (p[i] & 0x3fU);
	*s += n;
	return cp;
}

size_t
utf8_put(char out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

uint32_t
utf8_fold(uint32_t cp)
{
	size_t lo = 0, hi = sizeof(fold_ranges) / sizeof(fold_ranges[0]);

	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (cp > fold_ranges[mid].to)
			lo = mid + 1;
		else if (cp < fold_ranges[mid].from)
			hi = mid;
		else
			return (cp - fold_ranges[mid].from) % fold_ranges[mid].step == 0
				       ? (uint32_t)((int32_t)cp + fold_ranges[mid].delta)
				       : cp;
	}
	return cp;
}

bool
utf8_is_word(uint32_t cp)
{
	size_t lo = 0, hi = sizeof(word_ranges) / sizeof(word_ranges[0]);

	if (cp < 0x80)
		return (cp - '0' < 10) || ((cp | 0x20) - 'a' < 26) || cp == '_';
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (cp > word_ranges[mid].to)
			lo = mid + 1;
		else if (cp < word_ranges[mid].from)
			hi = mid;
		else
			return true;
	}
	return false;
}

bool
utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}
