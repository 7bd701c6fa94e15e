/* Tail rows in one round trip: for the writer, who knows its runs from before. */
#ifndef STORE_METRIC_LOG_H
#define STORE_METRIC_LOG_H

#include "store/metrics.h"

struct metric_tail_row {
	int64_t run_id;
	int64_t seq;
	int32_t n;
	const void *data; /* borrowed for the call */
	size_t len;
};

/*
 * On a tx_change(): the rows of runs that memory knows, all or nothing. runs: by uuid, no twins, each with its
 * run_id; they are locked and looked at by the same statement. *logged false: one of them is not there, or deleted, and nothing changed.
 * tx_is_unknown() tells when PostgreSQL was lost after the statement had left, and the rows may be there or not.
 * ALREADY_EXISTS: a row with one's run_id and seq is there.
 */
enum status store_metric_log(struct tx *tx, const struct metric_run *runs, size_t run_count,
	const struct metric_tail_row *rows, size_t n, bool *logged) must_check;
/* *there: one of these rows is there, byte by byte; then all of its transaction are, or were. */
enum status store_metric_tail_has(
	struct tx *tx, const struct metric_tail_row *rows, size_t n, bool *there) must_check;

#endif
