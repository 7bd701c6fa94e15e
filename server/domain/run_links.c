/* What a run used and made: datasets, logged models, and the history of models that old clients keep in a tag. */
#include "domain/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "domain/names.h"
#include "store/runs.h"

#define LOG_MODEL_TAG "mlflow.log-model.history"

static enum status
active_run(struct tx *tx, const char *uuid, bool changes, struct run *run)
{
	struct ctx *cx = tx_ctx(tx);
	enum status st = changes ? store_run_lock(tx, uuid, run) : store_run_share(tx, uuid, run);

	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Run with id=%s not found", uuid);
	if (st == OK && run->deleted)
		return fail(cx, INVALID,
			"The run %s must be in the 'active' state. Current state is deleted.", uuid);
	return st;
}

static enum status
need(struct ctx *cx, size_t i, const char *field, const char *value)
{
	if (!str_empty(value))
		return OK;
	return fail(
		cx, INVALID, "Missing value for required parameter 'datasets[%zu].dataset.%s'.", i, field);
}

static enum status
check_input(struct ctx *cx, size_t i, const struct run_input *in)
{
	const struct dataset *d = &in->dataset;
	enum status st;

	if ((st = need(cx, i, "name", d->name)) != OK || (st = need(cx, i, "digest", d->digest)) != OK ||
		(st = need(cx, i, "source_type", d->source_type)) != OK ||
		(st = need(cx, i, "source", d->source)) != OK ||
		(st = name_length(cx, "name", DATASET_NAME_LENGTH, d->name)) != OK ||
		(st = name_length(cx, "digest", DATASET_DIGEST_LENGTH, d->digest)) != OK ||
		(st = name_length(cx, "source", DATASET_SOURCE_LENGTH, d->source)) != OK ||
		(st = name_length(cx, "schema", DATASET_SCHEMA_LENGTH, d->schema)) != OK ||
		(st = name_length(cx, "profile", DATASET_PROFILE_LENGTH, d->profile)) != OK)
		return st;
	for (size_t t = 0; t < in->tag_count; t++)
		if ((st = name_length(cx, "key", INPUT_TAG_KEY_LENGTH, in->tags[t].key)) != OK ||
			(st = name_length(cx, "value", INPUT_TAG_VALUE_LENGTH, in->tags[t].value)) != OK)
			return st;
	return OK;
}

enum status
run_log_inputs(struct ctx *cx, const char *uuid, const struct run_input *inputs, size_t n,
	const char *const *models, size_t model_count)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	for (size_t i = 0; i < n; i++)
		if ((st = check_input(cx, i, &inputs[i])) != OK)
			return st;
	for (size_t i = 0; i < model_count; i++)
		if ((st = name_length(cx, "model_id", ID_LENGTH, models[i])) != OK)
			return st;
	if ((st = tx_begin(cx, &tx)) != OK || (st = active_run(tx, uuid, false, &run)) != OK)
		goto out;
	for (size_t i = 0; i < n; i++)
		if ((st = store_run_input_put(tx, &run, &inputs[i])) != OK)
			goto out;
	if ((st = store_run_model_inputs_put(tx, run.run_id, models, model_count)) == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status
check_outputs(struct ctx *cx, const struct run_output *outputs, size_t n)
{
	const char **sorted = arena_array(cx->arena, n, sizeof(*sorted));
	enum status st;

	for (size_t i = 0; i < n; i++) {
		sorted[i] = outputs[i].model_uuid;
		if ((st = name_length(cx, "model_id", ID_LENGTH, sorted[i])) != OK)
			return st;
	}
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 1; i < n; i++)
		if (str_eq(sorted[i], sorted[i - 1]))
			return fail(cx, INVALID,
				"Model '%.100s' is named twice in 'models'; name each model once", sorted[i]);
	return OK;
}

enum status
run_log_outputs(struct ctx *cx, const char *uuid, const struct run_output *outputs, size_t n)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	if ((st = check_outputs(cx, outputs, n)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK && (st = active_run(tx, uuid, false, &run)) == OK &&
		(st = store_run_outputs_put(tx, run.run_id, outputs, n)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

/* The description of a model must hold what clients read from it. */
static enum status
check_model_json(struct ctx *cx, const char *text, const struct json **out)
{
	static const char *const needed[] = { "artifact_path", "flavors", "utc_time_created", "run_id" };
	const struct json *model;

	if (json_parse(cx, text, strlen(text), out) != OK || json_kind(model = *out) != JSON_KIND_OBJECT)
		return fail(cx, INVALID, "Malformed model info. \"model_json\" is not a JSON object.");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (json_member(model, needed[i]) == NULL)
			return fail(cx, INVALID, "Model json is missing mandatory fields: %s", needed[i]);
	if (json_kind(json_member(model, "flavors")) != JSON_KIND_OBJECT)
		return fail(cx, INVALID, "Malformed model info. \"flavors\" is not a JSON object.");
	return OK;
}

static void
write_json_at(struct ctx *cx, struct jsonw *w, const char *key, const struct json *v)
{
	const char *text = v == NULL ? "null" : json_dump(cx, v);

	jw_key(w, key);
	jw_raw(w, text, strlen(text));
}

/* A flavor without its "config", which may be large. */
static void
write_flavor(struct ctx *cx, struct jsonw *w, const char *name, const struct json *flavor)
{
	if (json_kind(flavor) != JSON_KIND_OBJECT) {
		write_json_at(cx, w, name, flavor);
		return;
	}
	jw_object_at(w, name);
	for (size_t i = 0; i < json_length(flavor); i++)
		if (!str_eq(json_name(flavor, i), "config"))
			write_json_at(cx, w, json_name(flavor, i), json_at(flavor, i));
	jw_end(w);
}

/* What the tag keeps of a model: where it is, and its flavors; signatures and examples stay in its files. */
static const char *
summary_of(struct ctx *cx, const struct json *model)
{
	static const char *const kept[] = { "run_id", "artifact_path", "utc_time_created", "model_uuid" };
	const struct json *flavors = json_member(model, "flavors");
	struct buf b;
	struct jsonw w;
	const char *out;

	buf_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_object(&w);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		write_json_at(cx, &w, kept[i], json_member(model, kept[i]));
	jw_object_at(&w, "flavors");
	for (size_t i = 0; i < json_length(flavors); i++)
		write_flavor(cx, &w, json_name(flavors, i), json_at(flavors, i));
	jw_end(&w);
	jw_end(&w);
	out = arena_strn(cx->arena, b.data, b.len);
	buf_fini(&b);
	return out;
}

enum status
run_log_model(struct ctx *cx, const char *uuid, const char *model_json)
{
	const struct json *model;
	struct run run;
	struct tx *tx = NULL;
	const char *old;
	char *list;
	enum status st;

	if ((st = check_model_json(cx, model_json, &model)) != OK)
		return st;
	model_json = summary_of(cx, model);
	if ((st = tx_begin(cx, &tx)) != OK || (st = active_run(tx, uuid, true, &run)) != OK ||
		(st = store_run_tag_get(tx, run.run_id, LOG_MODEL_TAG, &old)) != OK)
		goto out;
	if (old != NULL && str_ends(old, "]"))
		list = arena_printf(cx->arena, "%.*s, %s]", (int)strlen(old) - 1, old, model_json);
	else
		list = arena_printf(cx->arena, "[%s]", model_json);
	if ((st = store_run_tags_put(tx, run.run_id, &(struct key_value){ LOG_MODEL_TAG, list }, 1)) == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

#define DATASET_EXPERIMENTS 20

enum status
run_datasets(struct ctx *cx, const char *const *experiment_ids, size_t n, struct dataset_summary **out,
	size_t *found)
{
	int64_t *ids = arena_array(cx->arena, n, sizeof(*ids));
	struct tx *tx = NULL;
	enum status st;

	if (n == 0)
		return fail(cx, INVALID,
			"Missing value for required parameter 'experiment_ids': name 1 to %d experiments",
			DATASET_EXPERIMENTS);
	if (n > DATASET_EXPERIMENTS)
		return fail(cx, INVALID,
			"SearchDatasets request cannot specify more than %d experiment_ids. Received %zu "
			"experiment_ids.",
			DATASET_EXPERIMENTS, n);
	for (size_t i = 0; i < n; i++)
		if ((st = name_experiment_id(cx, experiment_ids[i], &ids[i])) != OK)
			return st;
	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_dataset_summaries(tx, ids, n, out, found);
	tx_rollback(&tx);
	return st;
}
