#include "domain/logged_model.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "domain/names.h"
#include "domain/page.h"
#include "store/experiments.h"
#include "store/logged_models.h"

static const char *const status_names[] = { NULL, "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY",
	"LOGGED_MODEL_UPLOAD_FAILED" };

const char *
logged_model_status_name(enum logged_model_status s)
{
	return status_names[s];
}

bool
logged_model_status_from(const char *name, enum logged_model_status *out)
{
	for (int i = LOGGED_MODEL_PENDING; i <= LOGGED_MODEL_UPLOAD_FAILED; i++)
		if (str_eq(name, status_names[i]) ||
			str_eq(name, status_names[i] + strlen("LOGGED_MODEL_"))) {
			*out = (enum logged_model_status)i;
			return true;
		}
	return false;
}

static enum status
not_found(struct ctx *cx, enum status st, const char *uuid)
{
	return st == NOT_FOUND ? fail(cx, NOT_FOUND, "Logged model with ID '%s' not found.", uuid) : st;
}

/* The row with everything that belongs to it. */
static enum status
load(struct tx *tx, const char *uuid, struct logged_model *out)
{
	enum status st = not_found(tx_ctx(tx), store_logged_model_get(tx, uuid, out), uuid);

	return st == OK ? store_logged_model_metrics(tx, out, 1) : st;
}

static enum status
insert(struct tx *tx, const struct logged_model_create *in, struct logged_model *m)
{
	struct ctx *cx = tx_ctx(tx);
	struct experiment e;
	char *uuid = arena_alloc(cx->arena, 35);
	int64_t id;
	enum status st;

	st = store_experiment_share(tx, m->experiment_id, &e);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "No Experiment with id=%lld exists", (long long)m->experiment_id);
	if (st != OK)
		return st;
	if (e.deleted)
		return fail(cx, INVALID,
			"The experiment %lld must be in the 'active' state. Current state is deleted.",
			(long long)m->experiment_id);
	uuid[0] = 'm';
	uuid[1] = '-';
	random_hex(uuid + 2, 16);
	m->uuid = uuid;
	m->artifact_uri = arena_printf(cx->arena, "%s/models/%s/artifacts", e.artifact_location, uuid);
	if ((st = store_logged_model_insert(tx, m, clock_unix_ms(), &id)) != OK ||
		(st = store_logged_model_params_put(tx, id, in->params, in->param_count)) != OK)
		return st;
	return store_logged_model_tags_put(tx, id, in->tags, in->tag_count);
}

enum status
logged_model_create(struct ctx *cx, const struct logged_model_create *in, struct logged_model *out)
{
	struct logged_model m = {
		.name = str_empty(in->name) ? name_random(cx) : in->name,
		.model_type = in->model_type == NULL ? "" : in->model_type,
		.source_run_uuid = in->source_run_id == NULL ? "" : in->source_run_id,
	};
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_experiment_id(cx, in->experiment_id, &m.experiment_id)) != OK ||
		(st = name_logged_model(cx, m.name)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK && (st = insert(tx, in, &m)) == OK &&
		(st = load(tx, m.uuid, out)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
logged_model_get(struct ctx *cx, const char *uuid, bool deleted_too, struct logged_model *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = load(tx, uuid, out);
	tx_rollback(&tx);
	if (st == OK && out->deleted && !deleted_too)
		return not_found(cx, NOT_FOUND, uuid);
	return st;
}

enum status
logged_model_finalize(
	struct ctx *cx, const char *uuid, enum logged_model_status status, struct logged_model *out)
{
	struct logged_model_change change = { .has_status = true, .status = status };
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = load(tx, uuid, out)) == OK &&
		(st = store_logged_model_update(tx, out->logged_model_id, &change, clock_unix_ms())) == OK &&
		(st = load(tx, uuid, out)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
logged_model_delete(struct ctx *cx, const char *uuid)
{
	struct logged_model_change change = { .deletes = true };
	struct logged_model m;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = load(tx, uuid, &m)) == OK &&
		(st = store_logged_model_update(tx, m.logged_model_id, &change, clock_unix_ms())) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
logged_model_params_log(struct ctx *cx, const char *uuid, const struct key_value *params, size_t n)
{
	struct logged_model m;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK || (st = load(tx, uuid, &m)) != OK)
		goto out;
	st = store_logged_model_params_put(tx, m.logged_model_id, params, n);
	if (st == ALREADY_EXISTS)
		st = fail(cx, ALREADY_EXISTS,
			"A param of logged model '%s' is there already; params are only ever added", uuid);
	if (st == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
logged_model_tags_set(struct ctx *cx, const char *uuid, const struct key_value *tags, size_t n)
{
	struct logged_model m;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = load(tx, uuid, &m)) == OK &&
		(st = store_logged_model_tags_put(tx, m.logged_model_id, tags, n)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
logged_model_tag_delete(struct ctx *cx, const char *uuid, const char *key)
{
	struct logged_model m;
	struct tx *tx = NULL;
	bool found;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK || (st = load(tx, uuid, &m)) != OK ||
		(st = store_logged_model_tag_delete(tx, m.logged_model_id, key, &found)) != OK)
		goto out;
	st = found ? tx_commit(&tx)
		   : fail(cx, NOT_FOUND, "No tag with key '%s' found for model with ID '%s'.", key, uuid);
out:
	tx_rollback(&tx);
	return st;
}

/* ---- search ---- */

/* The latest value of a key: the last of its points, for they are ordered. */
static void
metric(const struct logged_model *m, const char *key, struct search_value *v)
{
	for (size_t i = 0; i < m->metric_count; i++)
		if (str_eq(m->metrics[i].key, key))
			page_number(v, m->metrics[i].value);
}

static void
attribute(const void *row, const struct search_column *c, struct search_value *v)
{
	const struct logged_model *m = row;

	if (c->entity == ENTITY_METRIC)
		metric(m, c->name, v);
	else if (c->entity == ENTITY_PARAM)
		page_pair(m->params, m->param_count, c->name, v);
	else if (c->entity == ENTITY_TAG)
		page_pair(m->tags, m->tag_count, c->name, v);
	else if (str_eq(c->name, "name"))
		page_text(v, m->name);
	else if (str_eq(c->name, "model_id"))
		page_text(v, m->uuid);
	else if (str_eq(c->name, "model_type"))
		page_text(v, m->model_type);
	else if (str_eq(c->name, "status"))
		page_text(v, logged_model_status_name(m->status) + strlen("LOGGED_MODEL_"));
	else if (str_eq(c->name, "source_run_id"))
		page_text(v, m->source_run_uuid);
	else if (str_eq(c->name, "artifact_uri") || str_eq(c->name, "artifact_location"))
		page_text(v, m->artifact_uri);
	else if (str_eq(c->name, "experiment_id"))
		page_int(v, m->experiment_id);
	else if (str_eq(c->name, "creation_timestamp") || str_eq(c->name, "creation_timestamp_ms"))
		page_int(v, m->created_unix_ms);
	else if (str_eq(c->name, "last_updated_timestamp") || str_eq(c->name, "last_updated_timestamp_ms"))
		page_int(v, m->updated_unix_ms);
}

static bool
in_scope(const struct model_point *p, const struct dataset_scope *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(p->dataset_name, d[i].dataset_name) &&
			(str_empty(d[i].dataset_digest) || str_eq(p->dataset_digest, d[i].dataset_digest)))
			return true;
	return false;
}

/* Datasets narrow the metrics that count; a model without any such metric is out. */
static size_t
narrow(struct logged_model *models, size_t n, const struct logged_model_search *in)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t points = 0;

		for (size_t k = 0; k < models[i].metric_count; k++)
			if (in_scope(&models[i].metrics[k], in->datasets, in->dataset_count))
				models[i].metrics[points++] = models[i].metrics[k];
		models[i].metric_count = points;
		if (points > 0)
			models[kept++] = models[i];
	}
	return kept;
}

static enum status
order_texts(struct ctx *cx, const struct logged_model_search *in, struct search_in *search)
{
	search->order_by = arena_array(cx->arena, in->order_by_count, sizeof(char *));
	search->order_by_count = in->order_by_count;
	for (size_t i = 0; i < in->order_by_count; i++) {
		const struct logged_model_order *o = &in->order_by[i];

		search->order_by[i] = arena_printf(cx->arena, "%s %s", o->field_name,
			o->has_ascending && !o->ascending ? "DESC" : "ASC");
	}
	return OK;
}

enum status
logged_model_search(struct ctx *cx, const struct logged_model_search *in, struct logged_model **out,
	size_t *n, const char **next_token)
{
	struct page page = { .value = attribute, .size = sizeof(struct logged_model) };
	struct search_in search = {
		.filter = in->filter, .max_results = in->max_results, .page_token = in->page_token
	};
	int64_t *experiments = arena_array(cx->arena, in->experiment_id_count, sizeof(*experiments));
	struct logged_model *all;
	struct tx *tx = NULL;
	enum status st;

	for (size_t i = 0; i < in->experiment_id_count; i++)
		if ((st = name_experiment_id(cx, in->experiment_ids[i], &experiments[i])) != OK)
			return st;
	if ((st = order_texts(cx, in, &search)) != OK ||
		(st = page_begin(cx, SEARCH_LOGGED_MODELS, &search, 50000, &page)) != OK)
		return st;
	if ((st = tx_begin_snapshot(cx, &tx)) == OK &&
		(st = store_logged_model_list(tx, experiments, in->experiment_id_count, &all, n)) == OK)
		st = store_logged_model_metrics(tx, all, *n);
	tx_rollback(&tx);
	if (st != OK)
		return st;
	if (in->dataset_count > 0)
		*n = narrow(all, *n, in);
	return page_take(cx, &page, all, *n, (void **)out, n, next_token);
}
