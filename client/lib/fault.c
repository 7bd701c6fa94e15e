#include "lib/lib.h"

#include <stdarg.h>
#include <stdio.h>

int
fault_set(struct fault *f, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
	for (char *c = f->message; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	f->code = code;
	return code;
}

const char *
cairn_code_text(int code)
{
	static const struct {
		int code;
		const char *text;
	} table[] = {
		{ CAIRN_OK, "done" },
		{ CAIRN_EINTERNAL, "an unexpected internal error" },
		{ CAIRN_EINVAL, "an argument or a setting is wrong" },
		{ CAIRN_ENOTFOUND, "not found" },
		{ CAIRN_EDENIED, "not signed in, or not allowed" },
		{ CAIRN_ENETWORK, "the server was not reached, or failed" },
		{ CAIRN_EINTEGRITY, "size or digest are not as promised" },
		{ CAIRN_EPOLICY, "refused by a rule" },
		{ CAIRN_ECONFLICT, "it exists already, or something else holds it" },
		{ CAIRN_EIO, "a file or folder of this machine could not be read or written" },
		{ CAIRN_ETIMEOUT, "the time given was not enough" },
		{ CAIRN_EINTERRUPTED, "interrupted" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].text;
	return "an unknown code";
}

const char *
cairn_version(void)
{
	return CAIRN_VERSION;
}
