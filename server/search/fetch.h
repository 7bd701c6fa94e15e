/* Runs out of the database into tables. Inside search only. */
#ifndef SEARCH_FETCH_H
#define SEARCH_FETCH_H

#include "search/table.h"
#include "store/tx.h"

typedef const char *status_name_fn(enum run_status s);

struct fetched {
	const int64_t *run_ids; /* asked for; sorted, no twins */
	size_t asked;
	struct table_run *rows; /* found, sorted by run_id */
	size_t n;
};
/* As of one snapshot; lives in cx->arena. */
enum status fetch_runs(struct ctx *cx, status_name_fn *name, const int64_t *run_ids, size_t n,
	struct fetched *out) must_check;
/* How many at a time at most: block_most(). */
enum status fetch_most(struct ctx *cx, int64_t experiment_id, size_t *runs) must_check;
/* Their metrics alone, in the order of run_ids. */
enum status fetch_metrics(
	struct ctx *cx, const int64_t *run_ids, size_t n, struct run_latest **out) must_check;
/* Those that were not found are gone from the database, and go. */
void fetch_apply(const struct fetched *f, struct table *t);

#endif
