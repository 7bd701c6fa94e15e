/* Logging metrics. Their bodies never become a JSON tree: ingest/scanner.h reads them. */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"
#include "domain/names.h"
#include "domain/run.h"
#include "ingest/ingest.h"
#include "ingest/batch.h"
#include "ingest/scanner.h"
#include "wire/metrics.h"

#define ON_LOOP_BYTES 100000 /* a batch that unpacks to more is read by a worker */

/* ---- in ---- */

static struct model_point *
model_points(struct ctx *cx, const struct scanned_batch *in, size_t *n)
{
	struct model_point *out = arena_array(cx->arena, in->n, sizeof(*out));

	*n = 0;
	for (size_t i = 0; in->models != NULL && i < in->n; i++)
		if (in->models[i].model_id != NULL)
			out[(*n)++] =
				(struct model_point){ in->models[i].model_id, in->run_id, in->points[i].key,
					in->points[i].value, in->points[i].time_unix_ms, in->points[i].step,
					in->models[i].dataset_name, in->models[i].dataset_digest };
	return out;
}

static enum status
check_datasets(struct ctx *cx, const struct scanned_batch *in)
{
	for (size_t i = 0; in->models != NULL && i < in->n; i++)
		if ((in->models[i].dataset_name == NULL) != (in->models[i].dataset_digest == NULL))
			return fail(cx, INVALID,
				"Both dataset_name and dataset_digest must be provided if one is provided");
	return OK;
}

static void
logged(void *arg, enum status st)
{
	request_finish(arg, st);
}

/* To the ingest writer, which answers. */
static enum status
submit(struct request *rq, const char *run, const struct point *points, size_t n)
{
	struct ctx *cx = request_ctx(rq);
	enum status st;

	request_body_drop(rq); /* all of it that counts is in the arena */
	st = ingest_submit(cx->parts->ingest, cx, run, points, n, logged, rq);
	return st == OK ? LATER : st;
}

/* Points alone go to the writer; whatever comes with them needs a transaction of its own. */
static enum status
log_scanned(struct request *rq, struct response *rs, const struct scanned_batch *in, bool single)
{
	struct ctx *cx = request_ctx(rq);
	struct run_batch batch = { .uuid = in->run_id,
		.single = single,
		.points = in->points,
		.point_count = in->n,
		.params = in->params,
		.param_count = in->param_count,
		.tags = in->tags,
		.tag_count = in->tag_count };
	bool more = in->models != NULL || in->param_count > 0 || in->tag_count > 0 || in->n == 0;
	enum status st = check_datasets(cx, in);

	if (st != OK)
		return st;
	if (more && request_on_loop(rq))
		return NEEDS_WORKER;
	if ((st = run_batch_check(cx, &batch)) != OK || (st = io_empty(rs)) != OK)
		return st;
	if (more) {
		batch.model_points = model_points(cx, in, &batch.model_point_count);
		return run_log_batch(cx, &batch);
	}
	return submit(rq, in->run_id, in->points, in->n);
}

enum status
api_metric_log(struct request *rq, struct response *rs)
{
	struct scanned_batch in;
	size_t len;
	const char *body = request_body(rq, &len);
	enum status st = scan_log_metric(request_ctx(rq), body, len, &in);

	return st == OK ? log_scanned(rq, rs, &in, true) : st;
}

enum status
api_batch_log(struct request *rq, struct response *rs)
{
	struct scanned_batch in;
	size_t len;
	const char *body = request_body(rq, &len);
	enum status st = scan_log_batch(request_ctx(rq), body, len, &in);

	return st == OK ? log_scanned(rq, rs, &in, false) : st;
}

/* Content-Type: as clients write it, in any case and with parameters. */
static bool
is_batch(const struct request *rq)
{
	const char *type = request_header(rq, "Content-Type");
	size_t n = strlen(WIRE_METRICS_TYPE);

	return type != NULL && strncasecmp(type, WIRE_METRICS_TYPE, n) == 0 &&
	       strchr("; \t", type[n]) != NULL; /* or its end */
}

/* POST /api/v1/runs/{run_id}/metrics: points as columns. */
enum status
api_metrics_log(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	const char *run = request_param(rq, "run_id");
	struct metric_batch in;
	size_t len;
	const char *body = request_body(rq, &len);
	enum status st;

	if (!is_batch(rq))
		return fail(cx, BAD_REQUEST, "Content-Type must be %s", WIRE_METRICS_TYPE);
	if (request_on_loop(rq) && batch_size(body, len) > ON_LOOP_BYTES)
		return NEEDS_WORKER;
	if ((st = batch_read(cx, body, len, &in)) != OK ||
		(st = run_points_check(cx, run, in.names, in.name_count, in.points, in.n)) != OK)
		return st;
	if (in.n == 0 && request_on_loop(rq))
		return NEEDS_WORKER;
	if ((st = io_empty(rs)) != OK)
		return st;
	return in.n == 0 ? run_log_batch(cx, &(struct run_batch){ .uuid = run })
			 : submit(rq, run, in.points, in.n);
}
