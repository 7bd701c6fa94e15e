/* The schema: migrations/NNNN_name.sql, embedded with their SHA-256, forward only, under an advisory lock. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/pool.h"

enum schema_state {
	SCHEMA_CURRENT,
	SCHEMA_EMPTY,   /* no schema of ours yet */
	SCHEMA_BEHIND,  /* migrations are waiting */
	SCHEMA_AHEAD,   /* made by a newer cairnd */
	SCHEMA_STRANGE, /* a migration that ran is not the one we know */
};

enum status migrate_state(struct ctx *cx,
	enum schema_state *out) must_check; /* the sentence is in cx->message unless CURRENT */
enum status migrate_run(struct ctx *cx, int *applied) must_check; /* refuses AHEAD and STRANGE */

#endif
