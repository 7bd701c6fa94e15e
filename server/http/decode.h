/* Percent-decoding, once: what comes out is never decoded again. Pure functions. */
#ifndef HTTP_DECODE_H
#define HTTP_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/fields.h"

/* A piece of a path between two slashes, decoded. */
struct segment {
	const char *text; /* NUL-terminated */
	size_t len;
	bool separator; /* holds a slash or a backslash */
};

/*
 * Decode `len` bytes into `out` (room for len + 1). False for a bad escape, %00, or what is not valid UTF-8.
 * `plus`: a '+' is a blank (query strings).
 */
bool decode_text(char *out, size_t *out_len, const char *text, size_t len, bool plus);

/* "/a/b%20c" gives "a", "b c". The path starts with '/'. False as above; the segments live in the arena. */
bool decode_path(struct arena *arena, const char *path, struct segment **out, size_t *n);

/* "a=1&b" gives pairs in their order; a name without '=' has the value "". */
bool decode_query(struct arena *arena, const char *query, struct pair **out, size_t *n);

#endif
