/*
 * Connections to PostgreSQL: a bounded pool that opens on demand, sets search_path, timeouts and application name,
 * prepares statements on first use, and replaces connections that broke. Any thread.
 */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/ctx.h"

struct pool;
struct connection;

struct pool_options {
	const char *conninfo;       /* libpq's; our settings are added */
	unsigned size;              /* most connections, 1..200 */
	int64_t acquire_timeout_ms; /* waiting longer for a free one is UNAVAILABLE */
	int64_t statement_timeout_ms;
};

struct pool *pool_new(const struct pool_options *options);
void pool_free(struct pool *p); /* every connection must be back */
/* A connection of one's own: UNAVAILABLE (Retry-After) while PostgreSQL is away or all are busy too long. */
enum status pool_acquire(struct pool *p, struct ctx *cx, struct connection **out) must_check;
void pool_release(struct pool *p,
	struct connection *c); /* NULL is fine; rolls back what is open, drops it when broken */
/* Does PostgreSQL answer? From memory: a background look each second. Any thread, never blocks. */
bool pool_healthy(struct pool *p);
/* PostgreSQL's version as libpq has it, 150014 for 15.14; that of the latest connection, 0 before the first. Never blocks. */
int pool_server_version(struct pool *p);
const char *pool_conninfo(const struct pool *p); /* with our settings added */

#endif
