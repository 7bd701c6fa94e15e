#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
str_eq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool
str_eq_nocase(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcasecmp(a, b) == 0;
}

bool
str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool
str_empty(const char *s)
{
	return s == NULL || *s == '\0';
}

bool
str_int64(const char *s, int64_t *out)
{
	char *end = NULL;
	long long v;

	if (!(*s == '-' || (*s >= '0' && *s <= '9')))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno != 0 || *end != '\0' || end[-1] == '-')
		return false;
	*out = v;
	return true;
}

bool
str_double(const char *s, double *out)
{
	char *end = NULL;

	if (*s == '\0' || *s == ' ' || (unsigned char)*s < ' ' || strpbrk(s, "xX(") != NULL)
		return false;
	*out = strtod(s, &end);
	return *end == '\0' && end != s;
}

bool
str_copy(char *out, size_t size, const char *s)
{
	size_t n = strlen(s);
	bool fits = n < size;

	if (size == 0)
		return false;
	if (!fits)
		n = size - 1;
	memcpy(out, s, n);
	out[n] = '\0';
	return fits;
}
