/*
 * The bodies of runs/log-metric and runs/log-batch, read straight from the bytes: no tree. Members in any order, snake_case or
 * camelCase, int64 as number or text, doubles as number or "NaN", "Infinity", "-Infinity" (any case), null as absent, unknown members
 * skipped; the same member twice is refused. At most 64 levels; text is valid UTF-8 without NUL. A body that is a JSON string holding
 * JSON is unwrapped once; an empty body is {}.
 *
 * Checked here: JSON, types, numbers, what is required. Names, times, lengths, counts and twin params are rules: domain/names.h.
 * Never blocks; what comes out lives in cx->arena. Messages are MLflow's where clients know them.
 */
#ifndef INGEST_SCANNER_H
#define INGEST_SCANNER_H

#include <stddef.h>
#include "base/fields.h"
#include "ingest/ingest.h"

/* What a point may say about a logged model. NULL: absent or empty. */
struct point_model {
	const char *model_id;
	const char *dataset_name;
	const char *dataset_digest;
};

struct scanned_batch {
	const char *run_id; /* run_id, or else run_uuid; never empty */
	struct point *points;
	size_t n;
	struct point_model *models; /* NULL: no point has any; else one for each point */
	struct key_value *params;   /* value "" when absent */
	size_t param_count;
	struct key_value *tags; /* value "" when absent */
	size_t tag_count;
};

/* One metric: n is 1. */
enum status scan_log_metric(
	struct ctx *cx, const char *body, size_t len, struct scanned_batch *out) must_check;
enum status scan_log_batch(
	struct ctx *cx, const char *body, size_t len, struct scanned_batch *out) must_check;

#endif
