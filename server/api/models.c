/* Registered models, versions, stages, aliases: the protocol's registry. */
#include "domain/registry.h"

#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"

/* ---- out ---- */

static void
write_version(struct jsonw *w, const void *item)
{
	const struct version *v = item;
	static const char *const status[] = { "", "READY", "PENDING_REGISTRATION", "FAILED_REGISTRATION" };

	jw_text_at(w, "name", v->model);
	io_id_at(w, "version", v->version);
	jw_int_at(w, "creation_timestamp", v->created_unix_ms);
	jw_int_at(w, "last_updated_timestamp", v->updated_unix_ms);
	jw_text_at(w, "current_stage", stage_name(v->stage));
	jw_text_at(w, "description", v->description);
	jw_text_at(w, "source", v->source);
	jw_text_at(w, "run_id", v->run_uuid == NULL ? "" : v->run_uuid);
	jw_text_at(w, "status", status[v->status]);
	jw_text_at(w, "status_message", v->status_message);
	jw_text_at(w, "run_link", v->run_link == NULL ? "" : v->run_link);
	jw_text_at(w, "model_id", v->logged_model_uuid);
	io_pairs_at(w, "tags", v->tags, v->tag_count);
	if (v->alias_count == 0)
		return;
	jw_array_at(w, "aliases");
	for (size_t i = 0; i < v->alias_count; i++)
		jw_text(w, v->aliases[i]);
	jw_end(w);
}

static enum status
reply_version(struct response *rs, const struct version *v)
{
	struct jsonw w;

	io_begin(&w, rs);
	jw_object_at(&w, "model_version");
	write_version(&w, v);
	jw_end(&w);
	return io_end(&w);
}

static void
write_model(struct jsonw *w, const void *item)
{
	const struct model *m = item;

	jw_text_at(w, "name", m->name);
	jw_int_at(w, "creation_timestamp", m->created_unix_ms);
	jw_int_at(w, "last_updated_timestamp", m->updated_unix_ms);
	jw_text_at(w, "description", m->description);
	io_array_at(w, "latest_versions", m->latest, m->latest_count, sizeof(*m->latest), write_version);
	io_pairs_at(w, "tags", m->tags, m->tag_count);
	if (m->alias_count == 0)
		return;
	jw_array_at(w, "aliases");
	for (size_t i = 0; i < m->alias_count; i++) {
		jw_object(w);
		jw_text_at(w, "alias", m->alias_names[i]);
		io_id_at(w, "version", m->alias_versions[i]);
		jw_end(w);
	}
	jw_end(w);
}

static enum status
reply_model(struct response *rs, const struct model *m)
{
	struct jsonw w;

	io_begin(&w, rs);
	jw_object_at(&w, "registered_model");
	write_model(&w, m);
	jw_end(&w);
	return io_end(&w);
}

/* ---- in ---- */

/* What the calls here take, each its part of it. */
struct in {
	const char *name, *new_name, *description, *key, *value, *alias, *version, *stage;
	struct key_value *tags;
	size_t tag_count;
	const char **stages;
	size_t stage_count;
	bool archive_existing_versions;
};

#define NAME        FIELD_TEXT(struct in, name, REQUIRED)
#define VERSION     FIELD_TEXT(struct in, version, REQUIRED)
#define DESCRIPTION FIELD_TEXT(struct in, description, 0)
#define KEY         FIELD_TEXT(struct in, key, REQUIRED)
#define VALUE       FIELD_TEXT(struct in, value, 0)
#define ALIAS       FIELD_TEXT(struct in, alias, REQUIRED)

static const struct field name_fields[] = { NAME, FIELD_END };
static const struct field create_fields[] = { NAME, DESCRIPTION,
	FIELD_LIST(struct in, tags, tag_count, 0, key_value_fields, struct key_value), FIELD_END };
static const struct field rename_fields[] = { NAME, FIELD_TEXT(struct in, new_name, REQUIRED), FIELD_END };
static const struct field describe_fields[] = { NAME, DESCRIPTION, FIELD_END };
static const struct field tag_fields[] = { NAME, KEY, VALUE, FIELD_END };
static const struct field latest_fields[] = { NAME, FIELD_TEXTS(struct in, stages, stage_count, 0),
	FIELD_END };
static const struct field alias_fields[] = { NAME, ALIAS, FIELD_END };
static const struct field alias_set_fields[] = { NAME, ALIAS, VERSION, FIELD_END };
static const struct field version_fields[] = { NAME, VERSION, FIELD_END };
static const struct field version_describe_fields[] = { NAME, VERSION, DESCRIPTION, FIELD_END };
static const struct field version_tag_fields[] = { NAME, VERSION, KEY, VALUE, FIELD_END };
static const struct field stage_fields[] = { NAME, VERSION, FIELD_TEXT(struct in, stage, REQUIRED),
	FIELD_BOOL(struct in, archive_existing_versions, 0), FIELD_END };

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

enum status
api_model_create(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct model m;
	enum status st;

	if ((st = io_read(rq, create_fields, &in)) != OK ||
		(st = model_create(request_ctx(rq), in.name, in.description, in.tags, in.tag_count, &m)) !=
			OK)
		return st;
	return reply_model(rs, &m);
}

enum status
api_model_get(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct model m;
	enum status st;

	if ((st = io_read(rq, name_fields, &in)) != OK ||
		(st = model_get(request_ctx(rq), in.name, &m)) != OK)
		return st;
	return reply_model(rs, &m);
}

enum status
api_model_rename(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct model m;
	enum status st;

	if ((st = io_read(rq, rename_fields, &in)) != OK ||
		(st = model_rename(request_ctx(rq), in.name, in.new_name, &m)) != OK)
		return st;
	return reply_model(rs, &m);
}

enum status
api_model_update(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct model m;
	enum status st;

	if ((st = io_read(rq, describe_fields, &in)) != OK ||
		(st = model_describe(request_ctx(rq), in.name, in.description, &m)) != OK)
		return st;
	return reply_model(rs, &m);
}

enum status
api_model_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, name_fields, &in)) != OK || (st = model_delete(request_ctx(rq), in.name)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_model_tag_set(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, tag_fields, &in)) != OK ||
		(st = model_tag_set(
			 request_ctx(rq), in.name, &(struct key_value){ in.key, or_empty(in.value) })) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_model_tag_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, tag_fields, &in)) != OK ||
		(st = model_tag_delete(request_ctx(rq), in.name, in.key)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_model_latest(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct version *v;
	size_t n;
	enum status st;

	if ((st = io_read(rq, latest_fields, &in)) != OK ||
		(st = model_latest(request_ctx(rq), in.name, in.stages, in.stage_count, &v, &n)) != OK)
		return st;
	return io_reply_list(
		rs, &(struct io_list){ "model_versions", v, n, sizeof(*v), write_version, NULL });
}

enum status
api_alias_set(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, alias_set_fields, &in)) != OK ||
		(st = alias_set(request_ctx(rq), in.name, in.alias, in.version)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_alias_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, alias_fields, &in)) != OK ||
		(st = alias_delete(request_ctx(rq), in.name, in.alias)) != OK)
		return st;
	return io_empty(rs);
}

/* The alias that nobody has to set. */
static enum status
reply_newest(struct ctx *cx, struct response *rs, const struct model *m)
{
	const char *number;
	int64_t newest = 0;
	struct version v;
	enum status st;

	for (size_t i = 0; i < m->latest_count; i++)
		if (m->latest[i].version > newest)
			newest = m->latest[i].version;
	if (newest == 0)
		return fail(cx, NOT_FOUND, "Latest version not found for model %s.", m->name);
	number = arena_printf(cx->arena, "%lld", (long long)newest);
	return (st = version_get(cx, m->name, number, &v)) == OK ? reply_version(rs, &v) : st;
}

enum status
api_alias_get(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct in in = { 0 };
	struct alias alias;
	struct version v;
	struct model m;
	enum status st;

	if ((st = io_read(rq, alias_fields, &in)) != OK || (st = model_get(cx, in.name, &m)) != OK)
		return st;
	if (str_eq_nocase(in.alias, "latest"))
		return reply_newest(cx, rs, &m);
	st = alias_get(cx, in.name, in.alias, &alias);
	if (st == NOT_FOUND) /* the protocol's code for a missing alias */
		return fail(cx, INVALID, "Registered model alias %s not found.", in.alias);
	if (st != OK || (st = version_get(cx, in.name,
				 arena_printf(cx->arena, "%lld", (long long)alias.version), &v)) != OK)
		return st;
	return reply_version(rs, &v);
}

static const struct field version_create_fields[] = {
	FIELD_TEXT(struct version_create, name, REQUIRED),
	FIELD_TEXT(struct version_create, source, REQUIRED),
	FIELD_TEXT(struct version_create, run_id, 0),
	FIELD_TEXT(struct version_create, run_link, 0),
	FIELD_TEXT(struct version_create, description, 0),
	FIELD_TEXT(struct version_create, model_id, 0),
	FIELD_LIST(struct version_create, tags, tag_count, 0, key_value_fields, struct key_value),
	FIELD_END,
};

enum status
api_version_create(struct request *rq, struct response *rs)
{
	struct version_create in = { 0 };
	struct version v;
	enum status st;

	if ((st = io_read(rq, version_create_fields, &in)) != OK)
		return st;
	in.description = or_empty(in.description);
	if ((st = version_create(request_ctx(rq), &in, &v)) != OK)
		return st;
	return reply_version(rs, &v);
}

enum status
api_version_get(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct version v;
	enum status st;

	if ((st = io_read(rq, version_fields, &in)) != OK ||
		(st = version_get(request_ctx(rq), in.name, in.version, &v)) != OK)
		return st;
	return reply_version(rs, &v);
}

enum status
api_version_update(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct version v;
	enum status st;

	if ((st = io_read(rq, version_describe_fields, &in)) != OK ||
		(st = version_describe(request_ctx(rq), in.name, in.version, in.description, &v)) != OK)
		return st;
	return reply_version(rs, &v);
}

enum status
api_version_stage(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct version v;
	enum status st;

	if ((st = io_read(rq, stage_fields, &in)) != OK ||
		(st = version_stage(request_ctx(rq), in.name, in.version, in.stage,
			 in.archive_existing_versions, &v)) != OK)
		return st;
	return reply_version(rs, &v);
}

enum status
api_version_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, version_fields, &in)) != OK ||
		(st = version_delete(request_ctx(rq), in.name, in.version)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_version_tag_set(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, version_tag_fields, &in)) != OK)
		return st;
	if ((st = version_tag_set(
		     cx, in.name, in.version, &(struct key_value){ in.key, or_empty(in.value) })) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_version_tag_delete(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	enum status st;

	if ((st = io_read(rq, version_tag_fields, &in)) != OK ||
		(st = version_tag_delete(request_ctx(rq), in.name, in.version, in.key)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_version_download_uri(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct version v;
	struct jsonw w;
	enum status st;

	if ((st = io_read(rq, version_fields, &in)) != OK ||
		(st = version_get(request_ctx(rq), in.name, in.version, &v)) != OK)
		return st;
	io_begin(&w, rs);
	jw_text_at(&w, "artifact_uri", v.storage_location);
	return io_end(&w);
}

/* ---- search ---- */

enum status
api_model_search(struct request *rq, struct response *rs)
{
	struct io_search how = { .max_results = 100 };
	struct io_list list = {
		.key = "registered_models", .size = sizeof(struct model), .write = write_model
	};
	struct search_in in;
	struct model *found;
	enum status st;

	if ((st = io_read_search(rq, &how, &in)) != OK ||
		(st = model_search(request_ctx(rq), &in, &found, &list.n, &list.next_token)) != OK)
		return st;
	list.items = found;
	return io_reply_list(rs, &list);
}

enum status
api_version_search(struct request *rq, struct response *rs)
{
	struct io_search how = { .max_results = 200000 };
	struct io_list list = {
		.key = "model_versions", .size = sizeof(struct version), .write = write_version
	};
	struct search_in in;
	struct version *found;
	enum status st;

	if ((st = io_read_search(rq, &how, &in)) != OK ||
		(st = version_search(request_ctx(rq), &in, &found, &list.n, &list.next_token)) != OK)
		return st;
	list.items = found;
	return io_reply_list(rs, &list);
}
