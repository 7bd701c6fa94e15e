#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf){ .limit = limit };
}

void
buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .limit = b->limit };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

char *
buf_room(struct buf *b, size_t n)
{
	size_t want;

	if (b->overflow || n > b->limit || b->len > b->limit - n) {
		b->overflow = true;
		return NULL;
	}
	want = b->len + n + 1;
	if (want > b->size) {
		size_t size = b->size < 256 ? 256 : b->size;

		while (size < want)
			size *= 2;
		if (size - 1 > b->limit)
			size = b->limit + 1;
		b->data = mem_resize(b->data, size, 1);
		b->size = size;
	}
	return b->data + b->len;
}

void
buf_add_more(struct buf *b, const void *data, size_t len)
{
	char *room = buf_room(b, len);

	if (room == NULL)
		return;
	if (len > 0)
		memcpy(room, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *room;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (room = buf_room(b, (size_t)n)) == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(room, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}
