#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define WIDTH 78

static const struct {
	int code;
	const char *text;
} exit_codes[] = {
	{ 0, "the desired state is in place, changed or not" },
	{ 1, "an unexpected internal error" },
	{ 2, "a usage or configuration error" },
	{ 3, "not found: model, alias, version, run or file" },
	{ 4, "not signed in, or not allowed" },
	{ 5, "the server was not reached or failed, after retries" },
	{ 6, "integrity: a size or digest is not as promised" },
	{ 8, "a conflict: the directory holds something else, or another pull is at work" },
	{ 9, "this machine: disk full, permissions" },
	{ 14, "not all was sent in the time given" },
	{ 130, "interrupted; 143 when terminated" },
};

static const struct {
	const char *name, *text;
} variables[] = {
	{ "CAIRN_TRACKING_URI", "Address of the server; else MLFLOW_TRACKING_URI." },
	{ "CAIRN_TOKEN", "A bearer token." },
	{ "MLFLOW_TRACKING_USERNAME", "With MLFLOW_TRACKING_PASSWORD, when there is no CAIRN_TOKEN." },
	{ "MLFLOW_TRACKING_TOKEN", "A bearer token, when there is neither." },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A paragraph, wrapped and indented. */
static void
wrap(const char *text, int indent)
{
	int column = 0;

	while (*text != '\0') {
		size_t word = strcspn(text, " \n");

		if (column > 0 && column + 1 + (int)word > WIDTH - indent) {
			putchar('\n');
			column = 0;
		}
		printf("%*s%.*s", column == 0 ? indent : 1, "", (int)word, text);
		column += (int)word + (column > 0);
		text += word;
		for (; *text == ' ' || *text == '\n'; text++)
			if (*text == '\n') {
				putchar('\n');
				column = 0;
			}
	}
	putchar('\n');
}

void
help_all(void)
{
	printf("usage: cairn COMMAND [OPTION]...\n\nLog runs to a Cairn server, and fetch registered "
	       "models.\n\n");
	for (size_t i = 0; i < command_count; i++)
		printf("  %-9s %s\n", commands[i].name, commands[i].summary);
	printf("\n  cairn COMMAND --help, cairn --version, cairn --man\n\nenvironment:\n");
	for (size_t i = 0; i < COUNT(variables); i++)
		printf("  %-25s %s\n", variables[i].name, variables[i].text);
	printf("\nexit codes:\n");
	for (size_t i = 0; i < COUNT(exit_codes); i++)
		printf("  %3d  %s\n", exit_codes[i].code, exit_codes[i].text);
}

void
help_command(const struct command *c)
{
	printf("usage: cairn %s%s%s [OPTION]...\n\n", c->name, c->operands[0] != '\0' ? " " : "",
		c->operands);
	wrap(c->about, 0);
	printf("\noptions:\n");
	for (const enum option_id *id = c->options; *id != OPT_COUNT; id++) {
		const struct option_row *row = &option_rows[*id];

		printf("  %s%s%s%s\n", row->name, row->value != NULL ? " " : "",
			row->value != NULL ? row->value : "", row->many ? "  (may be repeated)" : "");
		wrap(row->help, 6);
	}
}

/* ---- the man page ---- */

/* Text for roff: hyphens stay hyphens, backslashes and dots at the start of a line are no commands. */
static void
roff(const char *text)
{
	bool start = true;

	for (; *text != '\0'; text++) {
		if (start && (*text == '.' || *text == '\''))
			printf("\\&");
		if (*text == '-')
			printf("\\-");
		else if (*text == '\\')
			printf("\\e");
		else if (*text == '\n')
			printf(text[1] == '\n' ? "\n.PP" : "\n");
		else
			putchar(*text);
		start = *text == '\n';
	}
	putchar('\n');
}

static void
man_command(const struct command *c)
{
	printf(".SS cairn %s", c->name);
	printf("%s%s\n", c->operands[0] != '\0' ? " " : "", c->operands);
	roff(c->about);
	for (const enum option_id *id = c->options; *id != OPT_COUNT; id++) {
		const struct option_row *row = &option_rows[*id];

		if (row->id == OPT_HELP || row->id == OPT_ADDRESS || row->id == OPT_JSON ||
			row->id == OPT_QUIET)
			continue;
		printf(".TP\n\\fB\\-\\-%s\\fR", row->name + 2);
		printf("%s%s%s\n", row->value != NULL ? " \\fI" : "", row->value != NULL ? row->value : "",
			row->value != NULL ? "\\fR" : "");
		roff(row->help);
	}
}

static void
man_common(void)
{
	static const enum option_id common[] = { OPT_ADDRESS, OPT_JSON, OPT_QUIET, OPT_HELP };

	printf(".SH OPTIONS OF EVERY COMMAND\n");
	for (size_t i = 0; i < COUNT(common); i++) {
		printf(".TP\n\\fB\\-\\-%s\\fR\n", option_rows[common[i]].name + 2);
		roff(option_rows[common[i]].help);
	}
}

void
help_man(void)
{
	printf(".TH CAIRN 1 \"\" \"cairn %s\" \"User Commands\"\n.SH NAME\ncairn \\- log training runs and "
	       "fetch "
	       "registered models\n.SH SYNOPSIS\n",
		cairn_version());
	for (size_t i = 0; i < command_count; i++)
		printf("%s\\fBcairn %s\\fR %s [\\fIOPTION\\fR]...\n", i > 0 ? ".br\n" : "", commands[i].name,
			commands[i].operands);
	printf(".SH DESCRIPTION\nThe result goes to standard output, all else to standard error.\n");
	for (size_t i = 0; i < command_count; i++)
		man_command(&commands[i]);
	man_common();
	printf(".SH ENVIRONMENT\n");
	for (size_t i = 0; i < COUNT(variables); i++) {
		printf(".TP\n\\fB%s\\fR\n", variables[i].name);
		roff(variables[i].text);
	}
	printf(".SH EXIT STATUS\n");
	for (size_t i = 0; i < COUNT(exit_codes); i++) {
		printf(".TP\n%d\n", exit_codes[i].code);
		roff(exit_codes[i].text);
	}
	printf(".SH FILES\n.TP\n\\fIDIR\\fB/.cairn.json\\fR\nWhich version a pulled directory holds.\n.SH "
	       "SEE ALSO\n"
	       "libcairn(3)\n");
}
