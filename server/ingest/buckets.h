/* Equal parts of a range, and what falls into them. Inside ingest only. */
#ifndef INGEST_BUCKETS_H
#define INGEST_BUCKETS_H

#include "ingest/chunk.h"
#include "ingest/samples.h"
#include "ingest/series.h"

/* [lo, hi] of steps or times cut into n parts, for all of int64. */
struct grid {
	bool by_time;
	int64_t lo, hi;
	size_t n; /* at most as many as there are numbers */
};
struct grid grid_make(bool by_time, int64_t lo, int64_t hi, size_t most);
int64_t grid_edge(const struct grid *g, size_t part); /* the first number of a part */
size_t grid_part(const struct grid *g, int64_t x);    /* what lies outside belongs to the nearest */

struct bin {
	struct sample first, last; /* in order of x */
	int64_t step_lo, step_hi, time_lo_unix_ms, time_hi_unix_ms;
	double min, max; /* of real: the samples that are no NaN */
	long double sum;
	int64_t n, real; /* n 0: empty, and nothing else is set */
};
struct bins {
	struct grid grid;
	struct bin *bins; /* owned: of each part */
	size_t room;
};
void bins_reset(struct bins *b, const struct grid *g);
void bins_fini(struct bins *b);
void bins_add(struct bins *b, const struct sample *samples, size_t n); /* in order of x, then as they sort */
void bins_add_preview(struct bins *b, const struct preview *p);        /* to where its middle lies */
double bin_mean(const struct bin *b);                                  /* NaN when it has nothing but NaN */
size_t bins_take(
	const struct bins *b, struct bucket *out); /* room for grid.n; how many are not empty; without x */
struct bucket bucket_of_sample(const struct sample *s);

#endif
