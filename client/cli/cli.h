/*
 * The program cairn: one table of commands (main.c) makes the parser, --help and the man page.
 * Standard output carries the result alone; progress and sentences go to standard error. Exit codes are those of cairn.h.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/jsonw.h"
#include "cairn/cairn.h"

enum option_id {
	OPT_HELP,
	OPT_ADDRESS,
	OPT_JSON,
	OPT_QUIET,
	OPT_TO,
	OPT_FORCE,
	OPT_FIELD,
	OPT_EXPERIMENT,
	OPT_RUN,
	OPT_NAME,
	OPT_PARAM,
	OPT_METRIC,
	OPT_TAG,
	OPT_ARTIFACT,
	OPT_END,
	OPT_COUNT
};

struct option_row {
	enum option_id id;
	const char *name;  /* "--to" */
	const char *value; /* "DIR"; NULL: a switch */
	bool many;
	const char *help; /* one sentence */
};

struct cli;

struct command {
	const char *name;     /* "run log" */
	const char *operands; /* "NAME@ALIAS|NAME@VERSION"; "" for none */
	size_t operand_count;
	const char *summary;           /* one line */
	const char *about;             /* paragraphs divided by an empty line */
	const enum option_id *options; /* ends with OPT_COUNT */
	int (*run)(struct cli *cli);
};

struct list {
	const char **items;
	size_t count;
};

struct cli {
	const struct command *command;
	struct list options[OPT_COUNT]; /* a switch that is set has one item, "" */
	struct list operands;
};

/* main.c */
extern const struct command commands[];
extern const size_t command_count;
extern const struct option_row option_rows[OPT_COUNT];
extern const volatile int *const cli_cancel; /* the number of the signal that asked us to stop */

/* options.c */
int cli_parse(struct cli *cli, int argc, char **argv); /* CAIRN_OK or CAIRN_EINVAL, said already */
void cli_free(struct cli *cli);
bool cli_has(const struct cli *cli, enum option_id id);
const char *cli_value(const struct cli *cli, enum option_id id); /* the last one; NULL: not given */

/* help.c */
void help_all(void);
void help_command(const struct command *c);
void help_man(void);

/* out.c */
int say(int code, const char *fmt, ...) printf_like(2, 3); /* "cairn: …" on standard error; returns code */
int say_client(cairn_client *c, int code);                 /* the sentence on the handle */
int say_run(cairn_run *run, int code);
struct out {
	struct buf buf;
	struct jsonw w;
};
void out_begin(struct out *o); /* one JSON object for standard output */
int out_end(struct out *o, int code);
int out_line(const char *fmt, ...) printf_like(1, 2);
/* CAIRN_OK, or CAIRN_EINVAL after its sentence. */
int cli_open(const struct cli *cli, cairn_options *options, cairn_client **out);

/* cmd_*.c */
int cmd_pull(struct cli *cli);
int cmd_resolve(struct cli *cli);
int cmd_run_log(struct cli *cli);
int cmd_status(struct cli *cli);

#endif
