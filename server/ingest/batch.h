/*
 * The bodies of POST /api/v1/runs/{run_id}/metrics: points as columns (README.md, byte by byte). Takes any bytes: lengths are checked
 * against what is there, and what is not against a limit, before memory is taken. Never blocks; what comes out lives in cx->arena.
 *
 * Checked here: the form, the limits of points and bytes, that names are text. What names and times may be are rules: domain/run.h.
 */
#ifndef INGEST_BATCH_H
#define INGEST_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include "ingest/ingest.h"

struct metric_batch {
	const char **names; /* valid UTF-8 without NUL; not empty */
	size_t name_count;
	struct point *points; /* their keys are of `names`; NaN canonical */
	size_t n;
};

/* BAD_REQUEST: the bytes are not of this form; INVALID: too many points; TOO_LARGE: more bytes when unpacked than a body may have. */
enum status batch_read(struct ctx *cx, const char *body, size_t len, struct metric_batch *out) must_check;

/* How many bytes the body has when it is unpacked, or says it has: what reading it will cost. */
size_t batch_size(const char *body, size_t len);

#endif
