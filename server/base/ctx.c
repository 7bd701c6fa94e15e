#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"

void
ctx_init(struct ctx *cx, struct arena *arena, const struct parts *parts)
{
	*cx = (struct ctx){ .arena = arena, .parts = parts, .actor = { .user_name = "" } };
	random_hex(cx->request_id, 8);
}

/*
 * In place: one line, and valid UTF-8 even where a user's text was cut in the middle of a character, for the sentence
 * becomes JSON.
 */
static void
clean(char *text)
{
	const char *from = text, *end = text + strlen(text);

	while (from < end) {
		const char *next = from;
		bool control = utf8_is_control(utf8_next(&next, end));
		size_t n = (size_t)(next - from);

		if (control)
			*text++ = ' ';
		else if (utf8_valid(from, n)) {
			memmove(text, from, n);
			text += n;
		}
		from = next;
	}
	*text = '\0';
}

enum status
fail(struct ctx *cx, enum status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cx->message, sizeof(cx->message), fmt, ap);
	va_end(ap);
	clean(cx->message);
	cx->status = st;
	return st;
}
