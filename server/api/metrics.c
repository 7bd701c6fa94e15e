/* Logging and reading metrics. Their bodies never become a JSON tree: ingest/scanner.h reads them. */
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
#define HISTORY_RUNS  100
#define BULK_MOST     25000
#define INTERVAL_MOST 2500
#define BUCKETS       500
#define BUCKETS_MOST  5000
#define SERIES_MOST   1000

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
	enum status st = ingest_submit(cx->parts->ingest, cx, run, points, n, logged, rq);

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

/* ---- out ---- */

struct history_in {
	const char *run_id, *run_uuid, *metric_key, *page_token;
	bool has_max_results;
	int64_t max_results;
};
static const struct field history_fields[] = {
	FIELD_TEXT(struct history_in, run_id, 0),
	FIELD_TEXT(struct history_in, run_uuid, 0),
	FIELD_TEXT(struct history_in, metric_key, REQUIRED),
	FIELD_TEXT(struct history_in, page_token, 0),
	FIELD_INT_HAS(struct history_in, max_results, 0),
	FIELD_END,
};

static void
write_sample(struct jsonw *w, const char *key, const struct sample *s, const char *run)
{
	jw_object(w);
	jw_text_at(w, "key", key);
	io_value_at(w, "value", s->value);
	jw_int_at(w, "timestamp", s->time_unix_ms);
	jw_int_at(w, "step", s->step);
	jw_text_at(w, "run_id", run);
	jw_end(w);
}

enum status
api_metric_history(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct history_in in = { 0 };
	struct sample *samples;
	struct jsonw w;
	const char *next;
	size_t n;
	enum status st;

	if ((st = io_read(rq, history_fields, &in)) != OK)
		return st;
	if (str_empty(in.run_id) && str_empty(in.run_id = in.run_uuid))
		return fail(cx, INVALID, "Missing value for required parameter 'run_id'.");
	if (in.has_max_results && in.max_results < 1)
		return fail(cx, INVALID,
			"Invalid value %lld for parameter 'max_results' supplied: expected at least 1",
			(long long)in.max_results);
	if ((st = run_history(cx, in.run_id, in.metric_key, (size_t)in.max_results, in.page_token, &samples,
		     &n, &next)) != OK)
		return st;
	io_begin(&w, rs);
	if (n > 0)
		jw_array_at(&w, "metrics");
	for (size_t i = 0; i < n; i++)
		write_sample(&w, in.metric_key, &samples[i], NULL);
	if (n > 0)
		jw_end(&w);
	jw_text_at(&w, "next_page_token", next);
	return io_end(&w);
}

struct bulk_in {
	const char **run_ids;
	size_t run_count;
	const char *metric_key;
	bool has_max_results, has_start_step, has_end_step;
	int64_t max_results, start_step, end_step;
};
static const struct field bulk_fields[] = {
	{ "run_id", FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct bulk_in, run_ids),
		offsetof(struct bulk_in, run_count), 0, NULL, 0 },
	FIELD_TEXT(struct bulk_in, metric_key, REQUIRED),
	FIELD_INT_HAS(struct bulk_in, max_results, 0),
	FIELD_END,
};
static const struct field interval_fields[] = {
	FIELD_TEXTS(struct bulk_in, run_ids, run_count, REQUIRED),
	FIELD_TEXT(struct bulk_in, metric_key, REQUIRED),
	FIELD_INT_HAS(struct bulk_in, max_results, 0),
	FIELD_INT_HAS(struct bulk_in, start_step, 0),
	FIELD_INT_HAS(struct bulk_in, end_step, 0),
	FIELD_END,
};

static enum status
check_bulk(struct ctx *cx, struct bulk_in *in, int64_t most)
{
	if (in->run_count > HISTORY_RUNS)
		return fail(cx, INVALID,
			"GetMetricHistoryBulk request must specify at most %d run_ids. Received %zu run_ids.",
			HISTORY_RUNS, in->run_count);
	if (!in->has_max_results)
		in->max_results = most;
	if (in->max_results < 1 || in->max_results > most)
		return fail(cx, INVALID,
			"Invalid value %lld for parameter 'max_results' supplied: expected 1 to %lld",
			(long long)in->max_results, (long long)most);
	return OK;
}

/* A run that is named twice counts once. */
static void
keep_first(struct bulk_in *in)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->run_count; i++) {
		size_t k = 0;

		while (k < kept && !str_eq(in->run_ids[k], in->run_ids[i]))
			k++;
		if (k == kept)
			in->run_ids[kept++] = in->run_ids[i];
	}
	in->run_count = kept;
}

/* All runs' histories in the protocol's order, cut at max_results. */
enum status
api_metric_history_bulk(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct bulk_in in = { 0 };
	struct jsonw w;
	enum status st;

	if ((st = io_read(rq, bulk_fields, &in)) != OK)
		return st;
	if (in.max_results > BULK_MOST)
		in.max_results = BULK_MOST;
	if ((st = check_bulk(cx, &in, BULK_MOST)) != OK)
		return st;
	io_begin(&w, rs);
	jw_array_at(&w, "metrics");
	keep_first(&in);
	for (size_t r = 0; r < in.run_count && in.max_results > 0; r++) {
		struct sample *samples;
		const char *next;
		size_t n;

		if ((st = run_history(cx, in.run_ids[r], in.metric_key, (size_t)in.max_results, NULL,
			     &samples, &n, &next)) != OK)
			return st;
		for (size_t i = 0; i < n; i++)
			write_sample(&w, in.metric_key, &samples[i], in.run_ids[r]);
		in.max_results -= (int64_t)n;
	}
	jw_end(&w);
	return io_end(&w);
}

/*
 * The protocol's sampling: the rows in stored order are cut into max_results tiles as NTILE does (the first n % max tiles hold one more),
 * the first of each is taken, and the last row is always kept.
 */
struct tiles {
	struct jsonw *w;
	size_t most;
	bool any;
};

static enum status
write_tiles(void *arg, struct ctx *cx, const struct run_series *s)
{
	struct tiles *to = arg;
	size_t tiles = s->n < to->most ? s->n : to->most, each = s->n / tiles, longer = s->n % tiles, at = 0;

	(void)cx;
	if (!to->any)
		jw_array_at(to->w, "metrics");
	to->any = true;
	for (size_t t = 0; t < tiles; t++) {
		size_t pick = at;

		at += each + (t < longer);
		if (t + 1 == tiles && s->n > to->most)
			pick = s->n - 1;
		write_sample(to->w, s->key, &s->samples[pick], s->uuid);
	}
	return OK;
}

enum status
api_metric_history_interval(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct bulk_in in = { 0 };
	struct run_series_in what;
	struct jsonw w;
	struct tiles to = { .w = &w };
	enum status st;

	if ((st = io_read(rq, interval_fields, &in)) != OK || (st = check_bulk(cx, &in, INTERVAL_MOST)) != OK)
		return st;
	if (in.has_start_step != in.has_end_step)
		return fail(cx, INVALID,
			"If either start step or end step are specified, both must be specified.");
	if (in.has_start_step && in.start_step > in.end_step)
		return fail(cx, INVALID,
			"end_step must be greater than start_step. Found start_step=%lld and end_step=%lld.",
			(long long)in.start_step, (long long)in.end_step);
	what = (struct run_series_in){ in.run_ids, &in.metric_key, in.run_count, 1,
		in.has_start_step ? in.start_step : INT64_MIN, in.has_end_step ? in.end_step : INT64_MAX };
	to.most = (size_t)in.max_results;
	io_begin(&w, rs);
	if ((st = run_series(cx, &what, write_tiles, &to)) != OK)
		return st;
	if (to.any)
		jw_end(&w);
	return io_end(&w);
}

/* ---- charts ---- */

struct series_in {
	const char **run_ids, **keys;
	size_t run_count, key_count;
	bool has_buckets;
	int64_t buckets;
};
static const struct field series_fields[] = {
	{ "run_id", FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct series_in, run_ids),
		offsetof(struct series_in, run_count), 0, NULL, 0 },
	{ "key", FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct series_in, keys),
		offsetof(struct series_in, key_count), 0, NULL, 0 },
	FIELD_INT_HAS(struct series_in, buckets, 0),
	FIELD_END,
};

static void
write_ints(struct jsonw *w, const char *name, const struct bucket *b, size_t n, size_t offset)
{
	jw_array_at(w, name);
	for (size_t i = 0; i < n; i++)
		jw_int(w, *(const int64_t *)((const char *)&b[i] + offset));
	jw_end(w);
}

static void
write_doubles(struct jsonw *w, const char *name, const struct bucket *b, size_t n, size_t offset)
{
	jw_array_at(w, name);
	for (size_t i = 0; i < n; i++)
		jw_real(w, *(const double *)((const char *)&b[i] + offset));
	jw_end(w);
}

struct columns {
	struct jsonw *w;
	size_t buckets;
};

static enum status
write_series(void *arg, struct ctx *cx, const struct run_series *s)
{
	struct jsonw *w = ((struct columns *)arg)->w;
	struct bucket *b;
	size_t n;
	enum status st = ingest_buckets(cx, s->samples, s->n, ((struct columns *)arg)->buckets, &b, &n);

	if (st != OK)
		return st;
	jw_object(w);
	jw_text_at(w, "run_id", s->uuid);
	jw_text_at(w, "key", s->key);
	jw_int_at(w, "n", (int64_t)s->n);
	jw_object_at(w, "points");
	write_ints(w, "step", b, n, offsetof(struct bucket, step_lo));
	write_ints(w, "time", b, n, offsetof(struct bucket, time_lo_unix_ms));
	write_doubles(w, "first", b, n, offsetof(struct bucket, first));
	write_doubles(w, "last", b, n, offsetof(struct bucket, last));
	write_doubles(w, "min", b, n, offsetof(struct bucket, min));
	write_doubles(w, "max", b, n, offsetof(struct bucket, max));
	write_doubles(w, "mean", b, n, offsetof(struct bucket, mean));
	write_ints(w, "count", b, n, offsetof(struct bucket, count));
	jw_end(w);
	jw_end(w);
	return OK;
}

/* GET /api/v1/metrics/series: columns for charts; every bucket keeps its extremes. */
enum status
api_metric_series(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct series_in in = { .buckets = BUCKETS };
	struct run_series_in what;
	struct jsonw w;
	struct columns to = { .w = &w };
	enum status st;

	if ((st = io_read(rq, series_fields, &in)) != OK)
		return st;
	if (in.buckets < 1 || in.buckets > BUCKETS_MOST)
		return fail(cx, INVALID,
			"Invalid value %lld for parameter 'buckets' supplied: expected 1 to %d",
			(long long)in.buckets, BUCKETS_MOST);
	if (in.run_count * in.key_count > SERIES_MOST)
		return fail(cx, INVALID,
			"%zu runs times %zu keys are more than the %d series of one request: ask in parts",
			in.run_count, in.key_count, SERIES_MOST);
	what = (struct run_series_in){ in.run_ids, in.keys, in.run_count, in.key_count, INT64_MIN,
		INT64_MAX };
	to.buckets = (size_t)in.buckets;
	io_begin(&w, rs);
	jw_array_at(&w, "series");
	if ((st = run_series(cx, &what, write_series, &to)) != OK)
		return st;
	jw_end(&w);
	return io_end(&w);
}
