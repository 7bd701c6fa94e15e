/*
 * Compaction: points of a run go from metric_tail into chunks, bundles and summaries (README.md, "Compaction"). One transaction does
 * a bounded part of a run's tail, so a crash leaves all of it done or nothing. Any number of servers may work on one database: a run
 * is locked while somebody does. A compact holds scratch memory: one thread at a time.
 */
#ifndef INGEST_COMPACT_H
#define INGEST_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

#define COMPACT_POINTS (1 << 18) /* points of the tail that one transaction takes, and the rest of a row */
#define COMPACT_ROWS   (1 << 16)

struct compact;

struct compact *compact_new(void);
void compact_free(struct compact *c); /* NULL is fine */

struct compacted {
	bool busy;           /* somebody else works on this run; nothing was done */
	bool gone;           /* there is no such run any more; what was left of it was taken away */
	bool more;           /* the tail has more than one transaction takes */
	size_t rows, points; /* taken from the tail */
	size_t bytes;        /* of these rows */
	size_t fresh;        /* of these points, the ones that were no exact duplicates */
};
/*
 * One transaction. `settle`: the run has ended, so its short series are brought together though few points came since.
 * The arena of cx is used up to what the rows of one block take; the caller resets it.
 */
enum status compact_run(
	struct compact *c, struct ctx *cx, int64_t run_id, bool settle, struct compacted *out) must_check;

#endif
