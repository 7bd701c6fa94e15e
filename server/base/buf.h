/*
 * A growing buffer, born with a limit. Appending past the limit sets `overflow` and drops what is appended
 * from then on, so that a writer checks once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/status.h"

struct buf {
	char *data; /* NUL-terminated whenever not NULL */
	size_t len; /* without the NUL */
	size_t size;
	size_t limit;
	bool overflow;
};

void buf_init(struct buf *b, size_t limit); /* limit in bytes */
void buf_fini(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
/* Room for n more bytes at the returned address; then b->len += used. NULL over the limit. */
char *buf_room(struct buf *b, size_t n);
void buf_add_more(struct buf *b, const void *data, size_t len); /* buf_add, where there is no room yet */

static inline void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (b->overflow || len >= b->size - b->len || len == 0) {
		buf_add_more(b, data, len);
		return;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static inline void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void
buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

#endif
