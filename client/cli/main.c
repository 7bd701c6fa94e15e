#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"

static volatile int cancelled;
const volatile int *const cli_cancel = &cancelled;

const struct option_row option_rows[OPT_COUNT] = {
	[OPT_HELP] = { OPT_HELP, "--help", NULL, false, "Say what the command does and stop." },
	[OPT_ADDRESS] = { OPT_ADDRESS, "--address", "URL", false,
		"The server, instead of CAIRN_TRACKING_URI or MLFLOW_TRACKING_URI." },
	[OPT_JSON] = { OPT_JSON, "--json", NULL, false, "Print the result as one JSON object on one line." },
	[OPT_QUIET] = { OPT_QUIET, "--quiet", NULL, false, "No progress; errors are still said." },
	[OPT_TO] = { OPT_TO, "--to", "DIR", false,
		"The directory to make. It appears whole and verified, or not at all." },
	[OPT_FORCE] = { OPT_FORCE, "--force", NULL, false,
		"Replace a directory that holds something else, in one step." },
	[OPT_FIELD] = { OPT_FIELD, "--field", "FIELD", false,
		"Print only this: model, alias, version, digest, generation, size or files." },
	[OPT_EXPERIMENT] = { OPT_EXPERIMENT, "--experiment", "NAME", false,
		"The experiment of a new run, made when there is none. Without it: Default." },
	[OPT_RUN] = { OPT_RUN, "--run", "ID", false, "Log to this run instead of a new one." },
	[OPT_NAME] = { OPT_NAME, "--name", "NAME", false, "The name of a new run." },
	[OPT_PARAM] = { OPT_PARAM, "--param", "KEY=VALUE", true, "A parameter." },
	[OPT_METRIC] = { OPT_METRIC, "--metric", "KEY=VALUE[@STEP]", true,
		"A point of a metric; or - to read lines \"KEY VALUE [STEP]\" from standard input." },
	[OPT_TAG] = { OPT_TAG, "--tag", "KEY=VALUE", true, "A tag." },
	[OPT_ARTIFACT] = { OPT_ARTIFACT, "--artifact", "PATH[=DEST]", true,
		"A file or folder to upload, and its path among the run's artifacts." },
	[OPT_END] = { OPT_END, "--end", "STATUS", false,
		"End the run: FINISHED, FAILED or KILLED. Without it the run stays as it is." },
};

static const enum option_id pull_options[] = { OPT_TO, OPT_FORCE, OPT_JSON, OPT_QUIET, OPT_ADDRESS, OPT_HELP,
	OPT_COUNT };
static const enum option_id resolve_options[] = { OPT_FIELD, OPT_JSON, OPT_QUIET, OPT_ADDRESS, OPT_HELP,
	OPT_COUNT };
static const enum option_id run_log_options[] = { OPT_EXPERIMENT, OPT_RUN, OPT_NAME, OPT_PARAM, OPT_METRIC,
	OPT_TAG, OPT_ARTIFACT, OPT_END, OPT_JSON, OPT_QUIET, OPT_ADDRESS, OPT_HELP, OPT_COUNT };
static const enum option_id status_options[] = { OPT_JSON, OPT_QUIET, OPT_ADDRESS, OPT_HELP, OPT_COUNT };

const struct command commands[] = {
	{ "pull", "NAME@ALIAS|NAME@VERSION", 1, "fetch a model version into a directory",
		"Asks which version is meant, fetches its files, checks each against its size and SHA-256, "
		"and puts the "
		"directory in its place with one rename. An interrupted pull goes on where it stopped.\n\n"
		"A directory that holds the same version already is left alone (exit 0). Another one is a "
		"conflict "
		"(exit 8) unless --force is given. Prints the directory.",
		pull_options, cmd_pull },
	{ "resolve", "NAME@ALIAS|NAME@VERSION", 1, "say which version an alias means",
		"One request. Prints model, version, digest and generation, a line each.", resolve_options,
		cmd_resolve },
	{ "run log", "", 0, "log parameters, metrics, tags and artifacts to a run",
		"Starts a run, or goes on with --run, logs what is given, and waits until the server has all "
		"of it. "
		"Prints the run's id.\n\n"
		"With --metric - every line of standard input is a point, \"KEY VALUE [STEP]\"; without a "
		"step the lines "
		"of a key are counted; a key with blanks in it needs one. A line that is none is said and "
		"passed over, and the exit code is "
		"then 2.",
		run_log_options, cmd_run_log },
	{ "status", "", 0, "is the server there, and who am I",
		"Asks once, without retries. Exit 5: not reached; exit 4: the credentials are not accepted.",
		status_options, cmd_status },
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

static void
on_signal(int number)
{
	cancelled = number;
}

static void
listen_for_signals(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL); /* a file too large is an error to report */
}

/* The words of a command's name that argv begins with; 0: another command. */
static int
words_matched(const struct command *c, int argc, char **argv)
{
	const char *rest = c->name;
	int n = 0;

	while (n < argc) {
		size_t len = strlen(argv[n]);

		if (strncmp(rest, argv[n], len) != 0 || (rest[len] != '\0' && rest[len] != ' '))
			return 0;
		n++;
		if (rest[len] == '\0')
			return n;
		rest += len + 1;
	}
	return 0;
}

static int
run_command(int argc, char **argv)
{
	struct cli cli = { 0 };
	int words = 0, rc;

	for (size_t i = 0; i < command_count && words == 0; i++)
		if ((words = words_matched(&commands[i], argc, argv)) > 0)
			cli.command = &commands[i];
	if (cli.command == NULL)
		return say(CAIRN_EINVAL, "\"%s\" is no command: see cairn --help", argv[0]);
	rc = cli_parse(&cli, argc - words, argv + words);
	if (rc == CAIRN_OK && cli_has(&cli, OPT_HELP))
		help_command(cli.command);
	else if (rc == CAIRN_OK)
		rc = cli.command->run(&cli);
	cli_free(&cli);
	if (rc == CAIRN_EINTERRUPTED)
		rc = 128 + (cancelled != 0 ? cancelled : SIGINT);
	return rc;
}

int
main(int argc, char **argv)
{
	int rc = CAIRN_OK;

	listen_for_signals();
	if (argc < 2)
		rc = say(CAIRN_EINVAL, "which command? See cairn --help");
	else if (str_eq(argv[1], "--help") || str_eq(argv[1], "help"))
		help_all();
	else if (str_eq(argv[1], "--version"))
		printf("cairn %s\n", cairn_version());
	else if (str_eq(argv[1], "--man"))
		help_man();
	else
		rc = run_command(argc - 1, argv + 1);
	if (fflush(stdout) != 0 && rc == CAIRN_OK)
		rc = say(CAIRN_EIO, "the result could not be written to standard output");
	return rc;
}
