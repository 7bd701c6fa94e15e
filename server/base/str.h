/* Small work on NUL-terminated text. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool str_eq(const char *a, const char *b);        /* two NULLs are equal */
bool str_eq_nocase(const char *a, const char *b); /* ASCII */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_empty(const char *s); /* NULL or "" */
/* Whole text is one decimal number in range; no blanks, no '+'. */
bool str_int64(const char *s, int64_t *out);
bool str_double(const char *s, double *out); /* also nan, inf, infinity in any case, with a sign */
/* Copy what fits and always end with NUL; false when cut. */
bool str_copy(char *out, size_t size, const char *s);

#endif
