/*
 * The settings of cairnd. One table (config.c) makes the parser, --help and the man page.
 * A setting is given as --name VALUE or --name=VALUE, as CAIRN_NAME in the environment, or as a line "name = value" of the
 * file that --config names; the command line wins over the environment, and that over the file.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

enum command {
	COMMAND_NONE, /* only --help, --version or --man was asked for */
	COMMAND_SERVE,
	COMMAND_MIGRATE,
	COMMAND_USER_ADD,
	COMMAND_USER_LIST,
	COMMAND_USER_PASSWORD,
	COMMAND_USER_ENABLE,
	COMMAND_USER_DISABLE,
	COMMAND_USER_REMOVE,
	COMMAND_USER_ADMIN,
	COMMAND_TOKEN_ADD,
	COMMAND_ROUTES,
};

/* Texts live as long as the config; NULL: not given. */
struct config {
	struct arena *arena;
	enum command command;
	const char *operand; /* the NAME or USER of a command */

	const char *config, *data, *listen, *database, *blobs, *auth, *public_url, *web, *log_format,
		*log_level;
	const char **allow_hosts; /* NULL-terminated */
	size_t allow_host_count;
	const char **outgoing_allow; /* NULL-terminated; networks */
	size_t outgoing_allow_count;
	const char *secret_key_file;
	bool migrate;
	int64_t workers, loops, streams, connections, connections_per_address, watchers, pool,
		search_memory_mib, purge_deleted_days;

	/* of single commands */
	bool check, admin, revoke;
	int64_t partitions; /* 0: leave them */
	const char *password_file, *name;
	int64_t expires_days; /* 0: never */

	bool help, version, man;

	/* what the texts above come to */
	char address[64]; /* numeric */
	uint16_t port;
	bool loopback, auth_on, log_json;
	enum log_level least;
	const char *public_host; /* without port; NULL: none */
};

/* False: `errors` holds one line for each thing that is wrong. config_fini() in both cases. */
bool config_parse(struct config *c, int argc, char *const *argv, struct buf *errors) must_check;
void config_fini(struct config *c);

void config_help(struct buf *out);
void config_man(struct buf *out); /* roff, section 1 */

#endif
