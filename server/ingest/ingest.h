/*
 * The metric engine. Writing: points go to one queue; one writer thread commits many requests in one transaction and
 * answers each after its points are durable. Reading: tail rows, merged, exact duplicates dropped.
 * Facts about formats: server/ingest/README.md.
 */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

struct due;
struct pool;
struct tx;

struct point {
	const char *key; /* borrowed */
	double value;    /* NaN canonical; infinities as they are */
	int64_t time_unix_ms;
	int64_t step;
};

/* A logged metric as a reader gets it: stored order (step, time, value). */
struct sample {
	double value;
	int64_t time_unix_ms;
	int64_t step;
};

struct ingest_options {
	struct pool *pool;
	size_t queue_limit_bytes; /* over it: UNAVAILABLE with Retry-After */
};

struct ingest *ingest_start(const struct ingest_options *options);
/* Commits what is queued, then ends the writer. */
void ingest_stop(struct ingest *in);
/* What it has written since it was compacted (due.h). */
struct due *ingest_due(struct ingest *in);
/* The run has ended, so few points will follow: it is compacted soon. NULL is fine. */
void ingest_run_ended(struct ingest *in, int64_t run_id);

/*
 * Hand points of one run over: they, their keys and the run's id are borrowed until `done` is called, as is cx. That happens once, on the
 * writer's thread, with cx->message set on failure: OK after COMMIT; NOT_FOUND for an unknown run; INVALID for a deleted one; UNAVAILABLE when it may be tried again.
 * A status other than OK means that nothing was queued and `done` will not be called. Never blocks.
 */
typedef void ingest_done_fn(void *arg, enum status st);
enum status ingest_submit(struct ingest *in, struct ctx *cx, const char *run_uuid, const struct point *points,
	size_t n, ingest_done_fn *done, void *arg) must_check;

/* The same inside the caller's transaction (log-batch with params and tags): the run's row is already locked and active. */
enum status ingest_write(struct ingest *in, struct tx *tx, int64_t run_id, int64_t experiment_id,
	const struct point *points, size_t n) must_check;

/* Reading. All in the caller's transaction; results in the arena. */
struct latest {
	const char *key;
	struct sample last; /* greatest (step, time, value) */
	struct sample first, min,
		max; /* first: least (step, time, value); NaN counts in neither min nor max unless all are NaN */
	int64_t count; /* without exact duplicates */
	int64_t real;  /* of these, the ones that are no NaN */
	double sum;    /* of those: the mean is sum / real */
};
struct run_latest {
	int64_t run_id;
	struct latest *keys; /* sorted by key, bytes */
	size_t n;
};
/* For each of the runs (any order, no twins): its keys. out has room for n. */
enum status ingest_latest(struct tx *tx, const int64_t *run_ids, size_t n, struct run_latest *out) must_check;

/*
 * For searches: the latest of a few keys of many runs, in one pass and in the memory of the answer alone. out has room for
 * n * key_count: out[i * key_count + k] is of run_ids[i] and keys[k]. Runs and keys without twins.
 */
struct last_value {
	struct sample last;
	bool there;
};
enum status ingest_last(struct tx *tx, const int64_t *run_ids, size_t n, const char *const *keys,
	size_t key_count, struct last_value *out) must_check;

/*
 * Samples. All in one snapshot (tx_begin_snapshot); a run that does not have the key has none. Memory is that of a page, of what
 * lies in tail rows, and of chunks that overlap; not of the series.
 */
struct read_run {
	int64_t run_id;
	int64_t experiment_id;
	int64_t start_unix_ms; /* 0: not known */
};

/* History of one key in MLflow's order (time, step, value; NaN sorts as 0), from after `after` (NULL: the start), at most limit + 1. */
enum status ingest_history(struct tx *tx, const struct read_run *run, const char *key,
	const struct sample *after, size_t limit, struct sample **out, size_t *n) must_check;

/* Lent for the call; the runs come in their order. */
typedef enum status ingest_span_fn(void *arg, size_t run, const struct sample *samples, size_t n);
/* The histories of several runs one after the other, `limit` samples in all. */
enum status ingest_histories(struct tx *tx, const struct read_run *runs, size_t n, const char *key,
	size_t limit, ingest_span_fn *each, void *arg) must_check;
/*
 * Of each run at most `most` samples in stored order, as NTILE cuts them: the first n % most tiles hold one more, the first of
 * each tile is taken, and the last sample in place of the last tile's first. The range of steps is inclusive.
 */
enum status ingest_tiles(struct tx *tx, const struct read_run *runs, size_t n, const char *key,
	int64_t step_lo, int64_t step_hi, size_t most, ingest_span_fn *each, void *arg) must_check;

#endif
