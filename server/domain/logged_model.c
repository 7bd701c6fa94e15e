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

static enum status
check_pairs(struct ctx *cx, const struct key_value *pairs, size_t n)
{
	enum status st = OK;

	for (size_t i = 0; st == OK && i < n; i++)
		st = name_length(cx, "key", KEY_LENGTH, pairs[i].key);
	return st;
}

/* Its row, params and tags. */
static enum status
find(struct tx *tx, const char *uuid, struct logged_model *out)
{
	return not_found(tx_ctx(tx), store_logged_model_get(tx, uuid, out), uuid);
}

/* The row with everything that belongs to it. */
static enum status
load(struct tx *tx, const char *uuid, struct logged_model *out)
{
	enum status st = find(tx, uuid, out);

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
	m->artifact_uri =
		name_below(cx, e.artifact_location, arena_printf(cx->arena, "models/%s/artifacts", uuid));
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
		(st = name_logged_model(cx, m.name)) != OK ||
		(st = name_length(cx, "source_run_id", ID_LENGTH, in->source_run_id)) != OK ||
		(st = check_pairs(cx, in->params, in->param_count)) != OK ||
		(st = check_pairs(cx, in->tags, in->tag_count)) != OK)
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

	if ((st = tx_begin(cx, &tx)) == OK && (st = find(tx, uuid, out)) == OK &&
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

	if ((st = tx_begin(cx, &tx)) == OK && (st = find(tx, uuid, &m)) == OK &&
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

	if ((st = check_pairs(cx, params, n)) != OK || (st = tx_begin(cx, &tx)) != OK ||
		(st = find(tx, uuid, &m)) != OK)
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

	if ((st = check_pairs(cx, tags, n)) == OK && (st = tx_begin(cx, &tx)) == OK &&
		(st = find(tx, uuid, &m)) == OK &&
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

	if ((st = tx_begin(cx, &tx)) != OK || (st = find(tx, uuid, &m)) != OK ||
		(st = store_logged_model_tag_delete(tx, m.logged_model_id, key, &found)) != OK)
		goto out;
	st = found ? tx_commit(&tx)
		   : fail(cx, NOT_FOUND, "No tag with key '%s' found for model with ID '%s'.", key, uuid);
out:
	tx_rollback(&tx);
	return st;
}

/* ---- search ---- */

/*
 * Metrics: the filter looks at every value within the request's datasets, the order at the latest, of the dataset it names.
 * Which points are in scope is the same for the whole request, so the points of a model outside it are marked once.
 */
struct candidate {
	struct logged_model *model;
	bool *in_scope;  /* of each point */
	double *scratch; /* room for all its points, once a column */
	size_t columns;
};

static void
recorded(const struct candidate *c, const struct search_column *column, struct search_value *v)
{
	const struct logged_model *m = c->model;
	double *numbers = c->scratch + (size_t)column->slot * m->metric_count;
	size_t n = 0;

	for (size_t i = 0; i < m->metric_count; i++)
		if (c->in_scope[i] && str_eq(m->metrics[i].key, column->name))
			numbers[n++] = m->metrics[i].value;
	if (n > 0)
		*v = (struct search_value){ .kind = VALUE_NUMBERS, .numbers = numbers, .number_count = n };
}

static void
latest(const struct logged_model *m, const struct search_column *column, struct search_value *v)
{
	const struct model_point *last = NULL;

	for (size_t i = 0; i < m->metric_count; i++) {
		const struct model_point *p = &m->metrics[i];

		if (!str_eq(p->key, column->name) ||
			(column->dataset_name != NULL && !str_eq(p->dataset_name, column->dataset_name)) ||
			(column->dataset_digest != NULL &&
				!str_eq(p->dataset_digest, column->dataset_digest)))
			continue;
		if (last == NULL || p->time_unix_ms > last->time_unix_ms ||
			(p->time_unix_ms == last->time_unix_ms && p->step >= last->step))
			last = p;
	}
	if (last != NULL)
		page_number(v, last->value);
}

static void
attribute(const struct logged_model *m, const char *name, struct search_value *v)
{
	if (str_eq(name, "name"))
		page_text(v, m->name);
	else if (str_eq(name, "model_id"))
		page_text(v, m->uuid);
	else if (str_eq(name, "model_type"))
		page_text(v, m->model_type);
	else if (str_eq(name, "source_run_id"))
		page_text(v, m->source_run_uuid);
	else if (str_eq(name, "artifact_location"))
		page_text(v, m->artifact_uri);
	else if (str_eq(name, "lifecycle_stage"))
		page_text(v, m->deleted ? "deleted" : "active");
	else if (str_eq(name, "status_message"))
		page_text(v, m->status_message);
	else if (str_eq(name, "status"))
		page_int(v, m->status);
	else if (str_eq(name, "experiment_id"))
		page_int(v, m->experiment_id);
	else if (str_eq(name, "creation_timestamp"))
		page_int(v, m->created_unix_ms);
	else if (str_eq(name, "last_updated_timestamp"))
		page_int(v, m->updated_unix_ms);
}

static void
candidate_value(const void *row, const struct search_column *column, struct search_value *v)
{
	const struct candidate *c = row;

	if (column->entity == ENTITY_METRIC && column->latest)
		latest(c->model, column, v);
	else if (column->entity == ENTITY_METRIC)
		recorded(c, column, v);
	else if (column->entity == ENTITY_PARAM)
		page_pair(c->model->params, c->model->param_count, column->name, v);
	else if (column->entity == ENTITY_TAG)
		page_pair(c->model->tags, c->model->tag_count, column->name, v);
	else
		attribute(c->model, column->name, v);
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

/* Marks the points that count. Without a metric in the filter, datasets ask for any metric on them. */
static bool
mark(struct ctx *cx, struct candidate *c, const struct logged_model_search *in, bool filters_metrics)
{
	size_t n = c->model->metric_count, marked = 0;

	c->in_scope = arena_array(cx->arena, n, sizeof(bool));
	c->scratch = arena_array(cx->arena, n * c->columns, sizeof(double));
	for (size_t i = 0; i < n; i++) {
		c->in_scope[i] = in->dataset_count == 0 ||
				 in_scope(&c->model->metrics[i], in->datasets, in->dataset_count);
		marked += c->in_scope[i];
	}
	return in->dataset_count == 0 || filters_metrics || marked > 0;
}

static struct candidate *
find_candidates(struct ctx *cx, const struct search *search, const struct logged_model_search *in,
	struct logged_model *models, size_t *n)
{
	struct candidate *out = arena_array(cx->arena, *n, sizeof(*out));
	size_t columns, kept = 0;
	const struct search_column *column = search_columns(search, &columns);
	bool filters_metrics = false;

	for (size_t i = 0; i < columns; i++)
		filters_metrics |= column[i].entity == ENTITY_METRIC && !column[i].latest;
	for (size_t i = 0; i < *n; i++) {
		out[kept] = (struct candidate){ .model = &models[i], .columns = columns };
		kept += mark(cx, &out[kept], in, filters_metrics);
	}
	*n = kept;
	return out;
}

static enum status
compile(struct ctx *cx, const struct logged_model_search *in, struct search **out)
{
	struct search_field *order = arena_array(cx->arena, in->order_by_count, sizeof(*order));

	for (size_t i = 0; i < in->order_by_count; i++)
		order[i] = (struct search_field){ in->order_by[i].field_name,
			in->order_by[i].has_ascending && !in->order_by[i].ascending,
			in->order_by[i].dataset_name, in->order_by[i].dataset_digest };
	return search_compile_fields(cx, in->filter, order, in->order_by_count, out);
}

static enum status
take_page(struct ctx *cx, const struct page *page, const struct logged_model_search *in,
	struct logged_model *models, size_t found, struct logged_model **out, size_t *n,
	const char **next_token)
{
	struct candidate *all = find_candidates(cx, page->search, in, models, &found), *hits;
	enum status st = page_take(cx, page, all, found, (void **)&hits, n, next_token);

	*out = arena_array(cx->arena, *n, sizeof(**out));
	for (size_t i = 0; st == OK && i < *n; i++)
		(*out)[i] = *hits[i].model;
	return st;
}

enum status
logged_model_search(struct ctx *cx, const struct logged_model_search *in, struct logged_model **out,
	size_t *n, const char **next_token)
{
	struct page page = { .value = candidate_value, .size = sizeof(struct candidate) };
	struct search_in search = { .max_results = in->max_results, .page_token = in->page_token };
	int64_t *experiments = arena_array(cx->arena, in->experiment_id_count, sizeof(*experiments));
	struct logged_model *all;
	struct tx *tx = NULL;
	size_t found;
	enum status st;

	for (size_t i = 0; i < in->experiment_id_count; i++)
		if ((st = name_experiment_id(cx, in->experiment_ids[i], &experiments[i])) != OK)
			return st;
	if ((st = compile(cx, in, &page.search)) != OK ||
		(st = page_begin(cx, &search, 50000,
			 page_scope(cx, experiments, in->experiment_id_count, VIEW_ACTIVE), &page)) != OK)
		return st;
	if ((st = tx_begin_snapshot(cx, &tx)) == OK &&
		(st = store_logged_model_list(tx, experiments, in->experiment_id_count, &all, &found)) == OK)
		st = store_logged_model_metrics(tx, all, found);
	tx_rollback(&tx);
	return st == OK ? take_page(cx, &page, in, all, found, out, n, next_token) : st;
}
