#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

void
ctx_init(struct ctx *cx, struct arena *arena, const struct parts *parts)
{
	*cx = (struct ctx){ .arena = arena, .parts = parts, .actor = { .user_name = "" } };
	random_hex(cx->request_id, 8);
}

enum status
fail(struct ctx *cx, enum status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cx->message, sizeof(cx->message), fmt, ap);
	va_end(ap);
	for (char *c = cx->message; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	cx->status = st;
	return st;
}
