#include "domain/experiment.h"

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"
#include "domain/names.h"

static void
write_experiment(struct jsonw *w, const void *item)
{
	const struct experiment *e = item;

	io_id_at(w, "experiment_id", e->experiment_id);
	jw_text_at(w, "name", e->name);
	jw_text_at(w, "artifact_location", e->artifact_location);
	jw_text_at(w, "lifecycle_stage", e->deleted ? "deleted" : "active");
	jw_int_at(w, "creation_time", e->created_unix_ms);
	jw_int_at(w, "last_update_time", e->updated_unix_ms);
	io_pairs_at(w, "tags", e->tags, e->tag_count);
	jw_text_at(w, "workspace", "default");
}

static enum status
reply_experiment(struct response *rs, const struct experiment *e)
{
	struct jsonw w;

	io_begin(&w, rs);
	jw_object_at(&w, "experiment");
	write_experiment(&w, e);
	jw_end(&w);
	return io_end(&w);
}

static const struct field create_fields[] = {
	FIELD_TEXT(struct experiment_create, name, REQUIRED),
	FIELD_TEXT(struct experiment_create, artifact_location, 0),
	FIELD_LIST(struct experiment_create, tags, tag_count, 0, key_value_fields, struct key_value),
	FIELD_END,
};

enum status
api_experiment_create(struct request *rq, struct response *rs)
{
	struct experiment_create in = { 0 };
	struct jsonw w;
	int64_t id;
	enum status st;

	if ((st = io_read(rq, create_fields, &in)) != OK)
		return st;
	if (str_empty(in.artifact_location))
		in.artifact_location = NULL;
	if ((st = experiment_create(request_ctx(rq), &in, &id)) != OK)
		return st;
	io_begin(&w, rs);
	io_id_at(&w, "experiment_id", id);
	return io_end(&w);
}

/* What most of the calls here take. */
struct in {
	const char *experiment_id, *experiment_name, *new_name, *key, *value;
};

static const struct field id_fields[] = { FIELD_TEXT(struct in, experiment_id, REQUIRED), FIELD_END };
static const struct field name_fields[] = { FIELD_TEXT(struct in, experiment_name, REQUIRED), FIELD_END };
static const struct field update_fields[] = {
	FIELD_TEXT(struct in, experiment_id, REQUIRED),
	FIELD_TEXT(struct in, new_name, REQUIRED),
	FIELD_END,
};
static const struct field tag_fields[] = {
	FIELD_TEXT(struct in, experiment_id, REQUIRED),
	FIELD_TEXT(struct in, key, REQUIRED),
	FIELD_TEXT(struct in, value, 0),
	FIELD_END,
};

/* Reads the fields and the number of the experiment. */
static enum status
read_in(struct request *rq, const struct field *fields, struct in *in, int64_t *id)
{
	enum status st = io_read(rq, fields, in);

	return st == OK ? name_experiment_id(request_ctx(rq), in->experiment_id, id) : st;
}

enum status
api_experiment_get(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct experiment e;
	int64_t id;
	enum status st;

	if ((st = read_in(rq, id_fields, &in, &id)) != OK ||
		(st = experiment_get(request_ctx(rq), id, &e)) != OK)
		return st;
	return reply_experiment(rs, &e);
}

enum status
api_experiment_get_by_name(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct experiment e;
	enum status st;

	if ((st = io_read(rq, name_fields, &in)) != OK ||
		(st = experiment_get_by_name(request_ctx(rq), in.experiment_name, &e)) != OK)
		return st;
	return reply_experiment(rs, &e);
}

enum status
api_experiment_update(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	int64_t id;
	enum status st;

	if ((st = read_in(rq, update_fields, &in, &id)) != OK ||
		(st = experiment_rename(request_ctx(rq), id, in.new_name)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_experiment_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	int64_t id;
	enum status st;

	if ((st = read_in(rq, id_fields, &in, &id)) != OK ||
		(st = experiment_delete(request_ctx(rq), id)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_experiment_restore(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	int64_t id;
	enum status st;

	if ((st = read_in(rq, id_fields, &in, &id)) != OK ||
		(st = experiment_restore(request_ctx(rq), id)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_experiment_tag_set(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	int64_t id;
	enum status st;

	if ((st = read_in(rq, tag_fields, &in, &id)) != OK ||
		(st = experiment_tag_set(request_ctx(rq), id, in.key, in.value == NULL ? "" : in.value)) !=
			OK)
		return st;
	return io_empty(rs);
}

enum status
api_experiment_tag_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	int64_t id;
	enum status st;

	if ((st = read_in(rq, tag_fields, &in, &id)) != OK ||
		(st = experiment_tag_delete(request_ctx(rq), id, in.key)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_experiment_search(struct request *rq, struct response *rs)
{
	struct io_search how = { .view = "view_type" };
	struct io_list list = {
		.key = "experiments", .size = sizeof(struct experiment), .write = write_experiment
	};
	struct search_in in;
	struct experiment *found;
	enum status st;

	if ((st = io_read_search(rq, &how, &in)) != OK ||
		(st = experiment_search(request_ctx(rq), &in, &found, &list.n, &list.next_token)) != OK)
		return st;
	list.items = found;
	return io_reply_list(rs, &list);
}

/* GET /api/v1/experiments: each with what happened in it, the latest activity first. */
enum status
api_experiment_overview(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	const char *view = request_query_one(rq, "view");
	struct experiment_overview *all;
	enum view which = VIEW_ACTIVE;
	struct jsonw w;
	size_t n;
	enum status st;

	if (str_eq(view, "deleted") || str_eq(view, "all"))
		which = str_eq(view, "all") ? VIEW_ALL : VIEW_DELETED;
	else if (view != NULL && !str_eq(view, "active"))
		return fail(cx, INVALID,
			"Invalid value \"%.100s\" for parameter 'view' supplied: expected active, deleted or "
			"all",
			view);
	if ((st = experiment_overview(cx, which, &all, &n)) != OK)
		return st;
	io_begin(&w, rs);
	jw_array_at(&w, "experiments");
	for (size_t i = 0; i < n; i++) {
		jw_object(&w);
		write_experiment(&w, &all[i].experiment);
		jw_int_at(&w, "runs", all[i].runs);
		jw_int_at(&w, "active_runs", all[i].active_runs);
		if (all[i].has_last_run)
			jw_int_at(&w, "last_run_unix_ms", all[i].last_run_unix_ms);
		jw_text_at(&w, "created_by", all[i].created_by);
		jw_text_at(&w, "created_token", all[i].created_token);
		jw_end(&w);
	}
	jw_end(&w);
	return io_end(&w);
}
