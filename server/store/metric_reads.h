/* Reading metrics: the rows of metric_tail and metric_chunk in one snapshot. What is packed is ingest's business. */
#ifndef STORE_METRIC_READS_H
#define STORE_METRIC_READS_H

#include <stdint.h>
#include "store/tx.h"

/* The snapshot of this transaction (pg_snapshot as text, in the arena) and the identifier of its cluster. */
enum status store_metric_snapshot(
	struct tx *tx, const char **snapshot, int64_t *system_identifier) must_check;

#endif
