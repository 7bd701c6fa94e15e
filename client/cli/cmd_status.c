/* cairn status */
#include "base/clock.h"
#include "base/str.h"
#include "cli/cli.h"

static void
print_lines(const cairn_client *client, const cairn_server *s, int64_t took_ms)
{
	out_line("address %s\nversion %s\ndatabase PostgreSQL %s", cairn_client_address(client), s->version,
		s->database);
	if (!s->sign_in)
		out_line("user none: the server asks for no sign-in");
	else
		out_line("user %s%s", s->user, s->is_admin ? " (administrator)" : "");
	out_line("up %lld s\nanswered in %lld ms", (long long)(s->uptime_ms / 1000), (long long)took_ms);
}

static void
write_server(struct jsonw *w, const cairn_server *s, int64_t took_ms)
{
	jw_text_at(w, "version", s->version);
	jw_text_at(w, "database", s->database);
	jw_int_at(w, "uptime_ms", s->uptime_ms);
	jw_bool_at(w, "auth", s->sign_in != 0);
	jw_text_at(w, "user", s->user[0] != '\0' ? s->user : NULL);
	jw_bool_at(w, "is_admin", s->is_admin != 0);
	jw_int_at(w, "answer_ms", took_ms);
}

static int
print_json(cairn_client *client, const cairn_server *s, int rc, int64_t took_ms)
{
	char message[1024];
	struct out o;

	out_begin(&o);
	jw_text_at(&o.w, "address", cairn_client_address(client));
	jw_bool_at(&o.w, "reachable", rc != CAIRN_ENETWORK);
	if (rc == CAIRN_OK) {
		write_server(&o.w, s, took_ms);
	} else {
		cairn_client_error(client, message, sizeof(message));
		jw_text_at(&o.w, "error", message);
		jw_int_at(&o.w, "code", rc);
	}
	return out_end(&o, rc);
}

/* A server that knows us by nothing still says its version: not being signed in is an answer, and a failure. */
static int
check_user(cairn_client *client, const cairn_server *s)
{
	if (!s->sign_in || s->user[0] != '\0')
		return CAIRN_OK;
	return say(CAIRN_EDENIED,
		"%s does not know who you are: set CAIRN_TOKEN, or MLFLOW_TRACKING_USERNAME and "
		"MLFLOW_TRACKING_PASSWORD",
		cairn_client_address(client));
}

int
cmd_status(struct cli *cli)
{
	cairn_options options = { .retry_ms = -1, .request_timeout_ms = 10000 };
	cairn_client *client;
	cairn_server server;
	int64_t began;
	int rc;

	if ((rc = cli_open(cli, &options, &client)) != CAIRN_OK)
		return rc;
	began = clock_mono_ms();
	rc = cairn_server_status(client, &server);
	if (cli_has(cli, OPT_JSON))
		print_json(client, &server, rc, clock_mono_ms() - began);
	else if (rc == CAIRN_OK)
		print_lines(client, &server, clock_mono_ms() - began);
	rc = rc == CAIRN_OK ? check_user(client, &server) : say_client(client, rc);
	cairn_close(client);
	return rc;
}
