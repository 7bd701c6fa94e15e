/* The rows of the metric engine: packed tail rows, metric names and their numbers. What is packed is ingest's business. */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

#include "base/buf.h"
#include "store/tx.h"

#define METRIC_SEQ_BLOCK 1024 /* numbers that one store_metric_seq_block() gives: the sequence's increment */

struct metric_run {
	int64_t run_id;
	int64_t experiment_id;
	const char *uuid;
	bool deleted;
};
/* FOR KEY SHARE; sorted by uuid, bytes. Unknown ones are missing. */
enum status store_metric_runs_share(
	struct tx *tx, const char *const *uuids, size_t n, struct metric_run **out, size_t *found) must_check;

enum status store_metric_seq_block(struct tx *tx, int64_t *first) must_check;

struct metric_key {
	int64_t experiment_id;
	int32_t key_id;
	const char *name;
};
enum status store_metric_keys_find(struct tx *tx, int64_t experiment_id, const char *const *names, size_t n,
	struct metric_key **out, size_t *found) must_check;
/* Those that are not there are made; others who make some for this experiment wait until the transaction ends. No twins. */
enum status store_metric_keys_make(struct tx *tx, int64_t experiment_id, const char *const *names, size_t n,
	struct metric_key **out, size_t *found) must_check;
/* experiment_ids[i] and key_ids[i] belong together. */
enum status store_metric_key_names(struct tx *tx, const int64_t *experiment_ids, const int64_t *key_ids,
	size_t n, struct metric_key **out, size_t *found) must_check;

/* The numbers that names have in the experiments of some runs, in no order. */
enum status store_metric_keys_of_runs(struct tx *tx, const int64_t *run_ids, size_t runs,
	const char *const *names, size_t n, struct metric_key **out, size_t *found) must_check;

/* Append one row for store_metric_tail_copy(). */
void metric_tail_row(struct buf *rows, int64_t run_id, int64_t seq, int32_t n, const void *data, size_t len);
/* ALREADY_EXISTS: a row with this run_id and seq is there. */
enum status store_metric_tail_copy(struct tx *tx, const struct buf *rows) must_check;

#endif
