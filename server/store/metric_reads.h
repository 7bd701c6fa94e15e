/*
 * Reading metrics: the rows of metric_tail and metric_chunk. What is packed is ingest's business. A read of several statements
 * needs one snapshot (tx_begin_snapshot): compaction moves points from row to row meanwhile.
 */
#ifndef STORE_METRIC_READS_H
#define STORE_METRIC_READS_H

#include <stddef.h>
#include <stdint.h>
#include "store/tx.h"

/* The snapshot of this transaction (pg_snapshot as text, in the arena) and the identifier of its cluster. */
enum status store_metric_snapshot(
	struct tx *tx, const char **snapshot, int64_t *system_identifier) must_check;

/* What some series are made of. */
struct metric_read {
	const int64_t *run_ids; /* whose tail rows; no twins */
	size_t run_count;
	const int64_t *chunk_run_ids, *chunk_key_ids; /* pairs: of a key, or of a bundle (ingest/chunk.h) */
	size_t chunk_count;
	int64_t previews_from; /* chunks of a series in the range below; 0: no previews */
	int64_t step_lo, step_hi, time_lo_unix_ms, time_hi_unix_ms;
};
struct metric_piece {
	int64_t run_id;
	int32_t key_id; /* 0: a tail row, below 0: a bundle, else a chunk */
	int64_t step_lo, step_hi, time_lo_unix_ms, time_hi_unix_ms; /* of chunks and bundles */
	int64_t first_unix_ms, seq;                                 /* of chunks: part of their name */
	int64_t n;
	int64_t chunks; /* of its series in the range; 0: they were not counted, for no previews are wanted */
	const void *data; /* borrowed for the call; of a chunk its preview, NULL when there is none */
	size_t len;
};
typedef enum status metric_piece_fn(void *arg, const struct metric_piece *piece);
/* All rows whatever their range, as they arrive, in no order; another status than OK ends it and is returned. */
enum status store_metric_read(
	struct tx *tx, const struct metric_read *what, metric_piece_fn *each, void *arg) must_check;

struct metric_chunk_name {
	int64_t run_id;
	int32_t key_id;
	int64_t step_lo, first_unix_ms, seq;
};
typedef enum status metric_data_fn(void *arg, size_t at, const void *data, size_t len);
/* Their data, each once, in this order. INTERNAL when one is not there: the snapshot was not the one in which it was seen. */
enum status store_metric_chunk_data(struct tx *tx, const struct metric_chunk_name *names, size_t n,
	metric_data_fn *each, void *arg) must_check;

#endif
