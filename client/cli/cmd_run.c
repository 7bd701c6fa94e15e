/* cairn run log */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"

#define PACE 20000 /* points after which we wait for the server, so that the queue never fills */

struct log {
	const struct cli *cli;
	cairn_client *client;
	cairn_run *run;
	enum cairn_run_status end; /* 0: leave it open */
	size_t since_flush;
	int trouble; /* the first thing that was passed over */
	struct count {
		struct count *next;
		int64_t next_step;
		char key[];
	} * counts; /* of lines without a step */
};

/* "key=value" apart, in memory of their own. */
static int
pair_of(const char *option, const char *text, char **key, const char **value)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return say(CAIRN_EINVAL, "%s \"%s\" should read KEY=VALUE", option, text);
	*key = mem_str(text);
	(*key)[equals - text] = '\0';
	*value = equals + 1;
	return CAIRN_OK;
}

static int
refused(const char *what, const char *key, int rc)
{
	return say(rc,
		"the %s \"%.300s\" is not allowed: up to 250 letters, digits, blanks and _ - . / : for the "
		"key, "
		"and a value that is not too long",
		what, key);
}

static int
log_labels(struct log *l, enum option_id id, const char *what,
	int (*log)(cairn_run *run, const char *key, const char *value))
{
	const struct list *all = &l->cli->options[id];
	int rc = CAIRN_OK;

	for (size_t i = 0; rc == CAIRN_OK && i < all->count; i++) {
		const char *value;
		char *key = NULL;

		rc = pair_of(option_rows[id].name, all->items[i], &key, &value);
		if (rc == CAIRN_OK && (rc = log(l->run, key, value)) != CAIRN_OK)
			refused(what, key, rc);
		free(key);
	}
	return rc;
}

static int
log_point(struct log *l, const char *key, double value, int64_t step)
{
	int rc = cairn_run_metric(l->run, key, value, step);

	if (rc == CAIRN_OK && ++l->since_flush >= PACE) {
		l->since_flush = 0;
		if ((rc = cairn_run_flush(l->run, -1)) != CAIRN_OK)
			say_run(l->run, rc);
	} else if (rc != CAIRN_OK) {
		refused("metric", key, rc);
	}
	return rc;
}

/* "key=value" or "key=value@step" */
static int
log_metric(struct log *l, const char *text)
{
	const char *value;
	char *key = NULL, *number, *at;
	double v = 0;
	int64_t step = 0;
	int rc = pair_of("--metric", text, &key, &value);

	if (rc != CAIRN_OK)
		return rc;
	number = mem_str(value);
	if ((at = strchr(number, '@')) != NULL)
		*at++ = '\0';
	if (!str_double(number, &v) || (at != NULL && !str_int64(at, &step)))
		rc = say(CAIRN_EINVAL, "--metric \"%s\" should read KEY=NUMBER or KEY=NUMBER@STEP", text);
	else
		rc = log_point(l, key, v, step);
	free(number);
	free(key);
	return rc;
}

/* The step of a line that names none: the lines of a key are counted from 0. */
static int64_t
count_step(struct log *l, const char *key)
{
	size_t n = strlen(key) + 1;
	struct count *c = l->counts;

	while (c != NULL && !str_eq(c->key, key))
		c = c->next;
	if (c == NULL) {
		c = mem_alloc(sizeof(*c) + n);
		memcpy(c->key, key, n);
		c->next = l->counts;
		l->counts = c;
	}
	return c->next_step++;
}

static void
free_counts(struct log *l)
{
	while (l->counts != NULL) {
		struct count *next = l->counts->next;

		free(l->counts);
		l->counts = next;
	}
}

/* The last word of *end, cut off; NULL: there is but one. */
static char *
last_word(char *line)
{
	char *blank = strrchr(line, ' ');

	if (blank == NULL || blank == line)
		return NULL;
	*blank = '\0';
	return blank + 1;
}

/*
 * "KEY VALUE STEP", or "KEY VALUE" for a key without blanks: the line is read from its end, since a key may hold blanks.
 */
static int
log_line(struct log *l, char *line, size_t number)
{
	char *shown = mem_str(line), *last = last_word(line), *before = last == NULL ? NULL : last_word(line);
	double v = 0;
	int64_t step = 0;
	int rc;

	if (before != NULL && str_double(before, &v) && str_int64(last, &step))
		rc = log_point(l, line, v, step);
	else if (before == NULL && last != NULL && str_double(last, &v))
		rc = log_point(l, line, v, count_step(l, line));
	else
		rc = say(CAIRN_EINVAL, "line %zu, \"%.100s\", should read KEY VALUE [STEP]", number, shown);
	free(shown);
	return rc;
}

static int
log_stdin(struct log *l)
{
	char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t n;
	int rc = CAIRN_OK;

	while (rc == CAIRN_OK && *cli_cancel == 0 && (n = getline(&line, &size, stdin)) >= 0) {
		for (ssize_t i = 0; i < n; i++)
			if (line[i] == '\t')
				line[i] = ' ';
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' '))
			line[--n] = '\0';
		number++;
		if (n == 0 || (rc = log_line(l, line, number)) != CAIRN_EINVAL)
			continue;
		l->trouble = rc;
		rc = CAIRN_OK;
	}
	free(line);
	return *cli_cancel != 0 ? CAIRN_EINTERRUPTED : rc;
}

static int
log_metrics(struct log *l)
{
	const struct list *all = &l->cli->options[OPT_METRIC];
	int rc = CAIRN_OK;

	for (size_t i = 0; rc == CAIRN_OK && i < all->count; i++)
		rc = str_eq(all->items[i], "-") ? log_stdin(l) : log_metric(l, all->items[i]);
	return rc;
}

/* A path may hold '=' itself: what exists as it stands is taken so. */
static int
log_artifact(struct log *l, const char *text)
{
	char *path = mem_str(text), *equals = strrchr(path, '=');
	const char *dest = NULL;
	int rc;

	if (equals != NULL && access(text, F_OK) != 0) {
		*equals = '\0';
		dest = equals + 1;
	}
	rc = cairn_run_artifact(l->run, path, dest);
	if (rc != CAIRN_OK)
		say_run(l->run, rc);
	free(path);
	return rc;
}

static int
log_artifacts(struct log *l)
{
	const struct list *all = &l->cli->options[OPT_ARTIFACT];
	int rc = CAIRN_OK;

	for (size_t i = 0; rc == CAIRN_OK && i < all->count; i++)
		rc = log_artifact(l, all->items[i]);
	return rc;
}

static int
open_run(struct log *l)
{
	const cairn_run_options options = {
		.experiment = cli_value(l->cli, OPT_EXPERIMENT),
		.name = cli_value(l->cli, OPT_NAME),
	};
	int rc;

	if (cli_has(l->cli, OPT_RUN))
		rc = cairn_run_resume(l->client, cli_value(l->cli, OPT_RUN), &l->run);
	else
		rc = cairn_run_start(l->client, &options, &l->run);
	return rc == CAIRN_OK ? rc : say_client(l->client, rc);
}

static int
finish(struct log *l)
{
	int rc = l->end != 0 ? cairn_run_end(l->run, l->end) : cairn_run_flush(l->run, -1);

	return rc == CAIRN_OK ? rc : say_run(l->run, rc);
}

static int
report(const struct log *l, int rc)
{
	cairn_run_counts n;
	struct out o;

	if (!cli_has(l->cli, OPT_JSON)) {
		out_line("%s", cairn_run_id(l->run));
		return rc;
	}
	cairn_run_stats(l->run, &n);
	out_begin(&o);
	jw_text_at(&o.w, "event", "logged");
	jw_text_at(&o.w, "run_id", cairn_run_id(l->run));
	jw_text_at(&o.w, "experiment_id", cairn_run_experiment_id(l->run));
	jw_int_at(&o.w, "sent", (int64_t)n.sent);
	jw_int_at(&o.w, "dropped", (int64_t)n.dropped);
	jw_int_at(&o.w, "queued", (int64_t)n.queued);
	return out_end(&o, rc);
}

/* Whatever fails, what is queued goes out and the run's id is printed: the caller can go on from there. */
static int
log_all(struct log *l)
{
	int rc = open_run(l), last;

	if (rc != CAIRN_OK)
		return rc;
	rc = log_labels(l, OPT_PARAM, "parameter", cairn_run_param);
	if (rc == CAIRN_OK)
		rc = log_labels(l, OPT_TAG, "tag", cairn_run_tag);
	if (rc == CAIRN_OK)
		rc = log_metrics(l);
	if (rc == CAIRN_OK)
		rc = log_artifacts(l);
	if (rc == CAIRN_OK)
		rc = l->trouble;
	last = rc == CAIRN_EINTERRUPTED ? rc : finish(l);
	return report(l, rc != CAIRN_OK ? rc : last);
}

static int
read_end(const struct cli *cli, enum cairn_run_status *out)
{
	const char *text = cli_value(cli, OPT_END);

	*out = 0;
	if (text == NULL)
		return CAIRN_OK;
	if (str_eq_nocase(text, "FINISHED"))
		*out = CAIRN_FINISHED;
	else if (str_eq_nocase(text, "FAILED"))
		*out = CAIRN_FAILED;
	else if (str_eq_nocase(text, "KILLED"))
		*out = CAIRN_KILLED;
	else
		return say(CAIRN_EINVAL, "--end \"%s\" should be FINISHED, FAILED or KILLED", text);
	return CAIRN_OK;
}

int
cmd_run_log(struct cli *cli)
{
	cairn_options options = { .drop = CAIRN_DROP_NEWEST };
	struct log l = { .cli = cli };
	int rc;

	if (cli_has(cli, OPT_RUN) && (cli_has(cli, OPT_NAME) || cli_has(cli, OPT_EXPERIMENT)))
		return say(CAIRN_EINVAL,
			"--run names a run that exists: --name and --experiment are for a new one");
	if ((rc = read_end(cli, &l.end)) != CAIRN_OK || (rc = cli_open(cli, &options, &l.client)) != CAIRN_OK)
		return rc;
	rc = log_all(&l);
	cairn_run_free(l.run);
	cairn_close(l.client);
	free_counts(&l);
	return rc;
}
