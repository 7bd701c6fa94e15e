/* Series as they grow: runs to watch, and what came to some of them since a cursor. */
#ifndef DOMAIN_RUN_LIVE_H
#define DOMAIN_RUN_LIVE_H

#include "ingest/live.h"

/* Those that exist; NOT_FOUND when none does. */
enum status run_live_find(
	struct ctx *cx, const char *const *uuids, size_t n, struct live_run **out, size_t *found) must_check;

/*
 * Raw samples of some series since a cursor (ingest/cursor.h), in one snapshot. A run whose points were moved by compaction since, or
 * that has too many new ones, comes once a key with `reset` and no samples: read it anew. So does every run when the cursor is of
 * another cluster. INVALID for a cursor that is none. Unknown runs give nothing.
 */
struct run_since_in {
	const char *const *uuids, *const *keys;
	size_t uuid_count, key_count;
	const char *cursor;
};
typedef enum status run_since_fn(void *arg, const struct live_series *s, bool reset); /* lent for the call */
/* *cursor: for the next time; in the arena. */
enum status run_series_since(struct ctx *cx, const struct run_since_in *in, run_since_fn *each, void *arg,
	const char **cursor) must_check;

#endif
