#include "domain/logged_model.h"

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"
#include "domain/artifact.h"

static void
write_registrations(struct jsonw *w, const struct logged_model *m)
{
	if (m->registered_count == 0)
		return;
	jw_array_at(w, "registrations");
	for (size_t i = 0; i < m->registered_count; i++) {
		jw_object(w);
		jw_text_at(w, "name", m->registered_names[i]);
		io_id_at(w, "version", m->registered_versions[i]);
		jw_end(w);
	}
	jw_end(w);
}

static void
write_info(struct jsonw *w, const struct logged_model *m)
{
	jw_text_at(w, "model_id", m->uuid);
	io_id_at(w, "experiment_id", m->experiment_id);
	jw_text_at(w, "name", m->name);
	jw_int_at(w, "creation_timestamp_ms", m->created_unix_ms);
	jw_int_at(w, "last_updated_timestamp_ms", m->updated_unix_ms);
	jw_text_at(w, "artifact_uri", m->artifact_uri);
	jw_text_at(w, "status", logged_model_status_name(m->status));
	jw_text_at(w, "model_type", m->model_type);
	jw_text_at(w, "source_run_id", m->source_run_uuid);
	jw_text_at(w, "status_message", m->status_message);
	io_pairs_at(w, "tags", m->tags, m->tag_count);
	write_registrations(w, m);
}

/* Of each (key, run, dataset) the latest: the points are ordered by key, step and time. */
static bool
superseded(const struct logged_model *m, size_t i)
{
	for (size_t k = i + 1; k < m->metric_count && str_eq(m->metrics[k].key, m->metrics[i].key); k++)
		if (str_eq(m->metrics[k].run_uuid, m->metrics[i].run_uuid) &&
			str_eq(m->metrics[k].dataset_name, m->metrics[i].dataset_name) &&
			str_eq(m->metrics[k].dataset_digest, m->metrics[i].dataset_digest))
			return true;
	return false;
}

static void
write_metrics(struct jsonw *w, const struct logged_model *m)
{
	if (m->metric_count == 0)
		return;
	jw_array_at(w, "metrics");
	for (size_t i = 0; i < m->metric_count; i++) {
		const struct model_point *p = &m->metrics[i];

		if (superseded(m, i))
			continue;
		jw_object(w);
		jw_text_at(w, "key", p->key);
		io_value_at(w, "value", p->value);
		jw_int_at(w, "timestamp", p->time_unix_ms);
		jw_int_at(w, "step", p->step);
		jw_text_at(w, "model_id", p->model_uuid);
		jw_text_at(w, "run_id", p->run_uuid);
		jw_text_at(w, "dataset_name", p->dataset_name);
		jw_text_at(w, "dataset_digest", p->dataset_digest);
		jw_end(w);
	}
	jw_end(w);
}

static void
write_model(struct jsonw *w, const void *item)
{
	const struct logged_model *m = item;

	jw_object_at(w, "info");
	write_info(w, m);
	jw_end(w);
	jw_object_at(w, "data");
	io_pairs_at(w, "params", m->params, m->param_count);
	write_metrics(w, m);
	jw_end(w);
}

static enum status
reply_model(struct response *rs, const struct logged_model *m)
{
	struct jsonw w;

	io_begin(&w, rs);
	jw_object_at(&w, "model");
	write_model(&w, m);
	jw_end(&w);
	return io_end(&w);
}

static const struct field create_fields[] = {
	FIELD_TEXT(struct logged_model_create, experiment_id, REQUIRED),
	FIELD_TEXT(struct logged_model_create, name, 0),
	FIELD_TEXT(struct logged_model_create, model_type, 0),
	FIELD_TEXT(struct logged_model_create, source_run_id, 0),
	FIELD_LIST(struct logged_model_create, params, param_count, 0, key_value_fields, struct key_value),
	FIELD_LIST(struct logged_model_create, tags, tag_count, 0, key_value_fields, struct key_value),
	FIELD_END,
};

enum status
api_logged_model_create(struct request *rq, struct response *rs)
{
	struct logged_model_create in = { 0 };
	struct logged_model m;
	enum status st;

	if ((st = io_read(rq, create_fields, &in)) != OK ||
		(st = logged_model_create(request_ctx(rq), &in, &m)) != OK)
		return st;
	return reply_model(rs, &m);
}

struct get {
	bool allow_deleted;
};
static const struct field get_fields[] = {
	FIELD_BOOL(struct get, allow_deleted, 0),
	FIELD_END,
};

enum status
api_logged_model_get(struct request *rq, struct response *rs)
{
	struct logged_model m;
	struct get in = { 0 };
	enum status st;

	if ((st = io_read(rq, get_fields, &in)) != OK)
		return st;
	st = logged_model_get(request_ctx(rq), request_param(rq, "model_id"), in.allow_deleted, &m);
	return st == OK ? reply_model(rs, &m) : st;
}

struct in {
	const char *status;
	struct key_value *pairs;
	size_t pair_count;
};
static const struct field status_fields[] = { FIELD_TEXT(struct in, status, REQUIRED | NUMBER_OK),
	FIELD_END };
static const struct field params_fields[] = {
	{ "params", FIELD_TYPE_LIST, 0, offsetof(struct in, pairs), offsetof(struct in, pair_count), 0,
		key_value_fields, sizeof(struct key_value) },
	FIELD_END,
};
static const struct field tags_fields[] = {
	{ "tags", FIELD_TYPE_LIST, 0, offsetof(struct in, pairs), offsetof(struct in, pair_count), 0,
		key_value_fields, sizeof(struct key_value) },
	FIELD_END,
};

static bool
status_of(const char *text, enum logged_model_status *out)
{
	int n;

	if (!io_enum_number(text, LOGGED_MODEL_UPLOAD_FAILED, &n))
		return logged_model_status_from(text, out);
	*out = (enum logged_model_status)n;
	return true;
}

enum status
api_logged_model_finalize(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	enum logged_model_status status;
	struct in in = { 0 };
	struct logged_model m;
	enum status st;

	if ((st = io_read(rq, status_fields, &in)) != OK)
		return st;
	if (!status_of(in.status, &status))
		return fail(cx, INVALID,
			"Invalid value \"%.100s\" for parameter 'status' supplied: expected "
			"LOGGED_MODEL_PENDING, LOGGED_MODEL_READY or "
			"LOGGED_MODEL_UPLOAD_FAILED",
			in.status);
	if ((st = logged_model_finalize(cx, request_param(rq, "model_id"), status, &m)) != OK)
		return st;
	return reply_model(rs, &m);
}

enum status
api_logged_model_delete(struct request *rq, struct response *rs)
{
	enum status st = logged_model_delete(request_ctx(rq), request_param(rq, "model_id"));

	return st == OK ? io_empty(rs) : st;
}

enum status
api_logged_model_params_log(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, params_fields, &in)) != OK ||
		(st = logged_model_params_log(
			 request_ctx(rq), request_param(rq, "model_id"), in.pairs, in.pair_count)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_logged_model_tags_set(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, tags_fields, &in)) != OK ||
		(st = logged_model_tags_set(
			 request_ctx(rq), request_param(rq, "model_id"), in.pairs, in.pair_count)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_logged_model_tag_delete(struct request *rq, struct response *rs)
{
	enum status st = logged_model_tag_delete(
		request_ctx(rq), request_param(rq, "model_id"), request_param(rq, "tag_key"));

	return st == OK ? io_empty(rs) : st;
}

static const struct field scope_fields[] = {
	FIELD_TEXT(struct dataset_scope, dataset_name, REQUIRED),
	FIELD_TEXT(struct dataset_scope, dataset_digest, 0),
	FIELD_END,
};
static const struct field order_fields[] = {
	FIELD_TEXT(struct logged_model_order, field_name, REQUIRED),
	FIELD_BOOL_HAS(struct logged_model_order, ascending, 0),
	FIELD_TEXT(struct logged_model_order, dataset_name, 0),
	FIELD_TEXT(struct logged_model_order, dataset_digest, 0),
	FIELD_END,
};
static const struct field search_fields[] = {
	FIELD_TEXTS(struct logged_model_search, experiment_ids, experiment_id_count, REQUIRED),
	FIELD_TEXT(struct logged_model_search, filter, 0),
	FIELD_LIST(
		struct logged_model_search, datasets, dataset_count, 0, scope_fields, struct dataset_scope),
	FIELD_INT(struct logged_model_search, max_results, 0),
	FIELD_LIST(struct logged_model_search, order_by, order_by_count, 0, order_fields,
		struct logged_model_order),
	FIELD_TEXT(struct logged_model_search, page_token, 0),
	FIELD_END,
};

enum status
api_logged_model_search(struct request *rq, struct response *rs)
{
	struct logged_model_search in = { .max_results = 50 };
	struct io_list list = { .key = "models", .size = sizeof(struct logged_model), .write = write_model };
	struct logged_model *found;
	enum status st;

	if ((st = io_read(rq, search_fields, &in)) != OK ||
		(st = logged_model_search(request_ctx(rq), &in, &found, &list.n, &list.next_token)) != OK)
		return st;
	list.items = found;
	return io_reply_list(rs, &list);
}

/* The files of a logged model, one level. */
enum status
api_logged_model_files(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct logged_model m;
	enum status st = logged_model_get(cx, request_param(rq, "model_id"), false, &m);

	return st == OK ? api_write_listing(
				  rq, rs, m.artifact_uri, request_query_one(rq, "artifact_directory_path"))
			: st;
}
