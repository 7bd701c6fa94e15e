/* The numbers that a filter or an order may ask of a metric. */
#ifndef SEARCH_AGGREGATE_H
#define SEARCH_AGGREGATE_H

#include <math.h>
#include <string.h>
#include "ingest/ingest.h"
#include "search/search.h"

/* NaN where the metric is NaN: a mean, an extreme of nothing but NaN. */
static inline double
aggregate_of(const struct latest *l, enum search_aggregate which)
{
	switch (which) {
	case AGGREGATE_FIRST:
		return l->first.value;
	case AGGREGATE_MIN:
		return l->min.value;
	case AGGREGATE_MAX:
		return l->max.value;
	case AGGREGATE_MEAN:
		return l->real > 0 ? l->sum / (double)l->real : (double)NAN;
	case AGGREGATE_COUNT:
		return (double)l->count;
	default:
		return l->last.value;
	}
}

/* NULL: the run has no such metric. */
static inline const struct latest *
aggregate_source(const struct run_latest *run, const char *key)
{
	size_t lo = 0, hi = run->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = strcmp(run->keys[mid].key, key);

		if (order == 0)
			return &run->keys[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

#endif
