/*
 * The feed of changed runs, and the servers that follow it. Transactions that change a run write to the feed by the statements
 * that lock, insert or delete runs; nobody calls anything for it.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include <stdbool.h>
#include "store/tx.h"

#define CHANGE_LOOK_MOST 100000 /* more than these in one look: what is in memory is better read anew */

/* All of it lives in the arena. */
struct change_look {
	const char *snapshot;       /* for the next look: what this one saw */
	int64_t postmaster_unix_us; /* differs when PostgreSQL was started anew, or is another one */
	bool known; /* false: this server was taken for dead, or PostgreSQL crashed: changes may be missing */
	const int64_t *run_ids;        /* no twins */
	const int64_t *experiment_ids; /* one for each */
	size_t n;                      /* more than CHANGE_LOOK_MOST: not all of them */
};
/* One statement: what changed since the snapshot of the look before. */
enum status store_change_look(
	struct tx *tx, const char *since, const char *server_id, struct change_look *out) must_check;
/* Takes away what all servers have seen; at most `most`. */
enum status store_change_prune(struct tx *tx, int64_t most, int64_t *pruned) must_check;

enum status store_server_put(struct tx *tx, const char *server_id) must_check;
enum status store_server_seen(struct tx *tx, const char *server_id, const char *snapshot) must_check;
enum status store_server_delete(struct tx *tx, const char *server_id) must_check;
/* All living servers, server_id among them, read this format of metrics, and PostgreSQL has run for so long. */
enum status store_server_all_read(
	struct tx *tx, const char *server_id, int32_t format, int64_t settled_ms, bool *yes) must_check;
enum status store_server_bury(struct tx *tx, int64_t silent_ms) must_check;

#endif
