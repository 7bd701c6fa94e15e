#include "domain/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "domain/names.h"
#include "ingest/ingest.h"
#include "store/experiments.h"
#include "store/runs.h"

#define NAME_TAG "mlflow.runName"

static const char *const status_names[] = { NULL, "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED" };

const char *
run_status_name(enum run_status s)
{
	return status_names[s];
}

bool
run_status_from(const char *name, enum run_status *out)
{
	for (int i = RUN_RUNNING; i <= RUN_KILLED; i++)
		if (str_eq(name, status_names[i]) || (name[0] == '0' + i && name[1] == '\0')) {
			*out = (enum run_status)i;
			return true;
		}
	return false;
}

static enum status
not_found(struct ctx *cx, enum status st, const char *uuid)
{
	return st == NOT_FOUND ? fail(cx, NOT_FOUND, "Run with id=%s not found", uuid) : st;
}

static enum status
must_be(struct ctx *cx, enum status st, const struct run *run, bool deleted)
{
	if (st != OK || run->deleted == deleted)
		return st;
	return fail(cx, INVALID, "The run %s must be in the '%s' state. Current state is %s.", run->uuid,
		deleted ? "deleted" : "active", deleted ? "active" : "deleted");
}

/* The run, locked against deletion, and active. */
static enum status
share_active(struct tx *tx, const char *uuid, struct run *run)
{
	struct ctx *cx = tx_ctx(tx);

	return must_be(cx, not_found(cx, store_run_share(tx, uuid, run), uuid), run, false);
}

/* ---- start ---- */

static const char *
tag_value(const struct key_value *tags, size_t n, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < n; i++)
		if (str_eq(tags[i].key, key))
			value = tags[i].value; /* of twins the last counts */
	return value;
}

/* run_name, else the tag, else a random one; both given must agree. */
static enum status
choose_name(struct ctx *cx, const struct run_create *in, const char **out)
{
	const char *tag = tag_value(in->tags, in->tag_count, NAME_TAG);

	if (!str_empty(in->run_name) && !str_empty(tag) && !str_eq(in->run_name, tag))
		return fail(cx, INVALID,
			"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different "
			"values "
			"(run_name='%s', mlflow.runName='%s').",
			in->run_name, tag);
	*out = !str_empty(in->run_name) ? in->run_name : !str_empty(tag) ? tag : name_random(cx);
	return OK;
}

/* The name is a tag too, the last. */
static struct key_value *
tags_with_name(struct ctx *cx, const struct run_create *in, const char *name)
{
	struct key_value *tags = arena_array(cx->arena, in->tag_count + 1, sizeof(*tags));

	if (in->tag_count > 0)
		memcpy(tags, in->tags, in->tag_count * sizeof(*tags));
	tags[in->tag_count] = (struct key_value){ NAME_TAG, name };
	return tags;
}

static enum status
insert_run(struct ctx *cx, const struct run *in, struct run *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_change(cx, &tx)) == OK)
		st = store_run_insert(tx, in, clock_unix_ms(), out);
	if (st == NOT_FOUND)
		st = fail(cx, NOT_FOUND, "No Experiment with id=%lld exists", (long long)in->experiment_id);
	if (st == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
run_start(struct ctx *cx, const struct run_create *in, struct run *out)
{
	char *uuid = arena_alloc(cx->arena, 33);
	struct run run = {
		.uuid = uuid,
		.user_text = in->user_id == NULL ? "" : in->user_id,
		.start_unix_ms = in->start_time,
		.tag_count = in->tag_count + 1,
	};
	enum status st;

	if ((st = name_experiment_id(cx, in->experiment_id, &run.experiment_id)) != OK ||
		(st = name_first_tags(cx, in->tags, in->tag_count)) != OK ||
		(st = choose_name(cx, in, &run.name)) != OK)
		return st;
	random_hex(uuid, 16);
	run.name = name_cut(cx, TAG_VALUE_LENGTH, run.name);
	run.tags = tags_with_name(cx, in, run.name);
	if ((st = insert_run(cx, &run, out)) != OK)
		return st;
	if (out->deleted) /* the experiment, and there is no run */
		return fail(cx, INVALID,
			"The experiment %lld must be in the 'active' state. Current state is deleted.",
			(long long)run.experiment_id);
	return OK;
}

/* ---- read ---- */

/* Metrics and links of runs that have just been read. */
static enum status
load_rest(struct tx *tx, struct run *runs, size_t n)
{
	struct arena *arena = tx_ctx(tx)->arena;
	int64_t *ids = arena_array(arena, n, sizeof(*ids));
	struct run_latest *metrics = arena_array(arena, n, sizeof(*metrics));
	enum status st;

	for (size_t i = 0; i < n; i++) {
		ids[i] = runs[i].run_id;
		runs[i].metrics = &metrics[i];
	}
	if ((st = ingest_latest(tx, ids, n, metrics)) != OK)
		return st;
	return store_run_links(tx, runs, n);
}

enum status
run_get(struct ctx *cx, const char *uuid, struct run *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK && (st = not_found(cx, store_run_get(tx, uuid, out), uuid)) == OK)
		st = load_rest(tx, out, 1);
	tx_rollback(&tx);
	return st;
}

enum status
run_find(struct ctx *cx, const char *uuid, struct run *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = not_found(cx, store_run_find(tx, uuid, out), uuid);
	tx_rollback(&tx);
	return st;
}

enum status
run_origin(struct ctx *cx, const char *uuid, struct run_origin *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = not_found(cx, store_run_origin(tx, uuid, out), uuid);
	tx_rollback(&tx);
	return st;
}

static int
by_run_id(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

enum status
run_load_many(struct tx *tx, const int64_t *run_ids, size_t n, struct run *out)
{
	struct run *found;
	size_t count;
	enum status st;

	if (n == 0)
		return OK;
	if ((st = store_run_get_many(tx, run_ids, n, &found, &count)) != OK ||
		(st = load_rest(tx, found, count)) != OK)
		return st;
	if (count > 1)
		qsort(found, count, sizeof(*found), by_run_id);
	for (size_t i = 0; i < n; i++) {
		struct run key = { .run_id = run_ids[i] }, *hit = NULL;

		if (count > 0)
			hit = bsearch(&key, found, count, sizeof(key), by_run_id);
		out[i] = hit == NULL ? key : *hit;
	}
	return OK;
}

/* ---- change ---- */

enum status
run_update(struct ctx *cx, const struct run_update *in, struct run *out)
{
	struct run_update change = *in;
	struct tx *tx = NULL;
	enum status st;

	change.name = str_empty(in->name) ? NULL : name_cut(cx, TAG_VALUE_LENGTH, in->name);
	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = must_be(cx, not_found(cx, store_run_lock(tx, in->uuid, out), in->uuid), out, false)) !=
			OK ||
		(st = store_run_update(tx, out->run_id, &change)) != OK)
		goto out;
	if (change.name != NULL && (st = store_run_tags_put(tx, out->run_id,
					    &(struct key_value){ NAME_TAG, change.name }, 1)) != OK)
		goto out;
	if ((st = store_run_find(tx, in->uuid, out)) == OK)
		st = tx_commit(&tx);
	if (st == OK && in->has_status && in->status >= RUN_FINISHED)
		ingest_run_ended(cx->parts->ingest, out->run_id);
out:
	tx_rollback(&tx);
	return st;
}

static enum status
set_deleted(struct ctx *cx, const char *uuid, bool deleted)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = not_found(cx, store_run_lock_whole(tx, uuid, &run), uuid)) != OK)
		goto out;
	if (run.deleted != deleted &&
		(st = store_run_set_deleted(tx, run.run_id, deleted, clock_unix_ms())) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
run_delete(struct ctx *cx, const char *uuid)
{
	return set_deleted(cx, uuid, true);
}

enum status
run_restore(struct ctx *cx, const char *uuid)
{
	return set_deleted(cx, uuid, false);
}

/* ---- params and tags ---- */

static enum status
put_params(struct tx *tx, const struct run *run, const struct key_value *params, size_t n)
{
	struct param_conflict conflict;
	enum status st = store_params_put(tx, run->run_id, params, n, &conflict);

	if (st == OK && conflict.found)
		return fail(tx_ctx(tx), INVALID,
			"Changing param values is not allowed. Param with key='%.100s' was already logged "
			"with value='%.200s' for run "
			"ID='%s'. Attempted logging new value '%.200s'.",
			conflict.key, conflict.old, run->uuid, conflict.new);
	return st;
}

/* The tags without that of the name. */
static const struct key_value *
but_name(struct arena *arena, const struct key_value *tags, size_t *n)
{
	struct key_value *out = arena_array(arena, *n, sizeof(*out));
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (!str_eq(tags[i].key, NAME_TAG))
			out[kept++] = tags[i];
	*n = kept;
	return out;
}

/* Setting the name's tag renames the run; an empty name is as if it had not been sent. */
static enum status
put_tags(struct tx *tx, const struct run *run, const struct key_value *tags, size_t n)
{
	const char *name = tag_value(tags, n, NAME_TAG);
	enum status st;

	if (name != NULL && *name == '\0') {
		tags = but_name(tx_ctx(tx)->arena, tags, &n);
		name = NULL;
	}
	if (name != NULL &&
		(st = store_run_update(tx, run->run_id, &(struct run_update){ .name = name })) != OK)
		return st;
	return store_run_tags_put(tx, run->run_id, tags, n);
}

enum status
run_param_log(struct ctx *cx, const char *uuid, struct key_value *param)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_params(cx, NULL, param, 1)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK && (st = share_active(tx, uuid, &run)) == OK &&
		(st = put_params(tx, &run, param, 1)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
run_tag_set(struct ctx *cx, const char *uuid, struct key_value *tag)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_run_tags(cx, NULL, tag, 1)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK && (st = share_active(tx, uuid, &run)) == OK &&
		(st = put_tags(tx, &run, tag, 1)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
run_tag_delete(struct ctx *cx, const char *uuid, const char *key)
{
	struct run run;
	struct tx *tx = NULL;
	bool found;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK || (st = share_active(tx, uuid, &run)) != OK ||
		(st = store_run_tag_delete(tx, run.run_id, key, &found)) != OK)
		goto out;
	st = found ? tx_commit(&tx)
		   : fail(cx, NOT_FOUND, "No tag with name: %s in run with id %s", key, uuid);
out:
	tx_rollback(&tx);
	return st;
}

/* ---- log-batch ---- */

static enum status
unique_params(struct ctx *cx, const struct key_value *params, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(params[i].key, params[k].key))
				return fail(cx, INVALID,
					"Duplicate parameter keys have been submitted: ['%s']. Please ensure "
					"the request contains only one "
					"param value per param key.",
					params[i].key);
	return OK;
}

/* Where a point stands in the request: "metrics[3].name", or "name" when it is the only one. */
static const char *
point_path(struct ctx *cx, bool single, size_t i, const char *field)
{
	return single ? field : arena_printf(cx->arena, "metrics[%zu].%s", i, field);
}

static enum status
check_time(struct ctx *cx, bool single, size_t i, const struct point *p)
{
	if (p->time_unix_ms >= 0)
		return OK;
	return fail(cx, INVALID,
		"Invalid value %lld for parameter '%s' supplied: metric '%s' (value=%g). "
		"Timestamp must be a nonnegative long "
		"(64-bit integer)",
		(long long)p->time_unix_ms, point_path(cx, single, i, "timestamp"), p->key, p->value);
}

/* Keys found good: scanners hand out the same pointer for the same key, again and again. */
#define GOOD_KEYS 64

static bool
known_good(const char **good, const char *key)
{
	size_t at = (size_t)((uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % GOOD_KEYS;
	const char **place = &good[at];

	if (*place == key && key != NULL)
		return true;
	if (!name_key_good(key))
		return false;
	*place = key;
	return true;
}

static enum status
check_points(struct ctx *cx, const struct run_batch *in)
{
	const char *good[GOOD_KEYS] = { NULL };
	enum status st = OK;

	for (size_t i = 0; st == OK && i < in->point_count; i++) {
		const struct point *p = &in->points[i];

		if (!known_good(good, p->key))
			return name_key(cx, point_path(cx, in->single, i, "name"), p->key);
		st = check_time(cx, in->single, i, p);
	}
	return st;
}

enum status
run_points_check(struct ctx *cx, const char *uuid, const char *const *names, size_t name_count,
	const struct point *points, size_t n)
{
	enum status st = name_run_uuid(cx, "run_id", uuid);

	for (size_t i = 0; st == OK && i < name_count; i++)
		if (!name_key_good(names[i]))
			st = name_key(cx, arena_printf(cx->arena, "names[%zu]", i), names[i]);
	for (size_t i = 0; st == OK && i < n; i++)
		st = check_time(cx, false, i, &points[i]);
	return st;
}

enum status
run_batch_check(struct ctx *cx, struct run_batch *in)
{
	enum status st;

	if ((st = name_run_uuid(cx, "run_id", in->uuid)) != OK ||
		(st = name_batch(
			 cx, in->point_count + in->model_point_count, in->param_count, in->tag_count)) != OK)
		return st;
	if ((st = check_points(cx, in)) != OK ||
		(st = name_params(cx, "params", in->params, in->param_count)) != OK ||
		(st = name_run_tags(cx, "tags", in->tags, in->tag_count)) != OK)
		return st;
	return unique_params(cx, in->params, in->param_count);
}

enum status
run_log_batch(struct ctx *cx, const struct run_batch *in)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK || (st = share_active(tx, in->uuid, &run)) != OK ||
		(st = put_params(tx, &run, in->params, in->param_count)) != OK ||
		(st = put_tags(tx, &run, in->tags, in->tag_count)) != OK ||
		(st = store_model_points_put(tx, in->model_points, in->model_point_count)) != OK)
		goto out;
	if (in->point_count > 0 && (st = ingest_write(cx->parts->ingest, tx, run.run_id, run.experiment_id,
					    in->points, in->point_count)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}
