/* What series and groups of them share. Inside ingest only. */
#ifndef INGEST_SERIES_PARTS_H
#define INGEST_SERIES_PARTS_H

#include "ingest/buckets.h"
#include "ingest/lines.h"

/* The range of x of all samples of one key, as from and to cut it; lo > hi: there are none. Not SERIES_METRIC. */
struct series_range {
	int64_t lo, hi;
};
enum status series_range(struct tx *tx, const struct series_in *in, struct series_range *out) must_check;

/* Each run's samples in the same parts of x; runs without samples there are left out. One key. */
typedef enum status series_bins_fn(void *arg, const struct bins *bins);
enum status series_bins(struct tx *tx, const struct series_in *in, const struct series_range *range,
	series_bins_fn *each, void *arg) must_check;

/* x = SERIES_METRIC. */
enum status series_over_metric(
	struct tx *tx, const struct series_in *in, series_fn *each, void *arg) must_check;

/* Some of the runs of a request, so few that their tails may be in memory together. */
struct series_in series_slice(const struct series_in *in, size_t first, size_t lines_at_once);
#define SERIES_AT_ONCE 128

#endif
