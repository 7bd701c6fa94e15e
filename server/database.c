/* See database.h. */
#include "database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "postgres/postgres.h"
#include "store/migrate.h"
#include "store/pool.h"

#define ANSWER_MS    10000 /* a --database that starts beside us gets this long */
#define JOIN_MS      10000 /* so does a server whose PostgreSQL is just starting */
#define STATEMENT_MS 30000
#define ACQUIRE_MS   10000
#define STOP_MS      3000
#define SPARE        14 /* beside the pool: the metric writer, migrations, commands, what PostgreSQL reserves */

static void
nap(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000000L }, NULL);
}

/* libpq reads PG… variables; none of them is meant for our own socket. */
static void
forget_environment(void)
{
	bool found = true;

	while (found) {
		found = false;
		for (char **at = environ; *at != NULL && !found; at++) {
			char name[64];
			size_t len = strcspn(*at, "=");

			if (!str_starts(*at, "PG") || len >= sizeof(name))
				continue;
			memcpy(name, *at, len);
			name[len] = '\0';
			found = unsetenv(name) == 0;
		}
	}
}

static enum status
join(const struct database_options *o, char *conninfo, size_t size, char *error, size_t error_size)
{
	int64_t until = clock_mono_ms() + JOIN_MS;

	while (postgres_find(o->data->path, conninfo, size) != OK) {
		if (clock_mono_ms() > until || (o->cancelled != NULL && o->cancelled())) {
			(void)snprintf(error, error_size,
				"a cairnd uses the data folder %s, but its PostgreSQL takes no connections: "
				"try again, or stop it first",
				o->data->path);
			return UNAVAILABLE;
		}
		nap();
	}
	return OK;
}

static enum status
find_conninfo(struct database *db, const struct database_options *o, char *conninfo, size_t size, char *error,
	size_t error_size)
{
	struct postgres_options start = {
		.folder = o->data->path, .connections = o->pool + SPARE, .cancelled = o->cancelled
	};
	enum status st;

	if (o->config->database != NULL) {
		if (str_copy(conninfo, size, o->config->database))
			return OK;
		(void)snprintf(error, error_size, "the text of --database is too long");
		return INVALID;
	}
	db->embedded = true;
	forget_environment();
	if (o->join)
		return join(o, conninfo, size, error, error_size);
	if ((st = postgres_start(&start, &db->postgres, error, error_size)) != OK)
		return st;
	(void)str_copy(conninfo, size, postgres_conninfo(db->postgres));
	return OK;
}

/* A first connection, patiently. */
static enum status
first_answer(struct database *db, const struct database_options *o, char *error, size_t error_size)
{
	const struct parts parts = { .pool = db->pool };
	int64_t until = clock_mono_ms() + ANSWER_MS;
	struct connection *c = NULL;
	struct ctx cx;
	enum status st;

	ctx_init(&cx, NULL, &parts);
	while ((st = pool_acquire(db->pool, &cx, &c)) != OK && st == UNAVAILABLE && clock_mono_ms() < until) {
		if (o->cancelled != NULL && o->cancelled())
			break;
		nap();
	}
	pool_release(db->pool, c);
	if (st != OK && st != INVALID)
		(void)snprintf(error, error_size,
			"the database cannot be reached with the given --database (the log has PostgreSQL's "
			"words): is it running, and are "
			"host, user and password right?");
	else if (st != OK)
		(void)snprintf(error, error_size, "%s", cx.message);
	return st;
}

enum status
database_open(struct database *db, const struct database_options *o, char *error, size_t error_size)
{
	char conninfo[2 * PATH_MAX + 128];
	enum status st;

	memset(db, 0, sizeof(*db));
	if ((st = find_conninfo(db, o, conninfo, sizeof(conninfo), error, error_size)) != OK)
		return st;
	db->pool = pool_new(&(struct pool_options){ .conninfo = conninfo,
		.size = o->pool,
		.acquire_timeout_ms = ACQUIRE_MS,
		.statement_timeout_ms = STATEMENT_MS });
	if ((st = first_answer(db, o, error, error_size)) != OK)
		database_close(db);
	return st;
}

void
database_close(struct database *db)
{
	if (db->pool != NULL)
		pool_free(db->pool);
	postgres_stop(db->postgres, STOP_MS);
	memset(db, 0, sizeof(*db));
}

enum status
database_schema(struct ctx *cx, bool may_migrate)
{
	enum schema_state state;
	enum status st;
	int applied;

	if ((st = migrate_state(cx, &state)) != OK || state == SCHEMA_CURRENT)
		return st;
	if (state == SCHEMA_AHEAD || state == SCHEMA_STRANGE || !may_migrate)
		return cx->status;
	return migrate_run(cx, &applied);
}
