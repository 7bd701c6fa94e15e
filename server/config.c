/* Settings: the table, and what reads it. */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "outbound/network.h"

/* Which commands take a setting on their command line; the environment and the file may always hold it. */
enum {
	FOR_SERVE = 1,
	FOR_MIGRATE = 2,
	FOR_USER_ADD = 4,
	FOR_USER_PASSWORD = 8,
	FOR_USER_ADMIN = 16,
	FOR_USER_OTHER = 32,
	FOR_TOKEN_ADD = 64,
	FOR_ROUTES = 128,
	FOR_ALL = 127, /* all that use a database */
};

struct command_row {
	enum command id;
	const char *words;
	const char *operand;
	unsigned bit;
	const char *sentence;
};

static const struct command_row commands[] = {
	{ COMMAND_SERVE, "serve", NULL, FOR_SERVE,
		"Run the server until SIGTERM or SIGINT; a second signal ends it at once." },
	{ COMMAND_MIGRATE, "migrate", NULL, FOR_MIGRATE,
		"Bring the database's schema up to date; with --check say whether that is needed (exit code "
		"1); with --partitions cut the tables of metrics." },
	{ COMMAND_USER_ADD, "user add", "NAME", FOR_USER_ADD,
		"Add a user. The password is read from --password-file (\"-\": standard input), or made at "
		"random and printed." },
	{ COMMAND_USER_LIST, "user list", NULL, FOR_USER_OTHER, "List the users." },
	{ COMMAND_USER_PASSWORD, "user password", "NAME", FOR_USER_PASSWORD,
		"Set a new password, as with user add; ends the user's sessions." },
	{ COMMAND_USER_ENABLE, "user enable", "NAME", FOR_USER_OTHER, "Let a disabled user in again." },
	{ COMMAND_USER_DISABLE, "user disable", "NAME", FOR_USER_OTHER,
		"Keep a user out; what the user made stays." },
	{ COMMAND_USER_REMOVE, "user remove", "NAME", FOR_USER_OTHER,
		"Remove a user and the user's tokens." },
	{ COMMAND_USER_ADMIN, "user admin", "NAME", FOR_USER_ADMIN,
		"Make a user an administrator, or with --revoke an ordinary user." },
	{ COMMAND_TOKEN_ADD, "token add", "USER", FOR_TOKEN_ADD,
		"Make a token that speaks for a user, and print it." },
	{ COMMAND_ROUTES, "routes", NULL, FOR_ROUTES,
		"List the routes of the API: method, path, operation, what it needs, where it runs, largest "
		"body in bytes." },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

enum setting_type { TEXT, CHOICE, FLAG, NUMBER, LIST };

enum setting_flag {
	COMMAND_LINE_ONLY = 1,
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;
	unsigned commands;
	unsigned flags;
	const char *value;    /* what stands for the value in --help; CHOICE: the choices, "on|off" */
	const char *fallback; /* NULL: none */
	int64_t least, most;  /* NUMBER */
	const char *unit;     /* NUMBER */
	const char *sentence;
};

#define AT(m) offsetof(struct config, m)

/* A LIST is a pointer with its count behind it. */
static_assert(AT(allow_host_count) == AT(allow_hosts) + sizeof(const char **), "the count of a list");
static_assert(AT(outgoing_allow_count) == AT(outgoing_allow) + sizeof(const char **), "the count of a list");

static const struct setting settings[] = {
	{ "data", TEXT, AT(data), FOR_ALL, 0, "DIR", NULL, 0, 0, NULL,
		"Folder of this server: its own database, blobs, lock and port file. Made when missing; one "
		"server at a time." },
	{ "listen", TEXT, AT(listen), FOR_SERVE, 0, "ADDR:PORT", "127.0.0.1:5000", 0, 0, NULL,
		"Where to listen; [ADDR]:PORT for IPv6; port 0 takes any free one, which DIR/port then "
		"holds." },
	{ "database", TEXT, AT(database), FOR_ALL, 0, "CONNINFO", NULL, 0, 0, NULL,
		"Your own PostgreSQL (libpq's conninfo or postgresql:// address) instead of one that cairnd "
		"runs in DIR/postgres." },
	{ "blobs", TEXT, AT(blobs), FOR_SERVE, 0, "URI", NULL, 0, 0, NULL,
		"Where artifacts are kept: a folder, or file:///folder. Without it DIR/blobs." },
	{ "auth", CHOICE, AT(auth), FOR_SERVE, 0, "on|off", "on", 0, 0, NULL,
		"Whether callers must sign in; off only on a loopback address." },
	{ "allow-host", LIST, AT(allow_hosts), FOR_SERVE, 0, "NAME", NULL, 0, 0, NULL,
		"A host name, without port, by which requests may call this server, beside loopback names "
		"and the name in public-url. Repeat it, or separate names by commas." },
	{ "outgoing-allow", LIST, AT(outgoing_allow), FOR_SERVE, 0, "NETWORK", NULL, 0, 0, NULL,
		"A network (10.0.0.0/8, fd00::/8) or an address that webhooks may be sent to though it is "
		"not public, by http too. Without it they go to public addresses by https alone. Repeat it, "
		"or separate networks by commas." },
	{ "secret-key-file", TEXT, AT(secret_key_file), FOR_SERVE, 0, "FILE", NULL, 0, 0, NULL,
		"The key (64 hex digits) that seals secrets in the database, such as those of webhooks. "
		"Without it DIR/secret-key, made at the first start. Servers of one database need the "
		"same." },
	{ "public-url", TEXT, AT(public_url), FOR_SERVE, 0, "URL", NULL, 0, 0, NULL,
		"The address browsers use, https://HOST[:PORT]; needed to sign in by browser from other "
		"machines." },
	{ "migrate", FLAG, AT(migrate), FOR_SERVE, 0, NULL, NULL, 0, 0, NULL,
		"Bring the schema of --database up to date at the start. The embedded database always is." },
	{ "web", TEXT, AT(web), FOR_SERVE, 0, "DIR", NULL, 0, 0, NULL,
		"Serve the web interface from this folder instead of the one built in." },
	{ "log-format", CHOICE, AT(log_format), FOR_ALL, 0, "text|json", "text", 0, 0, NULL,
		"How a line of the log is written." },
	{ "log-level", CHOICE, AT(log_level), FOR_ALL, 0, "debug|info|warn|error", "info", 0, 0, NULL,
		"The least important lines that are logged." },
	{ "workers", NUMBER, AT(workers), FOR_SERVE, 0, "N", "24", 1, 256, "threads",
		"Requests worked on at the same time." },
	{ "loops", NUMBER, AT(loops), FOR_SERVE, 0, "N", "2", 1, 16, "threads",
		"Event loops that hold the connections." },
	{ "streams", NUMBER, AT(streams), FOR_SERVE, 0, "N", "16", 1, 256, "threads",
		"Uploads and downloads at the same time; more are asked to try again." },
	{ "connections", NUMBER, AT(connections), FOR_SERVE, 0, "N", "1024", 8, 65536, "connections",
		"Open connections of clients." },
	{ "connections-per-address", NUMBER, AT(connections_per_address), FOR_SERVE, 0, "N", "256", 0, 65536,
		"connections",
		"Open connections of one address, loopback apart; 0 for no limit, which is right behind a "
		"proxy "
		"on another machine." },
	{ "watchers", NUMBER, AT(watchers), FOR_SERVE, 0, "N", "512", 0, 65536, "streams",
		"Live streams of metrics at the same time, and a quarter of them of one user, or of one "
		"address when "
		"nobody signs in. Each holds one of the connections. 0 for none." },
	{ "pool", NUMBER, AT(pool), FOR_SERVE, 0, "N", "12", 3, 200, "connections",
		"Connections to PostgreSQL, opened when needed." },
	{ "search-memory", NUMBER, AT(search_memory_mib), FOR_SERVE, 0, "N", "256", 0, 1048576, "MiB",
		"Memory for the runs of experiments that are searched; larger ones are searched in the "
		"database. 0 for none." },
	{ "purge-deleted-after", NUMBER, AT(purge_deleted_days), FOR_SERVE, 0, "DAYS", "0", 0, 36500, "days",
		"Remove deleted runs for good, with their metrics and files, so long after they were "
		"deleted; "
		"0 for never." },
	{ "config", TEXT, AT(config), FOR_ALL, 0, "FILE", NULL, 0, 0, NULL,
		"A file of settings: lines \"name = value\"; lines that start with # are comments." },

	{ "check", FLAG, AT(check), FOR_MIGRATE, COMMAND_LINE_ONLY, NULL, NULL, 0, 0, NULL,
		"Change nothing, only say what would be done." },
	{ "partitions", NUMBER, AT(partitions), FOR_MIGRATE, COMMAND_LINE_ONLY, "N", "0", 0, 256, NULL,
		"Cut the tables of metrics into so many partitions by run (1: none); moves all their rows, "
		"while no "
		"server runs. 0 leaves them as they are." },
	{ "admin", FLAG, AT(admin), FOR_USER_ADD, COMMAND_LINE_ONLY, NULL, NULL, 0, 0, NULL,
		"The new user is an administrator." },
	{ "revoke", FLAG, AT(revoke), FOR_USER_ADMIN, COMMAND_LINE_ONLY, NULL, NULL, 0, 0, NULL,
		"No administrator any more." },
	{ "password-file", TEXT, AT(password_file), FOR_USER_ADD | FOR_USER_PASSWORD, COMMAND_LINE_ONLY,
		"FILE", NULL, 0, 0, NULL,
		"The first line of this file is the password; \"-\" reads standard input." },
	{ "name", TEXT, AT(name), FOR_TOKEN_ADD, COMMAND_LINE_ONLY, "NAME", "command line", 0, 0, NULL,
		"What the token is for, as lists show it." },
	{ "expires-days", NUMBER, AT(expires_days), FOR_TOKEN_ADD, COMMAND_LINE_ONLY, "N", "0", 0, 3660,
		"days", "When the token ends; 0 for never." },

	{ "help", FLAG, AT(help), FOR_ALL, COMMAND_LINE_ONLY, NULL, NULL, 0, 0, NULL,
		"Print this and exit." },
	{ "version", FLAG, AT(version), FOR_ALL, COMMAND_LINE_ONLY, NULL, NULL, 0, 0, NULL,
		"Print the version and what was built in, and exit." },
	{ "man", FLAG, AT(man), FOR_ALL, COMMAND_LINE_ONLY, NULL, NULL, 0, 0, NULL,
		"Print the manual page in roff and exit." },
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* ---- reading ---- */

struct parser {
	struct config *c;
	struct buf *errors;
	unsigned rank
		[SETTINGS]; /* where the value came from: 0 the table, 1 file, 2 environment, 3 command line */
	bool on_line[SETTINGS];
	const char *words[3];
	size_t word_count;
};

/* A value on its way in: `from` names it in messages. */
struct given {
	const struct setting *s;
	const char *from;
	const char *text;
	unsigned rank;
};

static void complain(struct parser *p, const char *fmt, ...) printf_like(2, 3);

static void
complain(struct parser *p, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_printf(p->errors, "%s\n", line);
}

static void *
place(struct config *c, const struct setting *s)
{
	return (char *)c + s->offset;
}

static void
environment_name(char *out, size_t size, const char *name)
{
	size_t n = (size_t)snprintf(out, size, "CAIRN_%s", name);

	for (size_t i = 0; i < n && i < size; i++)
		out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

static const struct setting *
find_setting(const char *name, size_t len)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (strlen(settings[i].name) == len && memcmp(settings[i].name, name, len) == 0)
			return &settings[i];
	}
	return NULL;
}

static bool
is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
		at += *at == '|';
		if (strcspn(at, "|") == len && memcmp(at, text, len) == 0)
			return true;
	}
	return false;
}

static void
set_flag(struct parser *p, const struct given *g)
{
	bool on = is_choice("on|yes|true|1", g->text);

	if (!on && !is_choice("off|no|false|0", g->text))
		complain(p, "%s is \"%s\": it can be on or off", g->from, g->text);
	else
		*(bool *)place(p->c, g->s) = on;
}

static void
set_number(struct parser *p, const struct given *g)
{
	int64_t v;

	if (!str_int64(g->text, &v) || v < g->s->least || v > g->s->most)
		complain(p, "%s is \"%s\": it can be a number of %s from %lld to %lld", g->from, g->text,
			g->s->unit, (long long)g->s->least, (long long)g->s->most);
	else
		*(int64_t *)place(p->c, g->s) = v;
}

/* Names of the same source add up; those of a stronger one take their place. */
static void
add_names(struct parser *p, const struct given *g, bool more)
{
	struct config *c = p->c;
	const char ***names = place(c, g->s);
	size_t *n = (size_t *)(void *)(names + 1);
	char *rest = arena_str(c->arena, g->text), *name;

	if (!more)
		*n = 0;
	while ((name = strsep(&rest, ", \t")) != NULL) {
		const char **longer;

		if (name[0] == '\0')
			continue;
		longer = arena_array(c->arena, *n + 2, sizeof(*longer));
		if (*n > 0)
			memcpy(longer, *names, *n * sizeof(*longer));
		longer[(*n)++] = name;
		*names = longer;
	}
}

static void
set_value(struct parser *p, const struct given *g)
{
	size_t i = (size_t)(g->s - settings);
	bool more = p->rank[i] == g->rank;

	if (p->rank[i] > g->rank)
		return;
	p->rank[i] = g->rank;
	if (g->s->type == FLAG)
		set_flag(p, g);
	else if (g->text[0] == '\0')
		complain(p, "%s needs a value (%s)", g->from, g->s->value);
	else if (g->s->type == NUMBER)
		set_number(p, g);
	else if (g->s->type == LIST)
		add_names(p, g, more);
	else if (g->s->type == CHOICE && !is_choice(g->s->value, g->text))
		complain(p, "%s is \"%s\": it can be %s", g->from, g->text, g->s->value);
	else
		*(const char **)place(p->c, g->s) = arena_str(p->c->arena, g->text);
}

static void
set_fallbacks(struct parser *p)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (settings[i].fallback != NULL)
			set_value(p,
				&(struct given){ &settings[i], settings[i].name, settings[i].fallback, 0 });
	}
}

/* One argument that starts with "--"; the value may be the next one. Returns how many were taken. */
static int
read_option(struct parser *p, const char *arg, const char *next)
{
	size_t len = strcspn(arg + 2, "=");
	const struct setting *s = find_setting(arg + 2, len);
	bool joined = arg[2 + len] == '=';
	char from[64];

	if (s == NULL) {
		complain(p, "there is no setting \"%s\": cairnd --help lists them", arg);
		return 1;
	}
	(void)snprintf(from, sizeof(from), "--%s", s->name);
	p->on_line[s - settings] = true;
	if (joined || s->type == FLAG) {
		set_value(p, &(struct given){ s, from, joined ? arg + 2 + len + 1 : "on", 3 });
		return 1;
	}
	if (next == NULL || str_starts(next, "--")) {
		complain(p, "%s needs a value (%s)", from, s->value);
		return 1;
	}
	set_value(p, &(struct given){ s, from, next, 3 });
	return 2;
}

static void
read_command_line(struct parser *p, int argc, char *const *argv)
{
	for (int i = 1; i < argc;) {
		const char *arg = argv[i];

		if (str_eq(arg, "-h"))
			arg = "--help";
		if (str_starts(arg, "--")) {
			i += read_option(p, arg, i + 1 < argc ? argv[i + 1] : NULL);
			continue;
		}
		if (p->word_count == sizeof(p->words) / sizeof(p->words[0]))
			complain(p, "\"%s\" is one word too many: cairnd --help shows the commands", arg);
		else
			p->words[p->word_count++] = arg;
		i++;
	}
}

static void
read_environment(struct parser *p)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const char *text;
		char name[64];

		if (settings[i].flags & COMMAND_LINE_ONLY)
			continue;
		environment_name(name, sizeof(name), settings[i].name);
		text = getenv(name);
		if (!str_empty(text))
			set_value(p, &(struct given){ &settings[i], name, text, 2 });
	}
}

static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
		s[--len] = '\0';
	return s;
}

static void
read_line(struct parser *p, char *line, const char *file, unsigned number)
{
	char from[256], *name = trim(line), *equals = strchr(name, '=');
	const struct setting *s;

	if (name[0] == '\0' || name[0] == '#')
		return;
	if (equals == NULL) {
		complain(p, "%s line %u is no \"name = value\"", file, number);
		return;
	}
	*equals = '\0';
	name = trim(name);
	s = find_setting(name, strlen(name));
	if (s == NULL || (s->flags & COMMAND_LINE_ONLY) || str_eq(name, "config")) {
		complain(p, "%s line %u: there is no setting \"%s\" for a file: cairnd --help lists them",
			file, number, name);
		return;
	}
	(void)snprintf(from, sizeof(from), "%s line %u: %s", file, number, s->name);
	set_value(p, &(struct given){ s, from, trim(equals + 1), 1 });
}

static void
read_file(struct parser *p, const char *file)
{
	FILE *f = fopen(file, "re");
	unsigned number = 0;
	char *line = NULL;
	size_t size = 0;

	if (f == NULL) {
		complain(p, "the file of settings %s cannot be read: %s", file, strerror(errno));
		return;
	}
	errno = 0;
	while (getline(&line, &size, f) >= 0)
		read_line(p, line, file, ++number);
	if (ferror(f))
		complain(p, "the file of settings %s cannot be read: %s", file, strerror(errno));
	free(line);
	(void)fclose(f);
}

/* ---- what the words and texts come to ---- */

static const struct command_row *
find_command(const struct parser *p, size_t *used)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const char *second = strchr(commands[i].words, ' ');
		size_t len = strcspn(commands[i].words, " ");

		if (strlen(p->words[0]) != len || memcmp(p->words[0], commands[i].words, len) != 0)
			continue;
		if (second != NULL && (p->word_count < 2 || !str_eq(p->words[1], second + 1)))
			continue;
		*used = second != NULL ? 2 : 1;
		return &commands[i];
	}
	return NULL;
}

static void
check_settings_of(struct parser *p, const struct command_row *row)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (p->on_line[i] && (settings[i].commands & row->bit) == 0)
			complain(p, "--%s is no setting of \"cairnd %s\"", settings[i].name, row->words);
	}
}

static void
check_command(struct parser *p)
{
	const struct command_row *row;
	size_t used;

	if (p->word_count == 0) {
		complain(
			p, "a command is needed, as in \"cairnd serve --data DIR\": cairnd --help shows all");
		return;
	}
	row = find_command(p, &used);
	if (row == NULL) {
		complain(p, "there is no command \"%s%s%s\": cairnd --help shows all", p->words[0],
			p->word_count > 1 ? " " : "", p->word_count > 1 ? p->words[1] : "");
		return;
	}
	p->c->command = row->id;
	if (row->operand != NULL && p->word_count == used)
		complain(p, "\"cairnd %s\" needs a %s", row->words, row->operand);
	else if (p->word_count > used + (row->operand != NULL))
		complain(p, "\"%s\" is one word too many for \"cairnd %s\"", p->words[p->word_count - 1],
			row->words);
	else if (row->operand != NULL)
		p->c->operand = arena_str(p->c->arena, p->words[used]);
	check_settings_of(p, row);
}

static bool
read_address(struct config *c, const char *text, size_t len)
{
	struct in6_addr six;
	struct in_addr four;

	if (len == 0 || len >= sizeof(c->address))
		return false;
	memcpy(c->address, text, len);
	c->address[len] = '\0';
	if (c->address[0] == '[' && c->address[len - 1] == ']') {
		memmove(c->address, c->address + 1, len - 2);
		c->address[len - 2] = '\0';
		c->loopback = inet_pton(AF_INET6, c->address, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
		return inet_pton(AF_INET6, c->address, &six) == 1;
	}
	if (str_eq(c->address, "localhost"))
		(void)str_copy(c->address, sizeof(c->address), "127.0.0.1");
	if (inet_pton(AF_INET, c->address, &four) != 1)
		return false;
	c->loopback = (ntohl(four.s_addr) >> 24) == 127;
	return true;
}

static void
check_listen(struct parser *p)
{
	struct config *c = p->c;
	const char *colon = strrchr(c->listen, ':');
	int64_t port;

	if (colon == NULL || !str_int64(colon + 1, &port) || port < 0 || port > 65535 ||
		!read_address(c, c->listen, (size_t)(colon - c->listen))) {
		complain(p,
			"listen is \"%s\": it can be ADDR:PORT with a numeric address and a port from 0 to "
			"65535, as 127.0.0.1:5000 or [::1]:0",
			c->listen);
		return;
	}
	c->port = (uint16_t)port;
	if (!c->auth_on && !c->loopback)
		complain(p,
			"auth off lets everybody in and is refused on %s: listen on a loopback address "
			"(127.0.0.1, [::1]), or leave auth on",
			c->listen);
}

static bool
is_host(const char *text, size_t len)
{
	char copy[64];
	struct in6_addr six;

	if (len > 2 && text[0] == '[' && text[len - 1] == ']' && len < sizeof(copy)) {
		memcpy(copy, text + 1, len - 2);
		copy[len - 2] = '\0';
		return inet_pton(AF_INET6, copy, &six) == 1;
	}
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && strchr(".-_", text[i]) == NULL)
			return false;
	}
	return len > 0 && len <= 253;
}

static void
check_public_url(struct parser *p)
{
	struct config *c = p->c;
	const char *host = NULL, *port;
	int64_t number;
	char *url;
	size_t len;

	if (c->public_url == NULL)
		return;
	url = arena_str(c->arena, c->public_url);
	len = strlen(url);
	if (len > 0 && url[len - 1] == '/')
		url[len - 1] = '\0';
	if (str_starts(url, "https://") || str_starts(url, "http://"))
		host = strstr(url, "://") + 3;
	len = host == NULL ? 0 : host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (host == NULL || len > strlen(host) || !is_host(host, len)) {
		complain(p,
			"public-url is \"%s\": it can be https://HOST or https://HOST:PORT, without a path",
			c->public_url);
		return;
	}
	port = host + len;
	if (port[0] != '\0' &&
		(port[0] != ':' || !str_int64(port + 1, &number) || number < 1 || number > 65535)) {
		complain(p,
			"public-url is \"%s\": it can be https://HOST or https://HOST:PORT, without a path",
			c->public_url);
		return;
	}
	c->public_url = url;
	c->public_host = arena_strn(c->arena, host, len);
}

static void
check_hosts(struct parser *p)
{
	for (size_t i = 0; i < p->c->allow_host_count; i++) {
		const char *name = p->c->allow_hosts[i];

		if (!is_host(name, strlen(name)))
			complain(p,
				"allow-host is \"%s\": it can be a host name or an address, without scheme "
				"or port",
				name);
	}
}

static void
check_networks(struct parser *p)
{
	struct network n;

	for (size_t i = 0; i < p->c->outgoing_allow_count; i++)
		if (!network_parse(p->c->outgoing_allow[i], &n))
			complain(p,
				"outgoing-allow is \"%s\": it can be a network (10.0.0.0/8, with zeros "
				"behind the prefix) or an address",
				p->c->outgoing_allow[i]);
}

static void
check_meaning(struct parser *p)
{
	struct config *c = p->c;

	c->auth_on = str_eq(c->auth, "on");
	c->log_json = str_eq(c->log_format, "json");
	c->least = str_eq(c->log_level, "debug")   ? LOG_LEVEL_DEBUG
		   : str_eq(c->log_level, "warn")  ? LOG_LEVEL_WARN
		   : str_eq(c->log_level, "error") ? LOG_LEVEL_ERROR
						   : LOG_LEVEL_INFO;
	if (c->command == COMMAND_SERVE) {
		check_listen(p);
		check_public_url(p);
		check_hosts(p);
		check_networks(p);
	}
	if (c->command != COMMAND_ROUTES && c->data == NULL &&
		(c->command == COMMAND_SERVE || c->database == NULL))
		complain(p,
			"data is needed: --data DIR, the folder where cairnd keeps its database and files");
}

bool
config_parse(struct config *c, int argc, char *const *argv, struct buf *errors)
{
	struct parser p = { .c = c, .errors = errors };
	const char *file;

	memset(c, 0, sizeof(*c));
	c->arena = arena_new();
	c->allow_hosts = arena_array(c->arena, 1, sizeof(*c->allow_hosts));
	c->outgoing_allow = arena_array(c->arena, 1, sizeof(*c->outgoing_allow));
	set_fallbacks(&p);
	read_command_line(&p, argc, argv);
	if (errors->len == 0 && (c->help || c->version || c->man))
		return true;
	read_environment(&p);
	file = c->config;
	if (file != NULL)
		read_file(&p, file);
	check_command(&p);
	check_meaning(&p);
	return errors->len == 0;
}

void
config_fini(struct config *c)
{
	arena_free(c->arena);
	c->arena = NULL;
}

/* ---- telling ---- */

/* "1 to 256 threads; default 8; CAIRN_WORKERS" */
static void
describe(struct buf *out, const struct setting *s)
{
	const char *between = "";
	char name[64];

	if (s->type == NUMBER) {
		buf_printf(out, "%lld to %lld %s", (long long)s->least, (long long)s->most, s->unit);
		between = "; ";
	}
	if (s->fallback != NULL) {
		buf_printf(out, "%sdefault %s", between, s->fallback);
		between = "; ";
	}
	if (!(s->flags & COMMAND_LINE_ONLY)) {
		environment_name(name, sizeof(name), s->name);
		buf_printf(out, "%s%s", between, name);
	}
}

/* Words of a text, wrapped at 100 columns behind an indent. */
static void
wrap(struct buf *out, const char *text, size_t indent)
{
	size_t column = 0;

	for (const char *at = text; *at != '\0';) {
		size_t len = strcspn(at, " ");

		if (column > 0 && column + 1 + len > 100) {
			buf_char(out, '\n');
			column = 0;
		}
		if (column == 0)
			buf_printf(out, "%*s", (int)indent, "");
		column = column == 0 ? indent + len : column + 1 + len;
		buf_printf(out, "%s%.*s", column > indent + len ? " " : "", (int)len, at);
		at += len + strspn(at + len, " ");
	}
	if (column > 0)
		buf_char(out, '\n');
}

static void
help_settings(struct buf *out, bool of_commands)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		struct buf facts;

		if (((s->flags & COMMAND_LINE_ONLY) != 0) != of_commands)
			continue;
		buf_init(&facts, 512);
		buf_printf(out, "  --%s%s%s\n", s->name, s->value != NULL ? " " : "",
			s->value != NULL ? s->value : "");
		wrap(out, s->sentence, 8);
		describe(&facts, s);
		if (facts.len > 0)
			wrap(out, facts.data, 8);
		buf_fini(&facts);
	}
}

void
config_help(struct buf *out)
{
	buf_str(out, "cairnd: experiment tracking and model registry server\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		buf_printf(out, "  cairnd %s%s%s\n", commands[i].words,
			commands[i].operand != NULL ? " " : "",
			commands[i].operand != NULL ? commands[i].operand : "");
		wrap(out, commands[i].sentence, 8);
	}
	buf_str(out, "\nSettings (command line, then environment, then file of settings):\n");
	help_settings(out, false);
	buf_str(out, "\nOf single commands:\n");
	help_settings(out, true);
	buf_str(out, "\nExit codes: 0 fine, 1 failed, 2 wrong settings.\n");
}

static void
roff(struct buf *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '-' || *c == '\\')
			buf_str(out, *c == '-' ? "\\-" : "\\e");
		else
			buf_char(out, *c);
	}
	buf_char(out, '\n');
}

static void
man_setting(struct buf *out, const struct setting *s)
{
	struct buf facts;

	buf_str(out, ".TP\n\\fB\\-\\-");
	for (const char *c = s->name; *c != '\0'; c++)
		buf_printf(out, "%s%c", *c == '-' ? "\\" : "", *c);
	buf_printf(out, "\\fR%s%s%s\n", s->value != NULL ? " \\fI" : "", s->value != NULL ? s->value : "",
		s->value != NULL ? "\\fR" : "");
	roff(out, s->sentence);
	buf_init(&facts, 512);
	describe(&facts, s);
	if (facts.len > 0) {
		buf_str(out, ".br\n");
		roff(out, facts.data);
	}
	buf_fini(&facts);
}

void
config_man(struct buf *out)
{
	buf_str(out, ".TH CAIRND 1 2026-11-21 \"Cairn " CAIRN_VERSION
		     "\"\n.SH NAME\ncairnd \\- experiment tracking and model registry server\n"
		     ".SH SYNOPSIS\n");
	for (size_t i = 0; i < COMMANDS; i++)
		buf_printf(out, "%s\\fBcairnd %s\\fR %s%s%s[\\fIsettings\\fR]\n", i > 0 ? ".br\n" : "",
			commands[i].words, commands[i].operand != NULL ? "\\fI" : "",
			commands[i].operand != NULL ? commands[i].operand : "",
			commands[i].operand != NULL ? "\\fR " : "");
	buf_str(out, ".SH COMMANDS\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		buf_printf(out, ".TP\n\\fB%s\\fR\n", commands[i].words);
		roff(out, commands[i].sentence);
	}
	buf_str(out, ".SH SETTINGS\nThe command line wins over the environment, and that over the file of "
		     "settings.\n");
	for (size_t i = 0; i < SETTINGS; i++)
		man_setting(out, &settings[i]);
	buf_str(out,
		".SH EXIT STATUS\n0 fine, 1 failed, 2 wrong settings.\n.SH SEE ALSO\n\\fBcairn\\fR(1)\n");
}
