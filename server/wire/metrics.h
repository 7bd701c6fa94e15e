/*
 * application/x-cairn-metrics: points as columns, for POST /api/v1/runs/{run_id}/metrics. What both sides know of it, and the writer;
 * the server's reader is ingest/batch.h. Byte by byte: server/ingest/README.md.
 */
#ifndef WIRE_METRICS_H
#define WIRE_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

#define WIRE_METRICS_TYPE  "application/x-cairn-metrics"
#define WIRE_METRICS_MAGIC "CMB" /* three bytes, then the version */

#define WIRE_VERSION     1
#define WIRE_HEADER      5          /* bytes: magic, version, encoding */
#define WIRE_POINTS_MOST 100000     /* in one body */
#define WIRE_BODY_MOST   (4u << 20) /* bytes, packed or not */

enum wire_encoding { WIRE_PLAIN = 0, WIRE_ZSTD = 1 };
enum wire_group { WIRE_BY_KEY = 0, WIRE_BY_STEP = 1 };

struct wire_point {
	const char *key; /* the same pointer is the same key; its text need not stand in memory twice */
	double value;
	int64_t time_unix_ms;
	int64_t step;
};

/* Append a whole body, not compressed. n is at most WIRE_POINTS_MOST; the body may come out longer than WIRE_BODY_MOST. */
void wire_metrics_write(struct buf *out, const struct wire_point *points, size_t n);

#endif
