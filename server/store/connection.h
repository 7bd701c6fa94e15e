/*
 * One connection to PostgreSQL and how to wait on it: the socket does not block, every wait has an end.
 * Inside store only. One thread at a time.
 *
 * The end of a wait is the statement timeout and some grace after it began, or the deadline of the ctx if that is earlier.
 * A connection that was late or lost is `broken`: whoever holds it hands it back, and the pool closes it.
 */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libpq-fe.h>
#include "base/ctx.h"

struct statement;

struct connection {
	PGconn *pg;
	struct connection *next;      /* among the pool's idle ones */
	int64_t statement_timeout_ms; /* 0: none */
	int64_t used_mono_ms;         /* when it was handed back */
	uint64_t generation;          /* of the pool, when it was opened */
	const struct statement **prepared;
	size_t prepared_count;
	bool broken; /* of no more use */
	bool lost;   /* so are those opened before it: PostgreSQL stopped, or takes no writes any more */
	bool warned; /* PostgreSQL sent a warning since this was cleared */
};

enum status connection_open(const char *conninfo, int64_t statement_timeout_ms, struct ctx *cx,
	struct connection **out) must_check;
void connection_close(struct connection *c); /* NULL is fine */
/* False when something came unasked (PostgreSQL said goodbye): the cheap look before use. */
bool connection_quiet(const struct connection *c);

/* After a PQsend…: everything is written. */
enum status connection_flush(struct connection *c, struct ctx *cx) must_check;
/* The next result, owned by the caller; NULL after the last. One that says "error" is turned into a failure and freed. */
enum status connection_result(
	struct connection *c, struct ctx *cx, const struct statement *s, PGresult **out) must_check;
/* Read what is left of an answer; its errors count. */
enum status connection_finish(struct connection *c, struct ctx *cx, const struct statement *s) must_check;
/* Fixed text without values: BEGIN, COMMIT, a migration. `tag` gets what was done last ("COMMIT"); may be NULL. */
enum status connection_command(
	struct connection *c, struct ctx *cx, const char *text, char tag[16]) must_check;
enum status connection_lost(struct connection *c, struct ctx *cx) must_check;
/* Wait until the socket can be read or (POLLOUT) written. */
enum status connection_wait(struct connection *c, struct ctx *cx, short events) must_check;

#endif
