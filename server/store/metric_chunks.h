/*
 * What compaction does with rows: takes those of the tail, reads, writes and deletes chunks, bundles and summaries. All calls for a
 * run are made under its lock, in one transaction. What is packed is ingest's business.
 */
#ifndef STORE_METRIC_CHUNKS_H
#define STORE_METRIC_CHUNKS_H

#include <stdbool.h>
#include "base/buf.h"
#include "store/metrics.h"
#include "store/tx.h"

/* Until the transaction ends; *locked false: somebody else works on the run. */
enum status store_compact_lock(struct tx *tx, int64_t run_id, bool *locked) must_check;
/* The same, but waits. */
enum status store_compact_wait(struct tx *tx, int64_t run_id) must_check;
/* Tells those who follow that the run's metrics are stored anew. *there false: no such run any more. */
enum status store_compact_note(struct tx *tx, int64_t run_id, bool *there) must_check;

typedef enum status chunk_data_fn(void *arg, const void *data, size_t len); /* borrowed for the call */

/* Take the oldest rows of a run's tail until `points` are reached, at most `rows`; in no order. */
enum status store_metric_tail_take(struct tx *tx, int64_t run_id, int64_t points, int64_t rows,
	chunk_data_fn *each, void *arg) must_check;
struct metric_tail_run {
	int64_t run_id, seq; /* seq: of its oldest row */
};
/* The runs that have tail rows, in rising order, from the one after `after`. */
enum status store_metric_tail_runs(
	struct tx *tx, int64_t after, int64_t most, struct metric_tail_run **out, size_t *n) must_check;
/* Give back the room of rows that were taken. In a tx_auto. */
enum status store_metric_tail_vacuum(struct tx *tx) must_check;
/* Tail rows, chunks and summaries of a run. */
enum status store_metrics_drop(struct tx *tx, int64_t run_id) must_check;

/* A row of metric_chunk without its points. */
struct chunk_head {
	int64_t step_lo, first_unix_ms, seq;
	int64_t step_hi, time_hi_unix_ms;
	int64_t n;
};
struct chunk_moment {
	int64_t step, time_unix_ms;
};
/* Those of one series that begin in the range, inclusive, after at most `before` that begin earlier; in order. */
struct chunk_range {
	struct chunk_moment from, to;
	int64_t before, most;
};
enum status store_chunk_heads(struct tx *tx, int64_t run_id, int32_t key_id, const struct chunk_range *range,
	struct chunk_head **out, size_t *n) must_check;
/* All bundles of one block, the smallest first. */
enum status store_chunk_bundles(
	struct tx *tx, int64_t run_id, int32_t key_id, struct chunk_head **out, size_t *n) must_check;

/* The points of some of them, in their order; as many calls as heads, or INTERNAL. */
enum status store_chunk_data(struct tx *tx, int64_t run_id, int32_t key_id, const struct chunk_head *heads,
	size_t n, chunk_data_fn *each, void *arg) must_check;
/* INTERNAL unless all of them were there. */
enum status store_chunk_delete(
	struct tx *tx, int64_t run_id, int32_t key_id, const struct chunk_head *heads, size_t n) must_check;

struct chunk_row {
	int64_t run_id;
	int32_t key_id;
	int32_t n;
	int64_t seq;
	int64_t step_lo, step_hi;
	int64_t first_unix_ms, time_lo_unix_ms, time_hi_unix_ms;
	const void *preview; /* NULL: none */
	size_t preview_len;
	const void *data;
	size_t len;
};
/* Append one row for store_chunk_copy(). */
void chunk_row_add(struct buf *rows, const struct chunk_row *row);
enum status store_chunk_copy(struct tx *tx, const struct buf *rows) must_check;

/* *data NULL: there is none; else in the arena. */
enum status store_summary_get(
	struct tx *tx, int64_t run_id, int32_t part, const void **data, size_t *len) must_check;
enum status store_summary_put(
	struct tx *tx, int64_t run_id, int32_t part, const void *data, size_t len) must_check;

/* ---- reading what tells the latest values; no lock is needed ---- */

enum stored_kind { STORED_TAIL, STORED_SUMMARY, STORED_CHUNK };
struct metric_stored {
	int64_t run_id;
	int64_t experiment_id;
	enum stored_kind kind;
	int32_t key_id;   /* of a chunk; below 0: of a bundle */
	const void *data; /* borrowed for the call */
	size_t len;
};
typedef enum status metric_stored_fn(void *arg, const struct metric_stored *row);
/*
 * Tail rows and summaries of some runs, of one moment, in no order. part_count: of these summaries alone; 0: of all. Another
 * status than OK ends it and is returned.
 */
enum status store_metric_stored(struct tx *tx, const int64_t *run_ids, size_t n, const int64_t *parts,
	size_t part_count, metric_stored_fn *each, void *arg) must_check;
struct chunk_start {
	int32_t key_id, bundle;
	struct chunk_moment from;
};
/* The same of one run; after that the chunks and bundles that may hold points of some series from a moment on. */
enum status store_metric_stored_from(struct tx *tx, int64_t run_id, const struct chunk_start *series,
	size_t n, metric_stored_fn *each, void *arg) must_check;

#endif
