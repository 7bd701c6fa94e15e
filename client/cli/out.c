#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"

int
say(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("cairn: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

static int
say_message(int code, const char *message)
{
	return say(code, "%s", message[0] != '\0' ? message : cairn_code_text(code));
}

int
say_client(cairn_client *c, int code)
{
	char message[1024];

	cairn_client_error(c, message, sizeof(message));
	return say_message(code, message);
}

int
say_run(cairn_run *run, int code)
{
	char message[1024];

	cairn_run_error(run, message, sizeof(message));
	return say_message(code, message);
}

void
out_begin(struct out *o)
{
	buf_init(&o->buf, 1024 * 1024);
	jw_init(&o->w, &o->buf);
	jw_object(&o->w);
}

int
out_end(struct out *o, int code)
{
	jw_end(&o->w);
	printf("%s\n", o->buf.data);
	buf_fini(&o->buf);
	return code;
}

int
out_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	return CAIRN_OK;
}

int
cli_open(const struct cli *cli, cairn_options *options, cairn_client **out)
{
	int rc;

	options->address = cli_value(cli, OPT_ADDRESS);
	options->cancel = cli_cancel;
	rc = cairn_open(options, out);
	if (rc != CAIRN_OK) {
		say_client(*out, rc);
		cairn_close(*out);
		*out = NULL;
	}
	return rc;
}
