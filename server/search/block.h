/* How many runs are read at a time, so that what they take is bounded, whatever their metrics, params and tags. */
#ifndef SEARCH_BLOCK_H
#define SEARCH_BLOCK_H

#include "base/arena.h"

#define BLOCK_RUNS    1000
#define BLOCK_FIRST   100
#define BLOCK_METRICS 200000
#define BLOCK_BYTES   ((size_t)16 << 20)

/* With all their metrics, when none of them has more than `keys`. */
static inline size_t
block_most(int64_t keys)
{
	int64_t runs = BLOCK_METRICS / (keys + 1);

	return runs > BLOCK_RUNS ? BLOCK_RUNS : runs < 20 ? 20 : (size_t)runs;
}

/* After a block of `runs` that was read into an arena of its own. */
static inline size_t
block_next(size_t runs, size_t most, const struct arena *read)
{
	size_t bytes = arena_size(read);

	if (bytes > BLOCK_BYTES)
		runs = runs > 1 ? runs / 2 : 1;
	else if (bytes < BLOCK_BYTES / 4)
		runs *= 2;
	return runs < most ? runs : most;
}

#endif
