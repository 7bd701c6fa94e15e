/* The database of a command: our own child, the child of a running server, or one that --database names. */
#ifndef DATABASE_H
#define DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include "config.h"
#include "data.h"
#include "base/ctx.h"

struct database {
	struct postgres *postgres; /* our child; NULL: somebody else's */
	struct pool *pool;
	bool embedded; /* in the data folder, whoever runs it */
};

struct database_options {
	const struct config *config;
	const struct data *data;
	bool join;               /* the data folder is locked by a running server: use its PostgreSQL */
	unsigned pool;           /* connections */
	bool (*cancelled)(void); /* asked while waiting */
};

/* Started and answering, whatever its schema. On failure one sentence in `error`, nothing is left. TIMED_OUT: cancelled. */
enum status database_open(
	struct database *db, const struct database_options *o, char *error, size_t error_size) must_check;
void database_close(struct database *db);

/* OK when the schema is the one we know; may_migrate makes it so. A failure's sentence is in cx->message. */
enum status database_schema(struct ctx *cx, bool may_migrate) must_check;

#endif
