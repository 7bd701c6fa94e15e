/*
 * A transaction: begun on a connection of the pool, ended by commit or rollback, which take the pointer.
 * Single statements outside of one: tx_auto().
 */
#ifndef STORE_TX_H
#define STORE_TX_H

#include "store/pool.h"

struct tx;

enum status tx_begin(struct ctx *cx, struct tx **out) must_check; /* READ COMMITTED */
enum status tx_begin_snapshot(
	struct ctx *cx, struct tx **out) must_check; /* REPEATABLE READ, READ ONLY: one snapshot */
enum status tx_auto(struct ctx *cx,
	struct tx **out) must_check; /* each statement by itself; tx_commit gives the connection back */
/*
 * For one statement that changes something: a transaction by itself, without the round trips of BEGIN and COMMIT. Where its
 * outcome is unknown, the statement or tx_commit says UNAVAILABLE, as tx_commit of a tx_begin does.
 */
enum status tx_change(struct ctx *cx, struct tx **out) must_check;
/* After the statement of a tx_change: it had left, and nobody knows whether it was kept. For who can find out before he gives it back. */
bool tx_is_unknown(const struct tx *t);
/*
 * *t becomes NULL whatever happens. UNAVAILABLE when the outcome is unknown: callers whose work can be repeated say so.
 */
enum status tx_commit(struct tx **t) must_check;
void tx_rollback(struct tx **t); /* NULL inside is fine: the usual `out:` line */
struct ctx *tx_ctx(struct tx *t);

#endif
