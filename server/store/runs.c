#include "store/runs.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "store/pairs.h"
#include "store/query.h"
#include "store/sql.h"

static enum status
run_from_row(struct row *row, void *out)
{
	*(struct run *)out = (struct run){
		.run_id = row_int8(row, "run_id"),
		.uuid = row_text(row, "uuid"),
		.experiment_id = row_int8(row, "experiment_id"),
		.name = row_text(row, "name"),
		.user_text = row_text(row, "user_text"),
		.status = (enum run_status)row_int8(row, "status"),
		.start_unix_ms = row_int8(row, "start_unix_ms"),
		.has_end = !row_null(row, "end_unix_ms"),
		.end_unix_ms = row_int8(row, "end_unix_ms"),
		.artifact_uri = row_text(row, "artifact_uri"),
		.deleted = row_bool(row, "deleted"),
	};
	return OK;
}

static enum status
full_from_row(struct row *row, void *out)
{
	struct run *r = out;
	enum status st = run_from_row(row, out);

	r->params = row_pairs(row, "param_keys", "param_values", &r->param_count);
	r->tags = row_pairs(row, "tag_keys", "tag_values", &r->tag_count);
	r->has_inputs = row_bool(row, "has_inputs");
	r->has_outputs = row_bool(row, "has_outputs");
	return st;
}

enum status
store_run_insert(struct tx *tx, const struct run *in, int64_t now_unix_ms, struct run *out)
{
	struct query q;

	query_init(&q, tx, &SQL_run_insert);
	query_text(&q, in->uuid);
	query_int8(&q, in->experiment_id);
	query_text(&q, in->name);
	query_text(&q, in->user_text);
	query_int8(&q, in->start_unix_ms);
	query_pairs(&q, in->tags, in->tag_count);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	return query_one(&q, full_from_row, out);
}

static enum status
one_by_uuid(struct tx *tx, const struct statement *s, row_fn *read, const char *uuid, struct run *out)
{
	struct query q;

	query_init(&q, tx, s);
	query_text(&q, uuid);
	return query_one(&q, read, out);
}

enum status
store_run_get(struct tx *tx, const char *uuid, struct run *out)
{
	return one_by_uuid(tx, &SQL_run_get, full_from_row, uuid, out);
}

enum status
store_run_find(struct tx *tx, const char *uuid, struct run *out)
{
	return one_by_uuid(tx, &SQL_run_find, run_from_row, uuid, out);
}

enum status
store_run_share(struct tx *tx, const char *uuid, struct run *out)
{
	return one_by_uuid(tx, &SQL_run_share, run_from_row, uuid, out);
}

enum status
store_run_lock(struct tx *tx, const char *uuid, struct run *out)
{
	return one_by_uuid(tx, &SQL_run_lock, run_from_row, uuid, out);
}

enum status
store_run_lock_whole(struct tx *tx, const char *uuid, struct run *out)
{
	return one_by_uuid(tx, &SQL_run_lock_whole, run_from_row, uuid, out);
}

static enum status
origin_from_row(struct row *row, void *out)
{
	*(struct run_origin *)out = (struct run_origin){ row_int8(row, "created_unix_ms"),
		row_text(row, "created_by"), row_text(row, "created_token") };
	return OK;
}

enum status
store_run_origin(struct tx *tx, const char *uuid, struct run_origin *out)
{
	struct query q;

	query_init(&q, tx, &SQL_run_origin);
	query_text(&q, uuid);
	return query_one(&q, origin_from_row, out);
}

enum status
store_run_get_many(struct tx *tx, const int64_t *run_ids, size_t n, struct run **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_run_get_many);
	query_int8s(&q, run_ids, n);
	return query_list(&q, full_from_row, sizeof(**out), out, found);
}

enum status
store_run_find_many(struct tx *tx, const char *const *uuids, size_t n, struct run **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_run_find_many);
	query_texts(&q, uuids, n);
	return query_list(&q, run_from_row, sizeof(**out), out, found);
}

enum status
store_run_candidate_ids(struct tx *tx, const struct run_candidates *in, const int64_t **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_run_candidate_ids);
	query_int8s(&q, in->experiments, in->experiment_count);
	query_bool_or_null(&q, in->view != VIEW_ALL, in->view == VIEW_DELETED);
	query_int8(&q, in->above);
	query_int8(&q, (int64_t)in->most);
	return query_list(&q, row_read_int8, sizeof(**out), (void *)out, found);
}

enum status
store_run_candidates(struct tx *tx, const int64_t *run_ids, size_t n, struct run **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_run_candidates);
	query_int8s(&q, run_ids, n);
	return query_list(&q, run_from_row, sizeof(**out), out, found);
}

enum status
store_metric_key_count(struct tx *tx, const int64_t *experiments, size_t n, int64_t *count)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_key_count);
	query_int8s(&q, experiments, n);
	return query_one(&q, row_read_int8, count);
}

struct candidates {
	candidate_fn *each;
	void *arg;
};

static enum status
candidate_from_row(struct row *row, void *arg)
{
	const struct candidates *c = arg;

	c->each(c->arg, &(struct candidate_value){
				row_int8(row, "run_id"), row_text(row, "key"), row_text(row, "value") });
	return OK;
}

static enum status
candidate_dataset(struct row *row, void *arg)
{
	static const char *const columns[] = { "name", "digest", "context" };
	const struct candidates *c = arg;

	for (size_t i = 0; i < 3; i++)
		if (!row_null(row, columns[i]))
			c->each(c->arg, &(struct candidate_value){ row_int8(row, "run_id"), columns[i],
						row_text(row, columns[i]) });
	return OK;
}

static enum status
candidate_values(struct tx *tx, const struct statement *s, const int64_t *run_ids, size_t n,
	const char *const *keys, size_t key_count, struct candidates c)
{
	struct query q;

	query_init(&q, tx, s);
	query_int8s(&q, run_ids, n);
	query_texts(&q, keys, key_count);
	return query_each(&q, candidate_from_row, &c);
}

enum status
store_run_candidate_params(struct tx *tx, const int64_t *run_ids, size_t n, const char *const *keys,
	size_t key_count, candidate_fn *each, void *arg)
{
	return candidate_values(
		tx, &SQL_run_candidate_params, run_ids, n, keys, key_count, (struct candidates){ each, arg });
}

enum status
store_run_candidate_tags(struct tx *tx, const int64_t *run_ids, size_t n, const char *const *keys,
	size_t key_count, candidate_fn *each, void *arg)
{
	return candidate_values(
		tx, &SQL_run_candidate_tags, run_ids, n, keys, key_count, (struct candidates){ each, arg });
}

enum status
store_run_ids(struct tx *tx, int64_t experiment_id, const int64_t **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_run_ids);
	query_int8(&q, experiment_id);
	return query_list(&q, row_read_int8, sizeof(**out), (void *)out, n);
}

static enum status
searched_from_row(struct row *row, void *out)
{
	struct run *r = out;

	*r = (struct run){
		.run_id = row_int8(row, "run_id"),
		.uuid = row_text(row, "uuid"),
		.name = row_text(row, "name"),
		.user_text = row_text(row, "user_text"),
		.status = (enum run_status)row_int8(row, "status"),
		.start_unix_ms = row_int8(row, "start_unix_ms"),
		.has_end = !row_null(row, "end_unix_ms"),
		.end_unix_ms = row_int8(row, "end_unix_ms"),
		.artifact_uri = row_text(row, "artifact_uri"),
		.deleted = row_bool(row, "deleted"),
	};
	r->params = row_pairs(row, "param_keys", "param_values", &r->param_count);
	r->tags = row_pairs(row, "tag_keys", "tag_values", &r->tag_count);
	r->has_inputs = row_bool(row, "has_inputs");
	r->has_outputs = row_bool(row, "has_outputs");
	return OK;
}

enum status
store_run_rows(struct tx *tx, const int64_t *run_ids, size_t n, struct run **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_run_rows);
	query_int8s(&q, run_ids, n);
	return query_list(&q, searched_from_row, sizeof(**out), out, found);
}

enum status
store_run_row_datasets(struct tx *tx, const int64_t *run_ids, size_t n, candidate_fn *each, void *arg)
{
	struct candidates c = { each, arg };
	struct query q;

	query_init(&q, tx, &SQL_run_row_datasets);
	query_int8s(&q, run_ids, n);
	return query_each(&q, candidate_dataset, &c);
}

enum status
store_run_update(struct tx *tx, int64_t run_id, const struct run_update *in)
{
	struct query q;

	query_init(&q, tx, &SQL_run_update);
	query_int8(&q, run_id);
	query_text(&q, in->name);
	query_int8_or_null(&q, in->has_status, in->status);
	query_int8_or_null(&q, in->has_end, in->end_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_run_set_deleted(struct tx *tx, int64_t run_id, bool deleted, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_run_set_deleted);
	query_int8(&q, run_id);
	query_bool(&q, deleted);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_run_remove(struct tx *tx, int64_t run_id)
{
	struct query q;

	query_init(&q, tx, &SQL_run_remove);
	query_int8(&q, run_id);
	return query_run(&q, NULL);
}

static enum status
removable_from_row(struct row *row, void *out)
{
	struct removable_run *run = out;

	run->run_id = row_int8(row, "run_id");
	run->uuid = row_text(row, "uuid");
	run->deleted_unix_ms = row_int8(row, "deleted_unix_ms");
	return OK;
}

enum status
store_run_removable(struct tx *tx, int64_t before_unix_ms, const struct removable_run *after, int64_t most,
	struct removable_run **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_run_removable);
	query_int8(&q, before_unix_ms);
	query_int8(&q, after->run_id);
	query_int8(&q, after->deleted_unix_ms);
	query_int8(&q, most);
	return query_list(&q, removable_from_row, sizeof(**out), out, n);
}

enum status
store_run_tags_put(struct tx *tx, int64_t run_id, const struct key_value *tags, size_t n)
{
	struct query q;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_run_tags_put);
	query_int8(&q, run_id);
	query_pairs(&q, tags, n);
	return query_run(&q, NULL);
}

enum status
store_run_tag_get(struct tx *tx, int64_t run_id, const char *key, const char **value)
{
	struct query q;
	bool found;

	*value = NULL;
	query_init(&q, tx, &SQL_run_tag_get);
	query_int8(&q, run_id);
	query_text(&q, key);
	return query_maybe(&q, row_read_text, value, &found);
}

enum status
store_run_tag_delete(struct tx *tx, int64_t run_id, const char *key, bool *found)
{
	struct query q;
	int64_t gone = 0;
	enum status st;

	query_init(&q, tx, &SQL_run_tag_delete);
	query_int8(&q, run_id);
	query_text(&q, key);
	st = query_run(&q, &gone);
	*found = gone > 0;
	return st;
}

static enum status
conflict_from_row(struct row *row, void *out)
{
	*(struct param_conflict *)out = (struct param_conflict){ true, row_text(row, "key"),
		row_text(row, "old"), row_text(row, "new") };
	return OK;
}

enum status
store_params_put(struct tx *tx, int64_t run_id, const struct key_value *params, size_t n,
	struct param_conflict *conflict)
{
	struct query q;
	enum status st;
	int64_t added = 0;

	*conflict = (struct param_conflict){ 0 };
	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_param_put);
	query_int8(&q, run_id);
	query_pairs(&q, params, n);
	if ((st = query_run(&q, &added)) != OK || added == (int64_t)n)
		return st;
	query_init(&q, tx, &SQL_param_conflict);
	query_int8(&q, run_id);
	query_pairs(&q, params, n);
	return query_maybe(&q, conflict_from_row, conflict, &conflict->found);
}

static enum status
dataset_put_once(struct tx *tx, int64_t experiment_id, const struct dataset *d, int64_t *id)
{
	struct query q;

	query_init(&q, tx, &SQL_dataset_put);
	query_int8(&q, experiment_id);
	query_text(&q, d->name);
	query_text(&q, d->digest);
	query_text(&q, d->source_type);
	query_text(&q, d->source);
	query_text(&q, d->schema);
	query_text(&q, d->profile);
	return query_one(&q, row_read_int8, id);
}

/* Another transaction may make the same one meanwhile: a second statement then sees it. */
static enum status
dataset_put(struct tx *tx, int64_t experiment_id, const struct dataset *d, int64_t *id)
{
	enum status st = dataset_put_once(tx, experiment_id, d, id);

	return st == NOT_FOUND ? dataset_put_once(tx, experiment_id, d, id) : st;
}

static const char *
tags_json(struct ctx *cx, const struct key_value *tags, size_t n)
{
	struct buf b;
	struct jsonw w;
	const char *text;

	buf_init(&b, 16 << 20);
	jw_init(&w, &b);
	jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		jw_object(&w);
		jw_text_at(&w, "key", tags[i].key);
		jw_text_at(&w, "value", tags[i].value == NULL ? "" : tags[i].value);
		jw_end(&w);
	}
	jw_end(&w);
	text = arena_strn(cx->arena, b.data, b.len);
	buf_fini(&b);
	return text;
}

enum status
store_run_input_put(struct tx *tx, const struct run *run, const struct run_input *in)
{
	struct query q;
	int64_t dataset_id;
	enum status st;

	if ((st = dataset_put(tx, run->experiment_id, &in->dataset, &dataset_id)) != OK)
		return st;
	query_init(&q, tx, &SQL_run_input_put);
	query_int8(&q, run->run_id);
	query_int8(&q, dataset_id);
	query_json(&q, tags_json(tx_ctx(tx), in->tags, in->tag_count));
	return query_run(&q, NULL);
}

enum status
store_run_model_inputs_put(struct tx *tx, int64_t run_id, const char *const *models, size_t n)
{
	struct query q;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_run_model_inputs_put);
	query_int8(&q, run_id);
	query_texts(&q, models, n);
	return query_run(&q, NULL);
}

enum status
store_run_outputs_put(struct tx *tx, int64_t run_id, const struct run_output *outputs, size_t n)
{
	struct arena *arena = tx_ctx(tx)->arena;
	const char **models = arena_array(arena, n, sizeof(*models));
	int64_t *steps = arena_array(arena, n, sizeof(*steps));
	struct query q;

	if (n == 0)
		return OK;
	for (size_t i = 0; i < n; i++) {
		models[i] = outputs[i].model_uuid;
		steps[i] = outputs[i].step;
	}
	query_init(&q, tx, &SQL_run_model_outputs_put);
	query_int8(&q, run_id);
	query_texts(&q, models, n);
	query_int8s(&q, steps, n);
	return query_run(&q, NULL);
}

/* Links arrive ordered by run; a look-up table of the runs by id finds where they belong. */
struct links {
	struct run **by_id;
	size_t n;
};

static int
run_order(const void *a, const void *b)
{
	const struct run *x = *(struct run *const *)a, *y = *(struct run *const *)b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static struct run *
link_run(const struct links *l, int64_t run_id)
{
	struct run key = { .run_id = run_id }, *at = &key, **hit;

	hit = bsearch(&at, l->by_id, l->n, sizeof(*l->by_id), run_order);
	return hit == NULL ? NULL : *hit;
}

/* One more element at the end of an arena array that doubles. */
static void *
push(struct arena *arena, void *array, size_t *n, size_t size)
{
	char *old = *(char **)array;

	if (*n == 0 || (*n & (*n - 1)) == 0) {
		char *bigger = arena_array(arena, *n == 0 ? 1 : *n * 2, size);

		for (size_t i = 0; i < *n * size; i++)
			bigger[i] = old[i];
		*(char **)array = old = bigger;
	}
	return old + size * (*n)++;
}

static enum status
input_from_row(struct row *row, void *arg)
{
	struct run *run = link_run(arg, row_int8(row, "run_id"));
	struct run_input *in;

	if (run == NULL)
		return OK;
	in = push(row_ctx(row)->arena, &run->inputs, &run->input_count, sizeof(*in));
	*in = (struct run_input){ .dataset = {
					  row_text(row, "name"),
					  row_text(row, "digest"),
					  row_text(row, "source_type"),
					  row_text(row, "source"),
					  row_text(row, "schema"),
					  row_text(row, "profile"),
				  } };
	in->tags = row_pairs(row, "tag_keys", "tag_values", &in->tag_count);
	return OK;
}

static enum status
model_input_from_row(struct row *row, void *arg)
{
	struct run *run = link_run(arg, row_int8(row, "run_id"));

	if (run != NULL)
		*(const char **)push(row_ctx(row)->arena, &run->model_inputs, &run->model_input_count,
			sizeof(char *)) = row_text(row, "model_uuid");
	return OK;
}

static enum status
output_from_row(struct row *row, void *arg)
{
	struct run *run = link_run(arg, row_int8(row, "run_id"));

	if (run != NULL)
		*(struct run_output *)push(
			row_ctx(row)->arena, &run->outputs, &run->output_count, sizeof(struct run_output)) =
			(struct run_output){ row_text(row, "model_uuid"), row_int8(row, "step") };
	return OK;
}

static enum status
load_links(
	struct tx *tx, const struct statement *s, row_fn *read, const int64_t *ids, size_t n, struct links *l)
{
	struct query q;

	if (n == 0)
		return OK;
	query_init(&q, tx, s);
	query_int8s(&q, ids, n);
	return query_each(&q, read, l);
}

enum status
store_run_links(struct tx *tx, struct run *runs, size_t n)
{
	struct arena *arena = tx_ctx(tx)->arena;
	struct links l = { arena_array(arena, n, sizeof(struct run *)), n };
	int64_t *with_inputs = arena_array(arena, n, sizeof(int64_t)),
		*with_outputs = arena_array(arena, n, sizeof(int64_t));
	size_t inputs = 0, outputs = 0;
	enum status st;

	for (size_t i = 0; i < n; i++) {
		l.by_id[i] = &runs[i];
		if (runs[i].has_inputs)
			with_inputs[inputs++] = runs[i].run_id;
		if (runs[i].has_outputs)
			with_outputs[outputs++] = runs[i].run_id;
	}
	if (n > 1)
		qsort(l.by_id, n, sizeof(*l.by_id), run_order);
	if ((st = load_links(tx, &SQL_run_inputs, input_from_row, with_inputs, inputs, &l)) != OK ||
		(st = load_links(tx, &SQL_run_model_inputs, model_input_from_row, with_inputs, inputs, &l)) !=
			OK)
		return st;
	return load_links(tx, &SQL_run_model_outputs, output_from_row, with_outputs, outputs, &l);
}

enum status
store_model_points_put(struct tx *tx, const struct model_point *p, size_t n)
{
	struct arena *arena = tx_ctx(tx)->arena;
	const char **texts[5];
	double *values = arena_array(arena, n, sizeof(*values));
	int64_t *times = arena_array(arena, n, sizeof(*times)),
		*steps = arena_array(arena, n, sizeof(*steps));
	struct query q;

	if (n == 0)
		return OK;
	for (size_t t = 0; t < 5; t++)
		texts[t] = arena_array(arena, n, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		texts[0][i] = p[i].model_uuid;
		texts[1][i] = p[i].run_uuid;
		texts[2][i] = p[i].key;
		texts[3][i] = p[i].dataset_name;
		texts[4][i] = p[i].dataset_digest;
		values[i] = p[i].value;
		times[i] = p[i].time_unix_ms;
		steps[i] = p[i].step;
	}
	query_init(&q, tx, &SQL_logged_model_metrics_put);
	for (size_t t = 0; t < 3; t++)
		query_texts(&q, texts[t], n);
	query_float8s(&q, values, n);
	query_int8s(&q, times, n);
	query_int8s(&q, steps, n);
	query_texts(&q, texts[3], n);
	query_texts(&q, texts[4], n);
	return query_run(&q, NULL);
}

static enum status
summary_from_row(struct row *row, void *out)
{
	*(struct dataset_summary *)out = (struct dataset_summary){ row_int8(row, "experiment_id"),
		row_text(row, "name"), row_text(row, "digest"), row_text(row, "context") };
	return OK;
}

enum status
store_dataset_summaries(
	struct tx *tx, const int64_t *experiments, size_t n, struct dataset_summary **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_experiment_dataset_summaries);
	query_int8s(&q, experiments, n);
	return query_list(&q, summary_from_row, sizeof(**out), out, found);
}
