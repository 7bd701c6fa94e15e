/* cairn pull, cairn resolve */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/cli.h"

static void
show_progress(void *arg, int64_t done, int64_t total)
{
	int64_t *shown = arg, now = clock_mono_ms();

	if (now - *shown < 200 && done < total)
		return;
	*shown = now;
	fprintf(stderr, "\r%3.0f %% of %.1f MB ", total > 0 ? 100.0 * (double)done / (double)total : 100.0,
		(double)total / 1e6);
	fflush(stderr);
}

static int
report_pull(const struct cli *cli, const cairn_ref *ref, const cairn_pull_result *r, int64_t began_ms)
{
	struct out o;

	if (!cli_has(cli, OPT_JSON))
		return out_line("%s", cli_value(cli, OPT_TO));
	out_begin(&o);
	jw_text_at(&o.w, "event", r->changed ? "pulled" : "unchanged");
	jw_text_at(&o.w, "model", ref->model);
	jw_text_at(&o.w, "alias", ref->alias[0] != '\0' ? ref->alias : NULL);
	jw_int_at(&o.w, "version", ref->version);
	jw_text_at(&o.w, "digest", ref->digest);
	if (ref->generation > 0)
		jw_int_at(&o.w, "generation", ref->generation);
	jw_bool_at(&o.w, "changed", r->changed != 0);
	jw_int_at(&o.w, "files", r->files);
	jw_int_at(&o.w, "bytes_fetched", r->bytes_fetched);
	jw_int_at(&o.w, "bytes_reused", r->bytes_reused);
	jw_real_at(&o.w, "seconds", (double)(clock_mono_ms() - began_ms) / 1000.0);
	jw_text_at(&o.w, "path", cli_value(cli, OPT_TO));
	return out_end(&o, CAIRN_OK);
}

static int
pull(const struct cli *cli, cairn_client *client)
{
	bool talk = !cli_has(cli, OPT_QUIET) && isatty(STDERR_FILENO);
	int64_t began = clock_mono_ms(), shown = 0;
	cairn_pull_options options = { .flags = cli_has(cli, OPT_FORCE) ? CAIRN_PULL_REPLACE : 0 };
	cairn_pull_result result;
	cairn_ref ref;
	int rc;

	if (talk) {
		options.progress = show_progress;
		options.progress_arg = &shown;
	}
	if ((rc = cairn_resolve(client, cli->operands.items[0], &ref)) != CAIRN_OK)
		return say_client(client, rc);
	rc = cairn_pull(client, &ref, cli_value(cli, OPT_TO), &options, &result);
	if (shown != 0)
		fputc('\n', stderr);
	if (rc != CAIRN_OK)
		return say_client(client, rc);
	return report_pull(cli, &ref, &result, began);
}

int
cmd_pull(struct cli *cli)
{
	cairn_options options = { 0 };
	cairn_client *client;
	int rc;

	if (str_empty(cli_value(cli, OPT_TO)))
		return say(CAIRN_EINVAL, "cairn pull needs --to DIR: where should the files go?");
	if ((rc = cli_open(cli, &options, &client)) != CAIRN_OK)
		return rc;
	rc = pull(cli, client);
	cairn_close(client);
	return rc;
}

/* ---- resolve ---- */

static int
print_field(const cairn_ref *ref, const char *field)
{
	const struct {
		const char *name, *text;
		int64_t number;
	} fields[] = {
		{ "model", ref->model, 0 },
		{ "alias", ref->alias, 0 },
		{ "digest", ref->digest, 0 },
		{ "version", NULL, ref->version },
		{ "generation", NULL, ref->generation },
		{ "size", NULL, ref->size },
		{ "files", NULL, ref->files },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!str_eq(fields[i].name, field))
			continue;
		return fields[i].text != NULL ? out_line("%s", fields[i].text)
					      : out_line("%lld", (long long)fields[i].number);
	}
	return say(CAIRN_EINVAL,
		"\"%s\" is no field: it should be model, alias, version, digest, generation, size or files",
		field);
}

static int
print_ref(const struct cli *cli, const cairn_ref *ref)
{
	struct out o;

	if (cli_has(cli, OPT_FIELD))
		return print_field(ref, cli_value(cli, OPT_FIELD));
	if (!cli_has(cli, OPT_JSON)) {
		out_line("model %s\nversion %lld\ndigest %s", ref->model, (long long)ref->version,
			ref->digest);
		return ref->generation > 0 ? out_line("generation %lld", (long long)ref->generation)
					   : CAIRN_OK;
	}
	out_begin(&o);
	jw_text_at(&o.w, "model", ref->model);
	jw_text_at(&o.w, "alias", ref->alias[0] != '\0' ? ref->alias : NULL);
	jw_int_at(&o.w, "version", ref->version);
	jw_text_at(&o.w, "digest", ref->digest);
	if (ref->generation > 0)
		jw_int_at(&o.w, "generation", ref->generation);
	jw_int_at(&o.w, "size", ref->size);
	jw_int_at(&o.w, "files", ref->files);
	return out_end(&o, CAIRN_OK);
}

int
cmd_resolve(struct cli *cli)
{
	cairn_options options = { 0 };
	cairn_client *client;
	cairn_ref ref;
	int rc;

	if (cli_has(cli, OPT_FIELD) && cli_has(cli, OPT_JSON))
		return say(CAIRN_EINVAL, "--field and --json do not go together");
	if ((rc = cli_open(cli, &options, &client)) != CAIRN_OK)
		return rc;
	rc = cairn_resolve(client, cli->operands.items[0], &ref);
	rc = rc == CAIRN_OK ? print_ref(cli, &ref) : say_client(client, rc);
	cairn_close(client);
	return rc;
}
