/* Metrics for charts and tables. Answers are written as columns, straight from what was read. */
#include <math.h>
#include <stdint.h>

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"
#include "domain/run_live.h"
#include "domain/run_series.h"

#define BUCKETS      500
#define BUCKETS_MOST 5000
#define SERIES_MOST  1000
#define GROUPS_MOST  100
#define KEYS_MOST    1000
#define RUNS_MOST    1000

/* ---- what is asked for ---- */

struct range_in {
	int64_t from, to;
	double from_real, to_real;
	bool has_from, has_to;
};
static const struct field range_fields[] = {
	FIELD_INT_HAS(struct range_in, from, 0),
	FIELD_INT_HAS(struct range_in, to, 0),
	FIELD_END,
};
static const struct field real_range_fields[] = {
	{ "from", FIELD_TYPE_DOUBLE, 0, offsetof(struct range_in, from_real), 0,
		offsetof(struct range_in, has_from), NULL, 0 },
	{ "to", FIELD_TYPE_DOUBLE, 0, offsetof(struct range_in, to_real), 0,
		offsetof(struct range_in, has_to), NULL, 0 },
	FIELD_END,
};

/* Every request for series has these. */
struct drawing_in {
	const char *x, *x_key;
	bool has_buckets, exact;
	int64_t buckets;
};

static enum status
read_x(struct ctx *cx, const struct drawing_in *in, struct series_in *out)
{
	static const char *const names[] = { "step", "time", "relative", "metric" };
	const char *x = str_empty(in->x) ? "step" : in->x;

	for (int i = 0; i < 4; i++)
		if (str_eq(x, names[i])) {
			out->x = (enum series_x)i;
			return OK;
		}
	return fail(cx, INVALID,
		"Invalid value \"%s\" for parameter 'x' supplied: expected step, time, relative or metric",
		x);
}

static enum status
read_range(struct request *rq, struct series_in *out)
{
	struct range_in in = { 0 };
	bool real = out->x == SERIES_METRIC;
	enum status st = io_read(rq, real ? real_range_fields : range_fields, &in);

	if (st != OK)
		return st;
	out->from = in.has_from ? in.from : INT64_MIN;
	out->to = in.has_to ? in.to : INT64_MAX;
	out->from_real = in.has_from ? in.from_real : -(double)INFINITY;
	out->to_real = in.has_to ? in.to_real : (double)INFINITY;
	if (real ? !(out->from_real <= out->to_real) : out->from > out->to)
		return fail(request_ctx(rq), INVALID, "from must not be greater than to");
	return OK;
}

static enum status
read_drawing(struct request *rq, const struct drawing_in *in, struct series_in *out)
{
	struct ctx *cx = request_ctx(rq);
	int64_t buckets = in->has_buckets ? in->buckets : BUCKETS;
	enum status st;

	if (buckets < 1 || buckets > BUCKETS_MOST)
		return fail(cx, INVALID,
			"Invalid value %lld for parameter 'buckets' supplied: expected 1 to %d",
			(long long)buckets, BUCKETS_MOST);
	*out = (struct series_in){ .x_key = in->x_key, .buckets = (size_t)buckets, .exact = in->exact };
	if ((st = read_x(cx, in, out)) != OK)
		return st;
	if ((out->x == SERIES_METRIC) == str_empty(in->x_key))
		return fail(cx, INVALID,
			str_empty(in->x_key) ? "x=metric needs x_key: the metric that x is"
					     : "x_key goes with x=metric");
	return read_range(rq, out);
}

static enum status
check_series(struct ctx *cx, size_t runs, size_t keys)
{
	if (runs > SERIES_MOST || keys > SERIES_MOST || runs * keys > SERIES_MOST)
		return fail(cx, INVALID,
			"%zu runs with %zu keys are more than %d series: ask for fewer at a time", runs, keys,
			SERIES_MOST);
	return OK;
}

/* ---- columns ---- */

static void
write_ints(struct jsonw *w, const char *name, const void *rows, size_t n, size_t size, size_t offset)
{
	jw_array_at(w, name);
	for (size_t i = 0; i < n; i++)
		jw_int(w, *(const int64_t *)((const char *)rows + i * size + offset));
	jw_end(w);
}

static void
write_reals(struct jsonw *w, const char *name, const void *rows, size_t n, size_t size, size_t offset)
{
	jw_array_at(w, name);
	for (size_t i = 0; i < n; i++)
		jw_real(w, *(const double *)((const char *)rows + i * size + offset));
	jw_end(w);
}

#define BUCKET_COLUMN(write, name, member)                                                                   \
	write(w, name, b, n, sizeof(struct bucket), offsetof(struct bucket, member))

static void
write_buckets(struct jsonw *w, enum series_x x, const struct bucket *b, size_t n)
{
	jw_object_at(w, "points");
	if (x == SERIES_RELATIVE)
		BUCKET_COLUMN(write_ints, "x", x);
	if (x == SERIES_METRIC)
		BUCKET_COLUMN(write_reals, "x", x_real);
	BUCKET_COLUMN(write_ints, "step", step_lo);
	BUCKET_COLUMN(write_ints, "time", time_lo_unix_ms);
	BUCKET_COLUMN(write_reals, "first", first);
	BUCKET_COLUMN(write_reals, "last", last);
	BUCKET_COLUMN(write_reals, "min", min);
	BUCKET_COLUMN(write_reals, "max", max);
	BUCKET_COLUMN(write_reals, "mean", mean);
	BUCKET_COLUMN(write_ints, "count", count);
	jw_end(w);
}

/* The answer is larger than one may be: nothing more is read for it. */
static enum status
too_large(struct ctx *cx)
{
	return fail(cx, INVALID, "the answer would be too large: ask for fewer series or buckets at a time");
}

struct columns {
	struct jsonw *w;
	struct ctx *cx;
	enum series_x x;
};

static void
begin_series(struct jsonw *w, const char *run, const char *key, int64_t n, bool exact)
{
	jw_object(w);
	jw_text_at(w, "run_id", run);
	jw_text_at(w, "key", key);
	jw_int_at(w, "n", n);
	jw_bool_at(w, "exact", exact);
}

static enum status
write_series(void *arg, const char *uuid, const char *key, const struct series *s)
{
	const struct columns *to = arg;

	begin_series(to->w, uuid, key, s->n, s->exact);
	write_buckets(to->w, to->x, s->points, s->point_count);
	jw_end(to->w);
	return to->w->buf->overflow ? too_large(to->cx) : OK;
}

#define SAMPLE_COLUMN(write, name, member)                                                                   \
	write(w, name, s->samples, s->n, sizeof(struct sample), offsetof(struct sample, member))

/* New samples, each a point of its own. */
static enum status
write_news(void *arg, const struct live_series *s, bool reset)
{
	static const char *const values[] = { "first", "last", "min", "max", "mean" };
	const struct columns *to = arg;
	struct jsonw *w = to->w;

	begin_series(w, s->uuid, s->key, (int64_t)s->n, true);
	if (reset)
		jw_bool_at(w, "reset", true);
	jw_object_at(w, "points");
	SAMPLE_COLUMN(write_ints, "step", step);
	SAMPLE_COLUMN(write_ints, "time", time_unix_ms);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		SAMPLE_COLUMN(write_reals, values[i], value);
	jw_array_at(w, "count");
	for (size_t i = 0; i < s->n; i++)
		jw_int(w, 1);
	jw_end(w);
	jw_end(w);
	jw_end(w);
	return w->buf->overflow ? too_large(to->cx) : OK;
}

/* ---- GET and POST /api/v1/metrics/series ---- */

struct series_request {
	struct drawing_in how;
	const char **run_ids, **keys, *cursor;
	size_t run_count, key_count;
};
#define SERIES_FIELDS(run_name, key_name)                                                                    \
	{ run_name, FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct series_request, run_ids),                    \
		offsetof(struct series_request, run_count), 0, NULL, 0 },                                    \
		{ key_name, FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct series_request, keys),               \
			offsetof(struct series_request, key_count), 0, NULL, 0 },                            \
		{ "buckets", FIELD_TYPE_INT, 0, offsetof(struct series_request, how.buckets), 0,             \
			offsetof(struct series_request, how.has_buckets), NULL, 0 },                         \
		{ "x", FIELD_TYPE_TEXT, 0, offsetof(struct series_request, how.x), 0, 0, NULL, 0 },          \
		{ "x_key", FIELD_TYPE_TEXT, 0, offsetof(struct series_request, how.x_key), 0, 0, NULL, 0 },  \
		{ "exact", FIELD_TYPE_BOOL, 0, offsetof(struct series_request, how.exact), 0, 0, NULL, 0 },  \
		FIELD_TEXT(struct series_request, cursor, 0), FIELD_END

static const struct field series_query_fields[] = { SERIES_FIELDS("run_id", "key") };
static const struct field series_body_fields[] = { SERIES_FIELDS("run_ids", "keys") };

/* What came since a cursor has no buckets, and takes nothing that would shape them. */
static enum status
write_since(struct request *rq, const struct series_request *in, struct columns *to, const char **cursor)
{
	const struct run_since_in what = { in->run_ids, in->keys, in->run_count, in->key_count, in->cursor };

	return run_series_since(request_ctx(rq), &what, write_news, to, cursor);
}

enum status
api_metric_series(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	bool get = !str_eq(request_method(rq), "POST");
	struct series_request in = { 0 };
	struct run_series_in what = { 0 };
	struct jsonw w;
	struct columns to = { .w = &w, .cx = cx };
	const char *cursor = NULL;
	enum status st;

	if ((st = io_read(rq, get ? series_query_fields : series_body_fields, &in)) != OK ||
		(st = check_series(cx, in.run_count, in.key_count)) != OK ||
		(st = read_drawing(rq, &in.how, &what.how)) != OK)
		return st;
	what.uuids = in.run_ids;
	what.uuid_count = in.run_count;
	what.keys = in.keys;
	what.key_count = in.key_count;
	to.x = what.how.x;
	io_begin(&w, rs);
	jw_array_at(&w, "series");
	st = str_empty(in.cursor) ? run_series(cx, &what, write_series, &to, &cursor)
				  : write_since(rq, &in, &to, &cursor);
	if (st != OK)
		return st;
	jw_end(&w);
	jw_text_at(&w, "cursor", cursor);
	return io_end(&w);
}

/* ---- POST /api/v1/metrics/grouped ---- */

struct grouped_request {
	struct drawing_in how;
	struct run_set *groups;
	const char **keys;
	size_t group_count, key_count;
};
static const struct field group_fields[] = {
	FIELD_TEXT(struct run_set, name, REQUIRED),
	{ "run_ids", FIELD_TYPE_TEXTS, REQUIRED, offsetof(struct run_set, uuids),
		offsetof(struct run_set, uuid_count), 0, NULL, 0 },
	FIELD_END,
};
static const struct field grouped_fields[] = {
	FIELD_LIST(struct grouped_request, groups, group_count, REQUIRED, group_fields, struct run_set),
	FIELD_TEXTS(struct grouped_request, keys, key_count, REQUIRED),
	{ "buckets", FIELD_TYPE_INT, 0, offsetof(struct grouped_request, how.buckets), 0,
		offsetof(struct grouped_request, how.has_buckets), NULL, 0 },
	{ "x", FIELD_TYPE_TEXT, 0, offsetof(struct grouped_request, how.x), 0, 0, NULL, 0 },
	{ "exact", FIELD_TYPE_BOOL, 0, offsetof(struct grouped_request, how.exact), 0, 0, NULL, 0 },
	FIELD_END,
};

static enum status
check_groups(struct ctx *cx, const struct grouped_request *in)
{
	size_t runs = 0;

	if (str_eq(in->how.x, "metric"))
		return fail(cx, INVALID,
			"Invalid value \"metric\" for parameter 'x' supplied: expected step, time or "
			"relative");
	if (in->group_count > GROUPS_MOST)
		return fail(cx, INVALID, "%zu groups are more than %d: ask for fewer at a time",
			in->group_count, GROUPS_MOST);
	for (size_t g = 0; g < in->group_count; g++)
		runs += in->groups[g].uuid_count;
	return check_series(cx, runs, in->key_count);
}

#define GROUP_COLUMN(write, name, member)                                                                    \
	write(w, name, g->points, g->point_count, sizeof(struct group_point),                                \
		offsetof(struct group_point, member))

static enum status
write_group(void *arg, const struct run_set *group, const char *key, const struct grouped *g)
{
	const struct columns *to = arg;
	struct jsonw *w = to->w;

	jw_object(w);
	jw_text_at(w, "name", group->name);
	jw_text_at(w, "key", key);
	jw_int_at(w, "runs", (int64_t)g->runs);
	jw_object_at(w, "points");
	GROUP_COLUMN(write_ints, "x", x);
	GROUP_COLUMN(write_ints, "count", count);
	GROUP_COLUMN(write_reals, "mean", mean);
	GROUP_COLUMN(write_reals, "median", median);
	GROUP_COLUMN(write_reals, "min", min);
	GROUP_COLUMN(write_reals, "max", max);
	GROUP_COLUMN(write_reals, "std", std);
	GROUP_COLUMN(write_reals, "stderr", standard_error);
	jw_end(w);
	jw_end(w);
	return w->buf->overflow ? too_large(to->cx) : OK;
}

enum status
api_metric_grouped(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct grouped_request in = { 0 };
	struct run_grouped_in what = { 0 };
	struct jsonw w;
	struct columns to = { .w = &w, .cx = cx };
	enum status st;

	if ((st = io_read(rq, grouped_fields, &in)) != OK || (st = check_groups(cx, &in)) != OK ||
		(st = read_drawing(rq, &in.how, &what.how)) != OK)
		return st;
	what.groups = in.groups;
	what.group_count = in.group_count;
	what.keys = in.keys;
	what.key_count = in.key_count;
	io_begin(&w, rs);
	jw_array_at(&w, "groups");
	if ((st = run_grouped(cx, &what, write_group, &to)) != OK)
		return st;
	jw_end(&w);
	return io_end(&w);
}

/* ---- a few numbers a metric ---- */

static void
write_at(struct jsonw *w, const char *name, const struct sample *s)
{
	jw_object_at(w, name);
	jw_real_at(w, "value", s->value);
	jw_int_at(w, "step", s->step);
	jw_int_at(w, "time", s->time_unix_ms);
	jw_end(w);
}

static void
write_summary(struct jsonw *w, const struct latest *m)
{
	jw_object(w);
	jw_text_at(w, "key", m->key);
	jw_int_at(w, "count", m->count);
	jw_real_at(w, "mean", m->real == 0 ? (double)NAN : m->sum / (double)m->real);
	write_at(w, "first", &m->first);
	write_at(w, "last", &m->last);
	write_at(w, "min", &m->min);
	write_at(w, "max", &m->max);
	jw_end(w);
}

/* GET /api/v1/runs/{run_id}/metrics */
enum status
api_run_metrics(struct request *rq, struct response *rs)
{
	struct run_latest run;
	struct jsonw w;
	enum status st = run_metrics(request_ctx(rq), request_param(rq, "run_id"), &run);

	if (st != OK)
		return st;
	io_begin(&w, rs);
	jw_array_at(&w, "metrics");
	for (size_t i = 0; i < run.n; i++)
		write_summary(&w, &run.keys[i]);
	jw_end(&w);
	return io_end(&w);
}

struct summaries_request {
	const char **run_ids, **keys;
	size_t run_count, key_count;
};
static const struct field summaries_fields[] = {
	FIELD_TEXTS(struct summaries_request, run_ids, run_count, REQUIRED),
	FIELD_TEXTS(struct summaries_request, keys, key_count, 0),
	FIELD_END,
};

static enum status
write_run_summaries(void *arg, const char *uuid, const struct latest *const *metrics, size_t n)
{
	const struct columns *to = arg;
	struct jsonw *w = to->w;

	jw_object(w);
	jw_text_at(w, "run_id", uuid);
	jw_array_at(w, "metrics");
	for (size_t i = 0; i < n; i++)
		write_summary(w, metrics[i]);
	jw_end(w);
	jw_end(w);
	return w->buf->overflow ? too_large(to->cx) : OK;
}

/* POST /api/v1/metrics/summaries */
enum status
api_metric_summaries(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct summaries_request in = { 0 };
	struct jsonw w;
	struct columns to = { .w = &w, .cx = cx };
	enum status st;

	if ((st = io_read(rq, summaries_fields, &in)) != OK)
		return st;
	if (in.run_count > RUNS_MOST || in.key_count > KEYS_MOST)
		return fail(cx, INVALID,
			"%zu runs and %zu keys are more than %d and %d: ask for fewer at a time",
			in.run_count, in.key_count, RUNS_MOST, KEYS_MOST);
	io_begin(&w, rs);
	jw_array_at(&w, "runs");
	if ((st = run_summaries(
		     cx, in.run_ids, in.run_count, in.keys, in.key_count, write_run_summaries, &to)) != OK)
		return st;
	jw_end(&w);
	return io_end(&w);
}
