/*
 * Runs in memory for searches: columns for each experiment that is searched, under a memory budget, which follow the database
 * exactly: a search finds whatever any server has acknowledged before it was asked. README.md tells how. Any thread; blocks while it
 * asks PostgreSQL, so never from an event loop.
 */
#ifndef SEARCH_COLUMNS_H
#define SEARCH_COLUMNS_H

#include "domain/run.h"
#include "search/search.h"

struct columns;

struct columns_options {
	struct pool *pool; /* for looks between searches; those of a search use its ctx's */
	unsigned
		waiting_most; /* searches that may wait while runs are read for another; the others hear UNAVAILABLE. 0: all may */
	size_t budget_bytes; /* least recently searched experiments go when there are more; one larger than this is never held */
	const char *(*status_name)(enum run_status s);
};

struct columns *columns_start(const struct columns_options *options);
void columns_stop(struct columns *c); /* when no search is running; NULL is fine */

struct columns_query {
	const int64_t *experiments; /* any order; twins count once */
	size_t experiment_count;
	enum view view;
	const struct search *search;
	const struct search_value *after; /* of the page token; NULL: the first page */
	size_t limit;                     /* at least 1 */
};

struct columns_hit {
	int64_t run_id;
	/* The whole run, or all but its metrics (NULL then); NULL: it is to be read. What was read is given to columns_keep(). */
	const struct run *run; /* arena */
	int64_t experiment_id;
	uint64_t set; /* where it was found, and in which version */
	uint32_t version;
};
/*
 * The runs of one page, in order. *served false: these experiments are too large for the budget, or the search asks for what is
 * not held in memory (artifact_uri): look for the runs in the database.
 */
enum status columns_search(struct columns *c, struct ctx *cx, const struct columns_query *q,
	struct columns_hit **hits, size_t *n, const char **next_token, bool *served) must_check;
/* Hits with the runs that were read for them after the search: a page that is asked for again finds them here, until they change. */
void columns_keep(struct columns *c, struct columns_hit *const *hits, size_t n);

struct columns_stats {
	size_t experiments, runs, bytes; /* held just now */
	/* since the start: experiments, runs, times, experiments and columns, columns */
	uint64_t loads, reloads, looks, evictions, fills;
};
void columns_stats(struct columns *c, struct columns_stats *out);

#endif
