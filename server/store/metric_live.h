/*
 * What came to runs since a snapshot. Relies on two things that hold for every writer:
 * a point comes into metric_tail first, and whoever moves it on writes a run_summary of its run in the same transaction.
 */
#ifndef STORE_METRIC_LIVE_H
#define STORE_METRIC_LIVE_H

#include <stdbool.h>
#include "store/tx.h"

struct metric_news {
	int64_t run_id;
	bool moved;       /* points were stored anew, new ones perhaps among them; else a tail row: */
	const void *data; /* borrowed for the call */
	size_t len;
};
typedef enum status metric_news_fn(void *arg, const struct metric_news *news);
/* As they arrive, in no order; another status than OK ends it and is returned. The snapshot is of this cluster (ingest/cursor.h). */
enum status store_metric_live(struct tx *tx, const char *since, const int64_t *run_ids, size_t n,
	metric_news_fn *each, void *arg) must_check;

#endif
