#include "store/experiments.h"

#include "store/pairs.h"
#include "store/query.h"
#include "store/sql.h"

static enum status
experiment_from_row(struct row *row, void *out)
{
	struct experiment *e = out;

	*e = (struct experiment){
		.experiment_id = row_int8(row, "experiment_id"),
		.name = row_text(row, "name"),
		.artifact_location = row_text(row, "artifact_location"),
		.deleted = row_bool(row, "deleted"),
		.created_unix_ms = row_int8(row, "created_unix_ms"),
		.updated_unix_ms = row_int8(row, "updated_unix_ms"),
	};
	e->tags = row_pairs(row, "tag_keys", "tag_values", &e->tag_count);
	return OK;
}

static enum status
overview_from_row(struct row *row, void *out)
{
	struct experiment_overview *o = out;

	o->runs = row_int8(row, "runs");
	o->active_runs = row_int8(row, "active_runs");
	o->has_last_run = !row_null(row, "last_run_unix_ms");
	o->last_run_unix_ms = row_int8(row, "last_run_unix_ms");
	o->created_by = row_text(row, "created_by");
	o->created_token = row_text(row, "created_token");
	return experiment_from_row(row, &o->experiment);
}

enum status
store_experiment_insert(struct tx *tx, const struct experiment_create *in, int64_t now_unix_ms, int64_t *id)
{
	struct query q;

	query_init(&q, tx, &SQL_experiment_insert);
	query_text(&q, in->name);
	query_text(&q, in->artifact_location);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	return query_one(&q, row_read_int8, id);
}

static enum status
one_by_id(struct tx *tx, const struct statement *s, int64_t id, struct experiment *out)
{
	struct query q;

	query_init(&q, tx, s);
	query_int8(&q, id);
	return query_one(&q, experiment_from_row, out);
}

enum status
store_experiment_get(struct tx *tx, int64_t id, struct experiment *out)
{
	return one_by_id(tx, &SQL_experiment_get, id, out);
}

enum status
store_experiment_share(struct tx *tx, int64_t id, struct experiment *out)
{
	return one_by_id(tx, &SQL_experiment_share, id, out);
}

enum status
store_experiment_lock(struct tx *tx, int64_t id, struct experiment *out)
{
	return one_by_id(tx, &SQL_experiment_lock, id, out);
}

enum status
store_experiment_by_name(struct tx *tx, const char *name, struct experiment *out)
{
	struct query q;

	query_init(&q, tx, &SQL_experiment_by_name);
	query_text(&q, name);
	return query_one(&q, experiment_from_row, out);
}

enum status
store_experiment_list(struct tx *tx, enum view view, struct experiment **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_experiment_list);
	query_bool_or_null(&q, view != VIEW_ALL, view == VIEW_DELETED);
	return query_list(&q, experiment_from_row, sizeof(**out), out, n);
}

enum status
store_experiment_overview(struct tx *tx, enum view view, struct experiment_overview **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_experiment_overview);
	query_bool_or_null(&q, view != VIEW_ALL, view == VIEW_DELETED);
	return query_list(&q, overview_from_row, sizeof(**out), out, n);
}

enum status
store_experiment_rename(struct tx *tx, int64_t id, const char *name, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_experiment_rename);
	query_int8(&q, id);
	query_text(&q, name);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_experiment_set_deleted(struct tx *tx, int64_t id, bool deleted, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_experiment_set_deleted);
	query_int8(&q, id);
	query_bool(&q, deleted);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_experiment_tags_put(struct tx *tx, int64_t id, const struct key_value *tags, size_t n)
{
	struct query q;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_experiment_tags_put);
	query_int8(&q, id);
	query_pairs(&q, tags, n);
	return query_run(&q, NULL);
}

enum status
store_experiment_tag_delete(struct tx *tx, int64_t id, const char *key, bool *found)
{
	struct query q;
	int64_t gone = 0;
	enum status st;

	query_init(&q, tx, &SQL_experiment_tag_delete);
	query_int8(&q, id);
	query_text(&q, key);
	st = query_run(&q, &gone);
	*found = gone > 0;
	return st;
}
