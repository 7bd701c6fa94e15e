/*
 * Series for charts: many runs and keys in one go, in equal buckets over x that keep their extremes. Long series are drawn from the
 * previews of their chunks where those are finer than the buckets: all numbers of a bucket are true of the samples that it stands for,
 * but a bucket then ends at the nearest stretch (at most two thirds of a bucket wide) and not exactly at its edge.
 */
#ifndef INGEST_SERIES_H
#define INGEST_SERIES_H

#include "ingest/ingest.h"

enum series_x {
	SERIES_STEP,
	SERIES_TIME,
	SERIES_RELATIVE, /* milliseconds since the run's start, or since the first sample of the series when that is not known */
	SERIES_METRIC, /* the last value of another metric at the same step: each step counts once, with its last sample */
};

struct series_in {
	const struct read_run *runs; /* no twins */
	size_t run_count;
	const char *const *keys; /* no twins */
	size_t key_count;
	enum series_x x;
	const char *x_key; /* SERIES_METRIC */
	size_t buckets;    /* at least 1 */
	bool exact;        /* no previews */
	/* inclusive, in units of x: of SERIES_METRIC the doubles, else the integers */
	int64_t from, to;
	double from_real, to_real;
};

/* A part of a series. NaN counts in neither min nor max nor mean, which are NaN when there is nothing else. */
struct bucket {
	int64_t step_lo, step_hi, time_lo_unix_ms, time_hi_unix_ms;
	double first, last, min, max, mean;
	int64_t count;
	int64_t x;     /* where it begins: step_lo, time_lo, or that relative to the start */
	double x_real; /* SERIES_METRIC */
};

struct series {
	size_t run, key; /* of the caller's lists */
	int64_t n;       /* samples in the range, each counted once; never 0 */
	bool exact;      /* no previews were used */
	const struct bucket
		*points; /* by x; the samples themselves when there are at most as many as buckets */
	size_t point_count;
};
/* Lent for the call; by run, then in no order. */
typedef enum status series_fn(void *arg, const struct series *s);
/* In one snapshot (tx_begin_snapshot). INVALID: a series is too long to be drawn over another metric. */
enum status ingest_series(struct tx *tx, const struct series_in *in, series_fn *each, void *arg) must_check;

/* Statistics over runs of their means in each bucket. */
struct group_point {
	int64_t x;     /* where the bucket begins */
	int64_t count; /* runs with a mean there; never 0 */
	double mean, median, min, max;
	double std, standard_error; /* of a sample (n - 1); 0 for one run */
};
struct run_group {
	const size_t *runs; /* indexes of the caller's list */
	size_t n;
};
struct grouped_in {
	struct series_in series; /* all runs of all groups; not SERIES_METRIC; buckets is the most */
	const struct run_group *groups;
	size_t group_count;
};
struct grouped {
	size_t group, key;
	size_t runs; /* that have samples in the range; never 0 */
	const struct group_point *points;
	size_t point_count;
};
typedef enum status grouped_fn(void *arg, const struct grouped *g);
/* All groups of a key on one x. A group without samples is left out. */
enum status ingest_grouped(
	struct tx *tx, const struct grouped_in *in, grouped_fn *each, void *arg) must_check;

#endif
