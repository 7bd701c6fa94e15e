#include "domain/run.h"

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"
#include "ingest/ingest.h"

/* ---- out ---- */

static void
write_info(struct jsonw *w, const struct run *r)
{
	jw_text_at(w, "run_id", r->uuid);
	jw_text_at(w, "run_uuid", r->uuid);
	jw_text_at(w, "run_name", r->name);
	io_id_at(w, "experiment_id", r->experiment_id);
	jw_text_at(w, "user_id", r->user_text);
	jw_text_at(w, "status", run_status_name(r->status));
	jw_int_at(w, "start_time", r->start_unix_ms);
	if (r->has_end && r->end_unix_ms != 0) /* 0 is "not yet" to the protocol */
		jw_int_at(w, "end_time", r->end_unix_ms);
	jw_text_at(w, "artifact_uri", r->artifact_uri);
	jw_text_at(w, "lifecycle_stage", r->deleted ? "deleted" : "active");
}

static void
write_metrics(struct jsonw *w, const struct run_latest *m)
{
	if (m == NULL || m->n == 0)
		return;
	jw_array_at(w, "metrics");
	for (size_t i = 0; i < m->n; i++) {
		jw_object(w);
		jw_text_at(w, "key", m->keys[i].key);
		io_value_at(w, "value", m->keys[i].last.value);
		jw_int_at(w, "timestamp", m->keys[i].last.time_unix_ms);
		jw_int_at(w, "step", m->keys[i].last.step);
		jw_end(w);
	}
	jw_end(w);
}

static void
write_input(struct jsonw *w, const struct run_input *in)
{
	jw_object(w);
	io_pairs_at(w, "tags", in->tags, in->tag_count);
	jw_object_at(w, "dataset");
	jw_text_at(w, "name", in->dataset.name);
	jw_text_at(w, "digest", in->dataset.digest);
	jw_text_at(w, "source_type", in->dataset.source_type);
	jw_text_at(w, "source", in->dataset.source);
	jw_text_at(w, "schema", str_empty(in->dataset.schema) ? NULL : in->dataset.schema);
	jw_text_at(w, "profile", str_empty(in->dataset.profile) ? NULL : in->dataset.profile);
	jw_end(w);
	jw_end(w);
}

static void
write_inputs(struct jsonw *w, const struct run *r)
{
	jw_object_at(w, "inputs");
	if (r->input_count > 0) {
		jw_array_at(w, "dataset_inputs");
		for (size_t i = 0; i < r->input_count; i++)
			write_input(w, &r->inputs[i]);
		jw_end(w);
	}
	if (r->model_input_count > 0) {
		jw_array_at(w, "model_inputs");
		for (size_t i = 0; i < r->model_input_count; i++) {
			jw_object(w);
			jw_text_at(w, "model_id", r->model_inputs[i]);
			jw_end(w);
		}
		jw_end(w);
	}
	jw_end(w);
}

static void
write_outputs(struct jsonw *w, const struct run *r)
{
	jw_object_at(w, "outputs");
	if (r->output_count > 0)
		jw_array_at(w, "model_outputs");
	for (size_t i = 0; i < r->output_count; i++) {
		jw_object(w);
		jw_text_at(w, "model_id", r->outputs[i].model_uuid);
		jw_int_at(w, "step", r->outputs[i].step);
		jw_end(w);
	}
	if (r->output_count > 0)
		jw_end(w);
	jw_end(w);
}

static void
write_new_run(struct jsonw *w, const struct run *r)
{
	jw_object_at(w, "info");
	write_info(w, r);
	jw_end(w);
	jw_object_at(w, "data");
	write_metrics(w, r->metrics);
	io_pairs_at(w, "params", r->params, r->param_count);
	io_pairs_at(w, "tags", r->tags, r->tag_count);
	jw_end(w);
	write_inputs(w, r);
}

static void
write_run(struct jsonw *w, const void *item)
{
	write_new_run(w, item);
	write_outputs(w, item);
}

/* ---- in ---- */

static const struct field create_fields[] = {
	FIELD_TEXT(struct run_create, experiment_id, REQUIRED),
	FIELD_TEXT(struct run_create, user_id, 0),
	FIELD_TEXT(struct run_create, run_name, 0),
	FIELD_INT(struct run_create, start_time, 0),
	FIELD_LIST(struct run_create, tags, tag_count, 0, key_value_fields, struct key_value),
	FIELD_END,
};

enum status
api_run_create(struct request *rq, struct response *rs)
{
	struct run_create in = { 0 };
	struct run run;
	struct jsonw w;
	enum status st;

	if ((st = io_read(rq, create_fields, &in)) != OK ||
		(st = run_start(request_ctx(rq), &in, &run)) != OK)
		return st;
	io_begin(&w, rs);
	jw_object_at(&w, "run");
	write_new_run(&w, &run);
	jw_end(&w);
	return io_end(&w);
}

/* What most of the calls here take. run_uuid is run_id's older name. */
struct in {
	const char *run_id, *run_uuid, *key, *value, *status, *run_name, *model_json;
	bool has_end_time;
	int64_t end_time;
};

static const struct field run_fields[] = {
	FIELD_TEXT(struct in, run_id, 0),
	FIELD_TEXT(struct in, run_uuid, 0),
	FIELD_END,
};
static const struct field update_fields[] = {
	FIELD_TEXT(struct in, run_id, 0),
	FIELD_TEXT(struct in, run_uuid, 0),
	FIELD_TEXT(struct in, status, NUMBER_OK),
	FIELD_TEXT(struct in, run_name, 0),
	FIELD_INT_HAS(struct in, end_time, 0),
	FIELD_END,
};
static const struct field pair_fields[] = {
	FIELD_TEXT(struct in, run_id, 0),
	FIELD_TEXT(struct in, run_uuid, 0),
	FIELD_TEXT(struct in, key, REQUIRED),
	FIELD_TEXT(struct in, value, 0),
	FIELD_END,
};
static const struct field model_fields[] = {
	FIELD_TEXT(struct in, run_id, REQUIRED),
	FIELD_TEXT(struct in, model_json, REQUIRED),
	FIELD_END,
};

static enum status
read_in(struct request *rq, const struct field *fields, struct in *in)
{
	enum status st = io_read(rq, fields, in);

	if (st == OK && str_empty(in->run_id))
		in->run_id = in->run_uuid;
	if (st == OK && str_empty(in->run_id))
		return fail(request_ctx(rq), INVALID,
			"Missing value for required parameter 'run_id'. See the API docs for more "
			"information about request parameters.");
	return st;
}

enum status
api_run_get(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct run run;
	struct jsonw w;
	enum status st;

	if ((st = read_in(rq, run_fields, &in)) != OK ||
		(st = run_get(request_ctx(rq), in.run_id, &run)) != OK)
		return st;
	io_begin(&w, rs);
	jw_object_at(&w, "run");
	write_run(&w, &run);
	jw_end(&w);
	return io_end(&w);
}

/* GET /api/v1/runs/{run_id}/origin */
enum status
api_run_origin(struct request *rq, struct response *rs)
{
	const char *uuid = request_param(rq, "run_id");
	struct run_origin origin;
	struct jsonw w;
	enum status st = run_origin(request_ctx(rq), uuid, &origin);

	if (st != OK)
		return st;
	io_begin(&w, rs);
	jw_text_at(&w, "run_id", uuid);
	jw_int_at(&w, "created_unix_ms", origin.created_unix_ms);
	jw_text_at(&w, "created_by", origin.created_by);
	jw_text_at(&w, "created_token", origin.created_token);
	return io_end(&w);
}

static bool
status_of(const char *text, enum run_status *out)
{
	int n;

	if (!io_enum_number(text, RUN_KILLED, &n))
		return run_status_from(text, out);
	*out = (enum run_status)n;
	return true;
}

enum status
api_run_update(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct in in = { 0 };
	struct run_update change;
	struct run run;
	struct jsonw w;
	enum status st;

	if ((st = read_in(rq, update_fields, &in)) != OK)
		return st;
	change = (struct run_update){
		.uuid = in.run_id, .has_end = in.has_end_time, .end_unix_ms = in.end_time, .name = in.run_name
	};
	change.has_status = in.status != NULL;
	if (change.has_status && !status_of(in.status, &change.status))
		return fail(cx, INVALID,
			"Invalid value \"%.100s\" for parameter 'status' supplied: expected RUNNING, "
			"SCHEDULED, FINISHED, FAILED or KILLED",
			in.status);
	if ((st = run_update(cx, &change, &run)) != OK)
		return st;
	io_begin(&w, rs);
	jw_object_at(&w, "run_info");
	write_info(&w, &run);
	jw_end(&w);
	return io_end(&w);
}

enum status
api_run_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = read_in(rq, run_fields, &in)) != OK || (st = run_delete(request_ctx(rq), in.run_id)) != OK)
		return st;
	return io_empty(rs);
}

/* DELETE /api/v1/runs/{run_id} */
enum status
api_run_remove(struct request *rq, struct response *rs)
{
	enum status st = run_remove(request_ctx(rq), request_param(rq, "run_id"));

	return st != OK ? st : io_empty(rs);
}

enum status
api_run_restore(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = read_in(rq, run_fields, &in)) != OK || (st = run_restore(request_ctx(rq), in.run_id)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_run_param_log(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = read_in(rq, pair_fields, &in)) != OK ||
		(st = run_param_log(request_ctx(rq), in.run_id, &(struct key_value){ in.key, in.value })) !=
			OK)
		return st;
	return io_empty(rs);
}

enum status
api_run_tag_set(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = read_in(rq, pair_fields, &in)) != OK ||
		(st = run_tag_set(request_ctx(rq), in.run_id, &(struct key_value){ in.key, in.value })) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_run_tag_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = read_in(rq, pair_fields, &in)) != OK ||
		(st = run_tag_delete(request_ctx(rq), in.run_id, in.key)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_run_log_model(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = read_in(rq, model_fields, &in)) != OK ||
		(st = run_log_model(request_ctx(rq), in.run_id, in.model_json)) != OK)
		return st;
	return io_empty(rs);
}

/* ---- inputs and outputs ---- */

static const struct field dataset_fields[] = {
	FIELD_TEXT(struct dataset, name, 0),
	FIELD_TEXT(struct dataset, digest, 0),
	FIELD_TEXT(struct dataset, source_type, 0),
	FIELD_TEXT(struct dataset, source, 0),
	FIELD_TEXT(struct dataset, schema, 0),
	FIELD_TEXT(struct dataset, profile, 0),
	FIELD_END,
};

struct input_in {
	struct dataset *dataset;
	struct key_value *tags;
	size_t tag_count;
};
static const struct field input_fields[] = {
	FIELD_OBJECT(struct input_in, dataset, REQUIRED, dataset_fields, struct dataset),
	FIELD_LIST(struct input_in, tags, tag_count, 0, key_value_fields, struct key_value),
	FIELD_END,
};

struct model_in {
	const char *model_id;
	int64_t step;
};
static const struct field model_input_fields[] = { FIELD_TEXT(struct model_in, model_id, REQUIRED),
	FIELD_END };
static const struct field model_output_fields[] = {
	FIELD_TEXT(struct model_in, model_id, REQUIRED),
	FIELD_INT(struct model_in, step, REQUIRED),
	FIELD_END,
};

struct links_in {
	const char *run_id;
	struct input_in *datasets;
	size_t dataset_count;
	struct model_in *models;
	size_t model_count;
};
static const struct field inputs_fields[] = {
	FIELD_TEXT(struct links_in, run_id, REQUIRED),
	FIELD_LIST(struct links_in, datasets, dataset_count, 0, input_fields, struct input_in),
	FIELD_LIST(struct links_in, models, model_count, 0, model_input_fields, struct model_in),
	FIELD_END,
};
static const struct field outputs_fields[] = {
	FIELD_TEXT(struct links_in, run_id, REQUIRED),
	FIELD_LIST(struct links_in, models, model_count, REQUIRED | EMPTY_OK, model_output_fields,
		struct model_in),
	FIELD_END,
};

enum status
api_run_log_inputs(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct links_in in = { 0 };
	struct run_input *inputs;
	const char **models;
	enum status st;

	if ((st = io_read(rq, inputs_fields, &in)) != OK)
		return st;
	inputs = arena_array(cx->arena, in.dataset_count, sizeof(*inputs));
	models = arena_array(cx->arena, in.model_count, sizeof(*models));
	for (size_t i = 0; i < in.dataset_count; i++)
		inputs[i] = (struct run_input){ *in.datasets[i].dataset, in.datasets[i].tags,
			in.datasets[i].tag_count };
	for (size_t i = 0; i < in.model_count; i++)
		models[i] = in.models[i].model_id;
	if ((st = run_log_inputs(cx, in.run_id, inputs, in.dataset_count, models, in.model_count)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_run_log_outputs(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct links_in in = { 0 };
	struct run_output *outputs;
	enum status st;

	if ((st = io_read(rq, outputs_fields, &in)) != OK)
		return st;
	outputs = arena_array(cx->arena, in.model_count, sizeof(*outputs));
	for (size_t i = 0; i < in.model_count; i++)
		outputs[i] = (struct run_output){ in.models[i].model_id, in.models[i].step };
	if ((st = run_log_outputs(cx, in.run_id, outputs, in.model_count)) != OK)
		return st;
	return io_empty(rs);
}

static void
write_summary(struct jsonw *w, const void *item)
{
	const struct dataset_summary *d = item;

	io_id_at(w, "experiment_id", d->experiment_id);
	jw_text_at(w, "name", d->name);
	jw_text_at(w, "digest", d->digest);
	jw_text_at(w, "context", d->context);
}

enum status
api_dataset_search(struct request *rq, struct response *rs)
{
	struct io_search how = { .max_results = 1 };
	struct io_list list = {
		.key = "dataset_summaries", .size = sizeof(struct dataset_summary), .write = write_summary
	};
	struct dataset_summary *found;
	struct search_in unused;
	enum status st;

	if ((st = io_read_search(rq, &how, &unused)) != OK ||
		(st = run_datasets(request_ctx(rq), how.experiment_ids, how.experiment_id_count, &found,
			 &list.n)) != OK)
		return st;
	list.items = found;
	return io_reply_list(rs, &list);
}

/* ---- search ---- */

enum status
api_run_search(struct request *rq, struct response *rs)
{
	struct io_search how = { .max_results = 1000, .view = "run_view_type" };
	struct io_list list = { .key = "runs", .size = sizeof(struct run), .write = write_run };
	struct search_in in;
	struct run *runs;
	enum status st;

	if ((st = io_read_search(rq, &how, &in)) != OK ||
		(st = run_search(request_ctx(rq), how.experiment_ids, how.experiment_id_count, &in, &runs,
			 &list.n, &list.next_token)) != OK)
		return st;
	for (size_t i = 0; i < list.n; i++)
		runs[i].model_input_count = 0; /* the protocol leaves them out of a search */
	list.items = runs;
	return io_reply_list(rs, &list);
}
