/* What pool, tx, query and migrate know of each other. Inside store only. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <stdbool.h>
#include "store/connection.h"
#include "store/tx.h"

#define COMMIT_MS 2000 /* a COMMIT has at least so long, whatever the request's deadline says */

struct tx {
	struct ctx *cx;
	struct connection *c;
	bool single;  /* each statement by itself */
	bool change;  /* and it changes something */
	bool own;     /* the connection is not the pool's: it stays with who made the tx */
	bool unknown; /* tx_unknown() was said */
};

/* COMMIT went out, and no answer came that can be believed. */
enum status tx_unknown(struct tx *t) must_check;
/* Begin on a connection of the caller's own. */
enum status tx_begin_on(struct ctx *cx, struct connection *c, struct tx **out) must_check;
/* Statements by themselves on a connection of the caller's own. */
struct tx *tx_on(struct ctx *cx, struct connection *c);
/* Another connection for the broken one of a tx_auto. */
enum status tx_renew(struct tx *t) must_check;
/* A connection that the pool neither counts nor keeps, for connection_close(). */
enum status pool_open_own(struct pool *p, struct ctx *cx, struct connection **out) must_check;
/* The same, where no statement is too long: migrations. */
enum status pool_open_patient(struct pool *p, struct ctx *cx, struct connection **out) must_check;

#endif
