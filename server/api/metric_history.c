/* Histories of metrics in the protocol's order. */
#include <stdint.h>

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"
#include "domain/run.h"
#include "ingest/ingest.h"

#define HISTORY_RUNS  100
#define BULK_MOST     25000
#define INTERVAL_MOST 2500

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
		io_sample(&w, in.metric_key, &samples[i], NULL);
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

struct samples_out {
	struct jsonw *w;
	const char *key;
	bool any;
};

static enum status
write_samples(void *arg, const char *uuid, const struct sample *samples, size_t n)
{
	struct samples_out *to = arg;

	if (!to->any)
		jw_array_at(to->w, "metrics");
	to->any = true;
	for (size_t i = 0; i < n; i++)
		io_sample(to->w, to->key, &samples[i], uuid);
	return OK;
}

/* All runs' histories in the protocol's order, cut at max_results. */
enum status
api_metric_history_bulk(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct bulk_in in = { 0 };
	struct jsonw w;
	struct samples_out to = { .w = &w, .any = true };
	enum status st;

	if ((st = io_read(rq, bulk_fields, &in)) != OK)
		return st;
	if (in.max_results > BULK_MOST)
		in.max_results = BULK_MOST;
	if ((st = check_bulk(cx, &in, BULK_MOST)) != OK)
		return st;
	to.key = in.metric_key;
	io_begin(&w, rs);
	jw_array_at(&w, "metrics");
	if ((st = run_histories(cx, in.run_ids, in.run_count, in.metric_key, (size_t)in.max_results,
		     write_samples, &to)) != OK)
		return st;
	jw_end(&w);
	return io_end(&w);
}

enum status
api_metric_history_interval(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct bulk_in in = { 0 };
	struct run_tiles_in what;
	struct jsonw w;
	struct samples_out to = { .w = &w };
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
	what = (struct run_tiles_in){ in.run_ids, in.run_count, in.metric_key,
		in.has_start_step ? in.start_step : INT64_MIN, in.has_end_step ? in.end_step : INT64_MAX,
		(size_t)in.max_results };
	to.key = in.metric_key;
	io_begin(&w, rs);
	if ((st = run_tiles(cx, &what, write_samples, &to)) != OK)
		return st;
	if (to.any)
		jw_end(&w);
	return io_end(&w);
}
