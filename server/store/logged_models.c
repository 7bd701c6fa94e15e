#include "store/logged_models.h"

#include <stdlib.h>
#include <string.h>

#include "store/pairs.h"
#include "store/query.h"
#include "store/sql.h"

static enum status
model_from_row(struct row *row, void *out)
{
	struct logged_model *m = out;
	size_t n;

	*m = (struct logged_model){
		.logged_model_id = row_int8(row, "logged_model_id"),
		.uuid = row_text(row, "uuid"),
		.experiment_id = row_int8(row, "experiment_id"),
		.name = row_text(row, "name"),
		.model_type = row_text(row, "model_type"),
		.source_run_uuid = row_text(row, "source_run_uuid"),
		.artifact_uri = row_text(row, "artifact_uri"),
		.status = (enum logged_model_status)row_int8(row, "status"),
		.status_message = row_text(row, "status_message"),
		.deleted = row_bool(row, "deleted"),
		.created_unix_ms = row_int8(row, "created_unix_ms"),
		.updated_unix_ms = row_int8(row, "updated_unix_ms"),
	};
	m->params = row_pairs(row, "param_keys", "param_values", &m->param_count);
	m->tags = row_pairs(row, "tag_keys", "tag_values", &m->tag_count);
	m->registered_names = row_texts(row, "registered_names", &m->registered_count);
	m->registered_versions = row_int8s(row, "registered_versions", &n);
	return OK;
}

enum status
store_logged_model_insert(struct tx *tx, const struct logged_model *m, int64_t now_unix_ms, int64_t *id)
{
	struct query q;

	query_init(&q, tx, &SQL_logged_model_insert);
	query_text(&q, m->uuid);
	query_int8(&q, m->experiment_id);
	query_text(&q, m->name);
	query_text(&q, m->model_type);
	query_text(&q, m->source_run_uuid);
	query_text(&q, m->artifact_uri);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	return query_one(&q, row_read_int8, id);
}

enum status
store_logged_model_get(struct tx *tx, const char *uuid, struct logged_model *out)
{
	struct query q;

	query_init(&q, tx, &SQL_logged_model_get);
	query_text(&q, uuid);
	return query_one(&q, model_from_row, out);
}

enum status
store_logged_model_of_run(
	struct tx *tx, const struct run *run, const char *name, const char **artifact_uri, bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_logged_model_of_run);
	query_int8(&q, run->experiment_id);
	query_text(&q, run->uuid);
	query_text(&q, name);
	return query_maybe(&q, row_read_text, artifact_uri, found);
}

enum status
store_logged_model_lock(struct tx *tx, const char *uuid)
{
	struct query q;
	int64_t id;

	query_init(&q, tx, &SQL_logged_model_lock);
	query_text(&q, uuid);
	return query_one(&q, row_read_int8, &id);
}

enum status
store_logged_model_list(
	struct tx *tx, const int64_t *experiments, size_t n, struct logged_model **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_logged_model_list);
	query_int8s(&q, experiments, n);
	return query_list(&q, model_from_row, sizeof(**out), out, found);
}

enum status
store_logged_model_update(
	struct tx *tx, int64_t id, const struct logged_model_change *change, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_logged_model_update);
	query_int8(&q, id);
	query_int8_or_null(&q, change->has_status, (int64_t)change->status);
	query_bool_or_null(&q, change->deletes, true);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

static enum status
put_pairs(struct tx *tx, const struct statement *s, int64_t id, const struct key_value *pairs, size_t n)
{
	struct query q;

	if (n == 0)
		return OK;
	query_init(&q, tx, s);
	query_int8(&q, id);
	query_pairs(&q, pairs, n);
	return query_run(&q, NULL);
}

enum status
store_logged_model_params_put(struct tx *tx, int64_t id, const struct key_value *params, size_t n)
{
	return put_pairs(tx, &SQL_logged_model_params_put, id, params, n);
}

enum status
store_logged_model_tags_put(struct tx *tx, int64_t id, const struct key_value *tags, size_t n)
{
	return put_pairs(tx, &SQL_logged_model_tags_put, id, tags, n);
}

enum status
store_logged_model_tag_delete(struct tx *tx, int64_t id, const char *key, bool *found)
{
	struct query q;
	int64_t gone = 0;
	enum status st;

	query_init(&q, tx, &SQL_logged_model_tag_delete);
	query_int8(&q, id);
	query_text(&q, key);
	st = query_run(&q, &gone);
	*found = gone > 0;
	return st;
}

struct model_metric {
	int64_t logged_model_id;
	struct model_point point;
};

static enum status
metric_from_row(struct row *row, void *out)
{
	*(struct model_metric *)out = (struct model_metric){
		.logged_model_id = row_int8(row, "logged_model_id"),
		.point = {
			.run_uuid = row_text(row, "run_uuid"),
			.key = row_text(row, "key"),
			.value = row_float8(row, "value"),
			.time_unix_ms = row_int8(row, "time_unix_ms"),
			.step = row_int8(row, "step"),
			.dataset_name = row_text(row, "dataset_name"),
			.dataset_digest = row_text(row, "dataset_digest"),
		},
	};
	return OK;
}

/* The rows come ordered by model: each model's are one piece. */
static void
take_metrics(struct ctx *cx, struct logged_model *m, const struct model_metric *all, size_t n)
{
	size_t lo = 0, hi = n, end;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (all[mid].logged_model_id < m->logged_model_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < n && all[end].logged_model_id == m->logged_model_id; end++)
		;
	m->metric_count = end - lo;
	m->metrics = arena_array(cx->arena, m->metric_count, sizeof(*m->metrics));
	for (size_t i = 0; i < m->metric_count; i++) {
		m->metrics[i] = all[lo + i].point;
		m->metrics[i].model_uuid = m->uuid;
	}
}

enum status
store_logged_model_metrics(struct tx *tx, struct logged_model *models, size_t n)
{
	struct ctx *cx = tx_ctx(tx);
	int64_t *ids = arena_array(cx->arena, n, sizeof(*ids));
	struct model_metric *all;
	struct query q;
	size_t count;
	enum status st;

	if (n == 0)
		return OK;
	for (size_t i = 0; i < n; i++)
		ids[i] = models[i].logged_model_id;
	query_init(&q, tx, &SQL_logged_model_metrics);
	query_int8s(&q, ids, n);
	if ((st = query_list(&q, metric_from_row, sizeof(*all), &all, &count)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		take_metrics(cx, &models[i], all, count);
	return OK;
}
