/*
 * A compiled search over tables: filter by blocks of 1,024 rows, the first rows of the order without sorting all of them.
 * Comparisons are those of match.c and order.c. Inside search only. One thread; the tables must not change from scan_table()
 * until scan_end().
 */
#ifndef SEARCH_SCAN_H
#define SEARCH_SCAN_H

#include "domain/experiment.h"
#include "search/search.h"
#include "search/table.h"

struct scan; /* lives in cx->arena */

/* False: it asks for something that tables do not hold. */
bool scan_can(const struct search *s);
struct scan *scan_new(struct ctx *cx, const struct search *s, enum view view,
	const struct search_value *after, size_t limit);
void scan_table(struct scan *s, const struct table *t);
struct scan_hit {
	const struct table *table;
	uint32_t row;
};
/* The rows of this page, in order; *next_token NULL on the last page. */
void scan_end(struct scan *s, struct scan_hit **hits, size_t *n, const char **next_token);

#endif
