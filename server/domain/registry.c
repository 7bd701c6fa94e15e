#include "domain/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "domain/event.h"
#include "domain/names.h"
#include "domain/page.h"
#include "domain/source.h"
#include "store/registry.h"

static const char *const stages[] = { "None", "Staging", "Production", "Archived" };

const char *
stage_name(enum stage s)
{
	return stages[s];
}

enum status
stage_from(struct ctx *cx, const char *name, enum stage *out)
{
	for (int i = STAGE_NONE; i < STAGES; i++)
		if (str_eq_nocase(name, stages[i])) {
			*out = (enum stage)i;
			return OK;
		}
	return fail(cx, INVALID,
		"Invalid Model Version stage: %.100s. Value must be one of None, Staging, Production, "
		"Archived.",
		name);
}

/* Can no model have this name? Then that is the answer, and not that it was not found. */
static bool
never_named(const char *name)
{
	return strpbrk(name, "/:") != NULL || str_eq(name, ".") || str_starts(name, "..");
}

static enum status
no_model(struct ctx *cx, enum status st, const char *name)
{
	if (st != NOT_FOUND)
		return st;
	return never_named(name) ? name_model(cx, name)
				 : fail(cx, NOT_FOUND, "Registered Model with name=%s not found", name);
}

static enum status
no_version(struct ctx *cx, enum status st, const char *name, int64_t version)
{
	if (st != NOT_FOUND)
		return st;
	return never_named(name) ? name_model(cx, name)
				 : fail(cx, NOT_FOUND, "Model Version (name=%s, version=%lld) not found",
					   name, (long long)version);
}

/* ---- models ---- */

static enum status
load_latest(struct tx *tx, struct model *models, size_t n)
{
	int64_t *ids = arena_array(tx_ctx(tx)->arena, n, sizeof(*ids));
	struct version *all;
	size_t count;
	enum status st;

	if (n == 0)
		return OK;
	for (size_t i = 0; i < n; i++)
		ids[i] = models[i].model_id;
	if ((st = store_version_latest(tx, ids, n, &all, &count)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < count; k++)
			if (all[k].model_id == models[i].model_id) {
				if (models[i].latest == NULL)
					models[i].latest = &all[k];
				models[i].latest_count++;
			}
	return OK;
}

static enum status
load_model(struct tx *tx, const char *name, struct model *out)
{
	enum status st = no_model(tx_ctx(tx), store_model_get(tx, name, out), name);

	return st == OK ? load_latest(tx, out, 1) : st;
}

static enum status
check_tag(struct ctx *cx, const struct key_value *tag)
{
	enum status st = name_key(cx, "key", tag->key);

	return st == OK ? name_length(cx, "value", MODEL_TAG_LENGTH, tag->value) : st;
}

enum status
model_create(struct ctx *cx, const char *name, const char *description, const struct key_value *tags,
	size_t n, struct model *out)
{
	struct tx *tx = NULL;
	int64_t id;
	enum status st;

	if ((st = name_model(cx, name)) != OK ||
		(st = name_length(cx, "description", DESCRIPTION_LENGTH, description)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		if ((st = check_tag(cx, &tags[i])) != OK)
			return st;
	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	st = store_model_insert(tx, name, str_empty(description) ? NULL : description, clock_unix_ms(), &id);
	if (st == ALREADY_EXISTS)
		st = fail(cx, ALREADY_EXISTS, "Registered Model (name=%s) already exists.", name);
	if (st != OK || (st = store_model_tags_put(tx, id, tags, n)) != OK ||
		(st = load_model(tx, name, out)) != OK || (st = event_model_created(tx, out)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
model_get(struct ctx *cx, const char *name, struct model *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = load_model(tx, name, out);
	tx_rollback(&tx);
	return st;
}

static enum status
model_change(struct ctx *cx, const char *name, const struct model_change *change, struct model *out)
{
	const char *now_named = change->name == NULL ? name : change->name;
	bool renamed = !str_eq(now_named, name);
	struct tx *tx = NULL;
	int64_t id;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = no_model(cx, store_model_lock(tx, name, &id), name)) != OK)
		goto out;
	if (renamed && (st = store_alias_generations_keep(tx, id)) != OK)
		goto out;
	st = store_model_update(tx, id, change, clock_unix_ms());
	if (st == ALREADY_EXISTS)
		st = fail(cx, ALREADY_EXISTS, "Registered Model (name=%s) already exists.", now_named);
	if (st == OK && renamed)
		st = store_alias_generations_raise(tx, id);
	if (st == OK && (st = load_model(tx, now_named, out)) == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
model_rename(struct ctx *cx, const char *name, const char *new_name, struct model *out)
{
	enum status st = name_model(cx, new_name);

	return st == OK ? model_change(cx, name, &(struct model_change){ .name = new_name }, out) : st;
}

enum status
model_describe(struct ctx *cx, const char *name, const char *description, struct model *out)
{
	enum status st = name_length(cx, "description", DESCRIPTION_LENGTH, description);

	return st == OK ? model_change(cx, name,
				  &(struct model_change){ .describes = true,
					  .description = str_empty(description) ? NULL : description },
				  out)
			: st;
}

enum status
model_delete(struct ctx *cx, const char *name)
{
	struct tx *tx = NULL;
	int64_t id;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK &&
		(st = no_model(cx, store_model_lock(tx, name, &id), name)) == OK &&
		(st = store_alias_generations_keep(tx, id)) == OK && (st = store_model_delete(tx, id)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
model_tag_set(struct ctx *cx, const char *name, const struct key_value *tag)
{
	struct tx *tx = NULL;
	int64_t id;
	enum status st;

	if ((st = check_tag(cx, tag)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK &&
		(st = no_model(cx, store_model_lock(tx, name, &id), name)) == OK &&
		(st = store_model_tags_put(tx, id, tag, 1)) == OK &&
		(st = event_model_tag(tx, name, tag->key, tag->value)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
model_tag_delete(struct ctx *cx, const char *name, const char *key)
{
	struct tx *tx = NULL;
	int64_t id;
	enum status st;

	if ((st = name_key(cx, "key", key)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK &&
		(st = no_model(cx, store_model_lock(tx, name, &id), name)) == OK &&
		(st = store_model_tag_delete(tx, id, key)) == OK &&
		(st = event_model_tag(tx, name, key, NULL)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

static void
model_value(const void *row, const struct search_column *c, struct search_value *v)
{
	const struct model *m = row;

	if (c->entity == ENTITY_TAG)
		page_pair(m->tags, m->tag_count, c->name, v);
	else if (str_eq(c->name, "name"))
		page_text(v, m->name);
	else if (str_eq(c->name, "creation_timestamp"))
		page_int(v, m->created_unix_ms);
	else if (str_eq(c->name, "last_updated_timestamp"))
		page_int(v, m->updated_unix_ms);
}

enum status
model_search(
	struct ctx *cx, const struct search_in *in, struct model **out, size_t *n, const char **next_token)
{
	struct page page = { .value = model_value, .size = sizeof(struct model) };
	struct model *all;
	struct tx *tx = NULL;
	enum status st;

	if ((st = page_open(cx, SEARCH_MODELS, in, 1000, "", &page)) != OK)
		return st;
	if ((st = tx_begin_snapshot(cx, &tx)) == OK && (st = store_model_list(tx, &all, n)) == OK &&
		(st = page_take(cx, &page, all, *n, (void **)out, n, next_token)) == OK)
		st = load_latest(tx, *out, *n);
	tx_rollback(&tx);
	return st;
}

enum status
model_latest(struct ctx *cx, const char *name, const char *const *wanted, size_t wanted_count,
	struct version **out, size_t *n)
{
	bool all = wanted_count == 0, want[STAGES] = { false };
	struct model m;
	enum status st;

	for (size_t i = 0; i < wanted_count; i++) {
		enum stage s = STAGE_NONE;

		if ((st = stage_from(cx, wanted[i], &s)) != OK)
			return st;
		want[s] = true;
	}
	if ((st = model_get(cx, name, &m)) != OK)
		return st;
	*out = arena_array(cx->arena, m.latest_count, sizeof(**out));
	*n = 0;
	for (size_t i = 0; i < m.latest_count; i++)
		if (all || want[m.latest[i].stage])
			(*out)[(*n)++] = m.latest[i];
	return OK;
}

/* ---- versions ---- */

enum status
version_create(struct ctx *cx, const struct version_create *in, struct version *out)
{
	struct version v = {
		.description = in->description,
		.source = in->source,
		.run_uuid = in->run_id,
		.run_link = in->run_link,
		.logged_model_uuid = str_empty(in->model_id) ? NULL : in->model_id,
		.tags = in->tags,
		.tag_count = in->tag_count,
	};
	struct tx *tx = NULL;
	int64_t number;
	enum status st;

	if ((st = name_model(cx, in->name)) != OK ||
		(st = name_length(cx, "run_id", ID_LENGTH, in->run_id)) != OK ||
		(st = name_length(cx, "source", SOURCE_LENGTH, in->source)) != OK ||
		(st = name_length(cx, "description", DESCRIPTION_LENGTH, in->description)) != OK)
		return st;
	for (size_t i = 0; i < in->tag_count; i++)
		if ((st = check_tag(cx, &in->tags[i])) != OK)
			return st;
	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = no_model(cx, store_model_lock(tx, in->name, &v.model_id), in->name)) != OK ||
		(st = source_resolve(tx, &v)) != OK ||
		(st = store_version_insert(tx, &v, clock_unix_ms(), &number)) != OK)
		goto out;
	v.version = number;
	if ((st = store_version_tags_put(tx, &v, in->tags, in->tag_count)) != OK ||
		(st = store_model_update(tx, v.model_id, &(struct model_change){ 0 }, clock_unix_ms())) !=
			OK ||
		(st = source_mark(tx, in->name, &v)) != OK ||
		(st = store_version_get(tx, in->name, number, out)) != OK ||
		(st = event_version_created(tx, out)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

static enum status
load_version(struct tx *tx, const char *name, const char *version, struct version *out)
{
	struct ctx *cx = tx_ctx(tx);
	int32_t number;
	enum status st = name_version(cx, version, &number);

	return st == OK ? no_version(cx, store_version_get(tx, name, number, out), name, number) : st;
}

enum status
version_get(struct ctx *cx, const char *name, const char *version, struct version *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = load_version(tx, name, version, out);
	tx_rollback(&tx);
	return st;
}

/* Begin to change a version: its model's row is locked. */
static enum status
change_begin(struct ctx *cx, const char *name, const char *version, struct tx **tx, struct version *out)
{
	int64_t id;
	enum status st;

	if ((st = tx_begin(cx, tx)) != OK ||
		(st = no_model(cx, store_model_lock(*tx, name, &id), name)) != OK)
		return st;
	return load_version(*tx, name, version, out);
}

enum status
version_describe(
	struct ctx *cx, const char *name, const char *version, const char *description, struct version *out)
{
	struct version_change change = { .describes = true, .description = description };
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_length(cx, "description", DESCRIPTION_LENGTH, description)) != OK)
		return st;
	if ((st = change_begin(cx, name, version, &tx, out)) == OK &&
		(st = store_version_update(tx, out, &change, clock_unix_ms())) == OK &&
		(st = load_version(tx, name, version, out)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
version_stage(struct ctx *cx, const char *name, const char *version, const char *stage, bool archive_others,
	struct version *out)
{
	struct version_change change = { .stages = true };
	int64_t now = clock_unix_ms();
	struct tx *tx = NULL;
	enum status st;

	if ((st = stage_from(cx, stage, &change.stage)) != OK)
		return st;
	if (archive_others && change.stage != STAGE_STAGING && change.stage != STAGE_PRODUCTION)
		return fail(cx, INVALID,
			"Model version transition cannot archive existing model versions because '%s' is not "
			"an Active stage. Valid stages are "
			"Staging, Production",
			stage_name(change.stage));
	if ((st = change_begin(cx, name, version, &tx, out)) != OK)
		goto out;
	if (archive_others && (st = store_version_archive_others(tx, out, change.stage, now)) != OK)
		goto out;
	if ((st = store_version_update(tx, out, &change, now)) == OK &&
		(st = store_model_update(tx, out->model_id, &(struct model_change){ 0 }, now)) == OK &&
		(st = load_version(tx, name, version, out)) == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
version_delete(struct ctx *cx, const char *name, const char *version)
{
	struct version v;
	int64_t now = clock_unix_ms();
	struct tx *tx = NULL;
	enum status st;

	if ((st = change_begin(cx, name, version, &tx, &v)) == OK &&
		(st = store_version_delete(tx, &v, now)) == OK &&
		(st = store_model_update(tx, v.model_id, &(struct model_change){ 0 }, now)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
version_tag_set(struct ctx *cx, const char *name, const char *version, const struct key_value *tag)
{
	struct version v;
	struct tx *tx = NULL;
	enum status st;

	if ((st = check_tag(cx, tag)) != OK)
		return st;
	if ((st = change_begin(cx, name, version, &tx, &v)) == OK &&
		(st = store_version_tags_put(tx, &v, tag, 1)) == OK &&
		(st = event_version_tag(tx, &v, tag->key, tag->value)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
version_tag_delete(struct ctx *cx, const char *name, const char *version, const char *key)
{
	struct version v;
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_key(cx, "key", key)) != OK)
		return st;
	if ((st = change_begin(cx, name, version, &tx, &v)) == OK &&
		(st = store_version_tag_delete(tx, &v, key)) == OK &&
		(st = event_version_tag(tx, &v, key, NULL)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

static void
version_value(const void *row, const struct search_column *c, struct search_value *value)
{
	const struct version *v = row;

	if (c->entity == ENTITY_TAG)
		page_pair(v->tags, v->tag_count, c->name, value);
	else if (str_eq(c->name, "name"))
		page_text(value, v->model);
	else if (str_eq(c->name, "version_number"))
		page_int(value, v->version);
	else if (str_eq(c->name, "run_id"))
		page_text(value, v->run_uuid);
	else if (str_eq(c->name, "source_path"))
		page_text(value, v->source);
	else if (str_eq(c->name, "creation_timestamp"))
		page_int(value, v->created_unix_ms);
	else if (str_eq(c->name, "last_updated_timestamp"))
		page_int(value, v->updated_unix_ms);
}

enum status
version_search(
	struct ctx *cx, const struct search_in *in, struct version **out, size_t *n, const char **next_token)
{
	struct page page = { .value = version_value, .size = sizeof(struct version) };
	struct version *all;
	struct tx *tx = NULL;
	enum status st;

	if ((st = page_open(cx, SEARCH_VERSIONS, in, 200000, "", &page)) != OK)
		return st;
	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_version_list(tx, search_equals(page.search, "name"), &all, n);
	tx_rollback(&tx);
	return st == OK ? page_take(cx, &page, all, *n, (void **)out, n, next_token) : st;
}

/* ---- aliases ---- */

enum status
alias_set(struct ctx *cx, const char *name, const char *alias, const char *version)
{
	struct version v;
	struct tx *tx = NULL;
	bool moved;
	enum status st;

	if ((st = name_alias(cx, alias)) != OK)
		return st;
	if ((st = change_begin(cx, name, version, &tx, &v)) != OK ||
		(st = store_alias_move(tx, v.model_id, alias, v.version, clock_unix_ms(), &moved)) != OK)
		goto out;
	if (moved && (st = event_alias(tx, name, alias, v.version)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
alias_delete(struct ctx *cx, const char *name, const char *alias)
{
	struct tx *tx = NULL;
	int64_t id;
	bool moved;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = no_model(cx, store_model_lock(tx, name, &id), name)) != OK ||
		(st = store_alias_move(tx, id, alias, 0, clock_unix_ms(), &moved)) != OK)
		goto out;
	if (moved && (st = event_alias(tx, name, alias, 0)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
alias_get(struct ctx *cx, const char *name, const char *alias, struct alias *out)
{
	struct model m;
	struct tx *tx = NULL;
	bool found = false;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK && (st = store_alias_get(tx, name, alias, out, &found)) == OK &&
		!found)
		st = no_model(cx, store_model_get(tx, name, &m), name);
	tx_rollback(&tx);
	return st == OK && !found ? fail(cx, NOT_FOUND, "Registered model alias %s not found.", alias) : st;
}

enum status
alias_history(struct ctx *cx, const char *name, const char *alias, struct alias **out, size_t *n)
{
	struct model m;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK && (st = no_model(cx, store_model_get(tx, name, &m), name)) == OK)
		st = store_alias_history(tx, name, alias, out, n);
	tx_rollback(&tx);
	return st;
}
