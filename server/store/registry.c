#include "store/registry.h"

#include "store/pairs.h"
#include "store/query.h"
#include "store/sql.h"

static enum status
model_from_row(struct row *row, void *out)
{
	struct model *m = out;
	size_t n;

	*m = (struct model){
		.model_id = row_int8(row, "model_id"),
		.name = row_text(row, "name"),
		.description = row_text(row, "description"),
		.created_unix_ms = row_int8(row, "created_unix_ms"),
		.updated_unix_ms = row_int8(row, "updated_unix_ms"),
	};
	m->tags = row_pairs(row, "tag_keys", "tag_values", &m->tag_count);
	m->alias_names = row_texts(row, "alias_names", &m->alias_count);
	m->alias_versions = row_int8s(row, "alias_versions", &n);
	return OK;
}

static enum status
version_from_row(struct row *row, void *out)
{
	struct version *v = out;

	*v = (struct version){
		.model_id = row_int8(row, "model_id"),
		.model = row_text(row, "name"),
		.version = row_int8(row, "version"),
		.description = row_text(row, "description"),
		.source = row_text(row, "source"),
		.storage_location = row_text(row, "storage_location"),
		.run_uuid = row_text(row, "run_uuid"),
		.run_link = row_text(row, "run_link"),
		.logged_model_uuid = row_text(row, "logged_model_uuid"),
		.stage = (enum stage)row_int8(row, "stage"),
		.status = (int)row_int8(row, "status"),
		.status_message = row_text(row, "status_message"),
		.created_unix_ms = row_int8(row, "created_unix_ms"),
		.updated_unix_ms = row_int8(row, "updated_unix_ms"),
		.created_by = row_text(row, "created_by"),
		.created_token = row_text(row, "created_token"),
	};
	v->tags = row_pairs(row, "tag_keys", "tag_values", &v->tag_count);
	v->aliases = row_texts(row, "aliases", &v->alias_count);
	return OK;
}

static enum status
alias_from_row(struct row *row, void *out)
{
	*(struct alias *)out = (struct alias){
		.model = row_text(row, "model"),
		.name = row_text(row, "name"),
		.has_version = !row_null(row, "version"),
		.has_previous = !row_null(row, "previous_version"),
		.version = row_int8(row, "version"),
		.previous_version = row_int8(row, "previous_version"),
		.generation = row_int8(row, "generation"),
		.changed_unix_ms = row_int8(row, "changed_unix_ms"),
		.changed_by = row_text(row, "changed_by"),
		.changed_token = row_text(row, "changed_token"),
	};
	return OK;
}

/* ---- models ---- */

enum status
store_model_insert(
	struct tx *tx, const char *name, const char *description, int64_t now_unix_ms, int64_t *model_id)
{
	struct query q;

	query_init(&q, tx, &SQL_model_insert);
	query_text(&q, name);
	query_text(&q, description);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	return query_one(&q, row_read_int8, model_id);
}

enum status
store_model_get(struct tx *tx, const char *name, struct model *out)
{
	struct query q;

	query_init(&q, tx, &SQL_model_get);
	query_text(&q, name);
	return query_one(&q, model_from_row, out);
}

enum status
store_model_list(struct tx *tx, struct model **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_model_list);
	return query_list(&q, model_from_row, sizeof(**out), out, n);
}

enum status
store_model_lock(struct tx *tx, const char *name, int64_t *model_id)
{
	struct query q;

	query_init(&q, tx, &SQL_model_lock);
	query_text(&q, name);
	return query_one(&q, row_read_int8, model_id);
}

enum status
store_model_update(struct tx *tx, int64_t model_id, const struct model_change *change, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_model_update);
	query_int8(&q, model_id);
	query_text(&q, change->name);
	query_bool(&q, change->describes);
	query_text(&q, change->description);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

static enum status
run_on_model(struct tx *tx, const struct statement *s, int64_t model_id)
{
	struct query q;

	query_init(&q, tx, s);
	query_int8(&q, model_id);
	return query_run(&q, NULL);
}

enum status
store_model_delete(struct tx *tx, int64_t model_id)
{
	return run_on_model(tx, &SQL_model_delete, model_id);
}

enum status
store_alias_generations_keep(struct tx *tx, int64_t model_id)
{
	return run_on_model(tx, &SQL_alias_generation_keep, model_id);
}

enum status
store_alias_generations_raise(struct tx *tx, int64_t model_id)
{
	return run_on_model(tx, &SQL_alias_generation_raise, model_id);
}

enum status
store_model_tags_put(struct tx *tx, int64_t model_id, const struct key_value *tags, size_t n)
{
	struct query q;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_model_tag_put);
	query_int8(&q, model_id);
	query_pairs(&q, tags, n);
	return query_run(&q, NULL);
}

enum status
store_model_tag_delete(struct tx *tx, int64_t model_id, const char *key)
{
	struct query q;

	query_init(&q, tx, &SQL_model_tag_delete);
	query_int8(&q, model_id);
	query_text(&q, key);
	return query_run(&q, NULL);
}

static enum status
bool_from_row(struct row *row, void *out)
{
	*(bool *)out = row_bool(row, "is_prompt");
	return OK;
}

enum status
store_model_is_prompt(struct tx *tx, const char *name, bool *prompt)
{
	struct query q;

	query_init(&q, tx, &SQL_model_is_prompt);
	query_text(&q, name);
	return query_one(&q, bool_from_row, prompt);
}

/* ---- versions ---- */

enum status
store_version_insert(struct tx *tx, const struct version *v, int64_t now_unix_ms, int64_t *version)
{
	struct query q;

	query_init(&q, tx, &SQL_version_insert);
	query_int8(&q, v->model_id);
	query_text(&q, v->description);
	query_text(&q, v->source);
	query_text(&q, v->storage_location);
	query_text(&q, v->run_uuid);
	query_text(&q, v->run_link);
	query_text(&q, v->logged_model_uuid);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	return query_one(&q, row_read_int8, version);
}

enum status
store_version_get(struct tx *tx, const char *name, int64_t version, struct version *out)
{
	struct query q;

	query_init(&q, tx, &SQL_version_get);
	query_text(&q, name);
	query_int8(&q, version);
	return query_one(&q, version_from_row, out);
}

enum status
store_version_list(struct tx *tx, const char *name, struct version **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_version_list);
	query_text(&q, name);
	return query_list(&q, version_from_row, sizeof(**out), out, n);
}

enum status
store_version_latest(struct tx *tx, const int64_t *model_ids, size_t n, struct version **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_version_latest);
	query_int8s(&q, model_ids, n);
	return query_list(&q, version_from_row, sizeof(**out), out, found);
}

enum status
store_version_update(
	struct tx *tx, const struct version *v, const struct version_change *change, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_version_update);
	query_int8(&q, v->model_id);
	query_int8(&q, v->version);
	query_bool(&q, change->describes);
	query_text(&q, change->description);
	query_int8_or_null(&q, change->stages, (int64_t)change->stage);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_version_archive_others(struct tx *tx, const struct version *v, enum stage stage, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_version_archive_others);
	query_int8(&q, v->model_id);
	query_int8(&q, v->version);
	query_int8(&q, (int64_t)stage);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

static enum status
name_from_row(struct row *row, void *out)
{
	return row_read_text(row, out);
}

/* Aliases of a version that goes are taken away one by one, so that each leaves its row of history. */
static enum status
aliases_drop(struct tx *tx, const struct version *v, int64_t now_unix_ms)
{
	struct query q;
	const char **names;
	size_t n;
	bool moved;
	enum status st;

	query_init(&q, tx, &SQL_alias_names);
	query_int8(&q, v->model_id);
	query_int8(&q, v->version);
	if ((st = query_list(&q, name_from_row, sizeof(*names), &names, &n)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		if ((st = store_alias_move(tx, v->model_id, names[i], 0, now_unix_ms, &moved)) != OK)
			return st;
	return OK;
}

enum status
store_version_delete(struct tx *tx, const struct version *v, int64_t now_unix_ms)
{
	struct query q;
	enum status st = aliases_drop(tx, v, now_unix_ms);

	if (st != OK)
		return st;
	query_init(&q, tx, &SQL_version_delete);
	query_int8(&q, v->model_id);
	query_int8(&q, v->version);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_version_tags_put(struct tx *tx, const struct version *v, const struct key_value *tags, size_t n)
{
	struct query q;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_version_tag_put);
	query_int8(&q, v->model_id);
	query_int8(&q, v->version);
	query_pairs(&q, tags, n);
	return query_run(&q, NULL);
}

enum status
store_version_tag_delete(struct tx *tx, const struct version *v, const char *key)
{
	struct query q;

	query_init(&q, tx, &SQL_version_tag_delete);
	query_int8(&q, v->model_id);
	query_int8(&q, v->version);
	query_text(&q, key);
	return query_run(&q, NULL);
}

/* ---- aliases ---- */

enum status
store_version_below(struct tx *tx, const char *folder_uri, const char **version)
{
	struct arena *arena = tx_ctx(tx)->arena;
	struct query q;
	bool found;

	*version = NULL;
	query_init(&q, tx, &SQL_version_below);
	query_text(&q, folder_uri);
	query_text(&q, arena_printf(arena, "%s/", folder_uri));
	query_text(&q, arena_printf(arena, "%s0", folder_uri));
	return query_maybe(&q, row_read_text, version, &found);
}

enum status
store_alias_move(
	struct tx *tx, int64_t model_id, const char *alias, int64_t version, int64_t now_unix_ms, bool *moved)
{
	struct query q;
	int64_t n = 0;
	enum status st;

	query_init(&q, tx, &SQL_alias_move);
	query_int8(&q, model_id);
	query_text(&q, alias);
	query_int8_or_null(&q, version != 0, version);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	st = query_run(&q, &n);
	*moved = n > 0;
	return st;
}

enum status
store_alias_get(struct tx *tx, const char *model, const char *alias, struct alias *out, bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_alias_get);
	query_text(&q, model);
	query_text(&q, alias);
	return query_maybe(&q, alias_from_row, out, found);
}

enum status
store_alias_history(struct tx *tx, const char *model, const char *alias, struct alias **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_alias_history);
	query_text(&q, model);
	query_text(&q, alias);
	return query_list(&q, alias_from_row, sizeof(**out), out, n);
}

enum status
store_outbox_put(
	struct tx *tx, const char *entity, const char *action, const char *data_json, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_outbox_put);
	query_text(&q, entity);
	query_text(&q, action);
	query_json(&q, data_json);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}
