#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"

static void
add(struct list *l, const char *item)
{
	l->items = mem_resize(l->items, l->count + 1, sizeof(*l->items));
	l->items[l->count++] = item;
}

/* The option that arg names, "--to" or "--to=DIR"; NULL: the command has none such. */
static const struct option_row *
find_option(const struct command *c, const char *arg)
{
	size_t len = strcspn(arg, "=");

	for (const enum option_id *id = c->options; *id != OPT_COUNT; id++) {
		const struct option_row *row = &option_rows[*id];

		if (strlen(row->name) == len && strncmp(row->name, arg, len) == 0)
			return row;
	}
	return NULL;
}

/* *at is the argument; moves on when the value is the next one. */
static int
take_option(struct cli *cli, int argc, char **argv, int *at)
{
	const char *arg = argv[*at], *equals = strchr(arg, '=');
	const struct option_row *row = find_option(cli->command, arg);

	if (row == NULL)
		return say(CAIRN_EINVAL, "\"%s\" is no option of cairn %s: see cairn %s --help", arg,
			cli->command->name, cli->command->name);
	if (row->value == NULL && equals != NULL)
		return say(CAIRN_EINVAL, "%s takes no value", row->name);
	if (row->value != NULL && equals == NULL && ++*at >= argc)
		return say(CAIRN_EINVAL, "%s needs a value: %s %s", row->name, row->name, row->value);
	if (!row->many && row->value != NULL && cli->options[row->id].count > 0)
		return say(CAIRN_EINVAL, "%s is given twice", row->name);
	add(&cli->options[row->id], row->value == NULL ? "" : equals != NULL ? equals + 1 : argv[*at]);
	return CAIRN_OK;
}

int
cli_parse(struct cli *cli, int argc, char **argv)
{
	bool only_operands = false;

	for (int i = 0; i < argc; i++) {
		if (!only_operands && str_eq(argv[i], "--"))
			only_operands = true;
		else if (only_operands || !str_starts(argv[i], "-") || str_eq(argv[i], "-"))
			add(&cli->operands, argv[i]);
		else if (take_option(cli, argc, argv, &i) != CAIRN_OK)
			return CAIRN_EINVAL;
	}
	if (cli_has(cli, OPT_HELP) || cli->operands.count == cli->command->operand_count)
		return CAIRN_OK;
	if (cli->command->operand_count == 0)
		return say(CAIRN_EINVAL, "cairn %s takes nothing but options, not \"%s\"", cli->command->name,
			cli->operands.items[0]);
	return say(CAIRN_EINVAL, "cairn %s wants one %s", cli->command->name, cli->command->operands);
}

void
cli_free(struct cli *cli)
{
	for (int i = 0; i < OPT_COUNT; i++)
		free(cli->options[i].items);
	free(cli->operands.items);
}

bool
cli_has(const struct cli *cli, enum option_id id)
{
	return cli->options[id].count > 0;
}

const char *
cli_value(const struct cli *cli, enum option_id id)
{
	const struct list *l = &cli->options[id];

	return l->count == 0 ? NULL : l->items[l->count - 1];
}
