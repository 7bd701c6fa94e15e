/* The metric engine's tables cut by run into hash partitions. No statement changes: each names the run first. */
#ifndef STORE_PARTITION_H
#define STORE_PARTITION_H

#include "store/pool.h"

#define PARTITIONS_MOST 256

/*
 * Cut metric_tail, metric_chunk and run_summary into `count` partitions each, whatever they were; all rows move, in one transaction that
 * keeps everybody else out. Needs free space for a second copy of the tables. count: 1 (one plain table again) to PARTITIONS_MOST.
 */
enum status partition_metrics(struct ctx *cx, int64_t count) must_check;

#endif
