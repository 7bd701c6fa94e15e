#include "domain/experiment.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "domain/names.h"
#include "domain/page.h"
#include "store/experiments.h"

static enum status
not_found(struct ctx *cx, enum status st, int64_t id)
{
	if (st != NOT_FOUND)
		return st;
	return fail(cx, NOT_FOUND, "No Experiment with id=%lld exists", (long long)id);
}

/* Where artifacts may lie: our own proxy, or a store that the client reaches by itself. */
static enum status
check_location(struct ctx *cx, const char *location)
{
	if (str_empty(location))
		return OK;
	if (str_starts(location, "runs:"))
		return fail(cx, INVALID,
			"Artifact location cannot be a runs:/ URI. Given: '%.300s'; leave it out to keep "
			"artifacts in Cairn",
			location);
	if (str_starts(location, "mlflow-artifacts:"))
		return fail(cx, INVALID,
			"Artifact location '%.300s' lies inside Cairn, which gives each experiment a place "
			"of its own; leave it out",
			location);
	if (str_starts(location, "http:") || str_starts(location, "https:"))
		return fail(cx, INVALID,
			"'artifact_location' cannot use the 'http' scheme: no client writes to such a place. "
			"Given: "
			"'%.300s'",
			location);
	if (strpbrk(location, "#;") != NULL)
		return fail(cx, INVALID, "Artifact location '%.300s' must not hold '#' or ';'", location);
	return name_length(cx, "artifact_location", 2048, location);
}

enum status
experiment_create(struct ctx *cx, const struct experiment_create *in, int64_t *id)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_experiment(cx, in->name)) != OK ||
		(st = check_location(cx, in->artifact_location)) != OK)
		return st;
	for (size_t i = 0; i < in->tag_count; i++)
		if ((st = name_key(cx, "key", in->tags[i].key)) != OK ||
			(st = name_length(cx, "value", EXPERIMENT_TAG_LENGTH, in->tags[i].value)) != OK)
			return st;
	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	st = store_experiment_insert(tx, in, clock_unix_ms(), id);
	if (st == ALREADY_EXISTS)
		st = fail(cx, ALREADY_EXISTS, "Experiment(name=%s) already exists.", in->name);
	if (st != OK || (st = store_experiment_tags_put(tx, *id, in->tags, in->tag_count)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
experiment_get(struct ctx *cx, int64_t id, struct experiment *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = not_found(cx, store_experiment_get(tx, id, out), id);
	tx_rollback(&tx);
	return st;
}

enum status
experiment_get_by_name(struct ctx *cx, const char *name, struct experiment *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_experiment_by_name(tx, name, out);
	tx_rollback(&tx);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Could not find experiment with name '%s'", name);
	return st;
}

enum status
experiment_rename(struct ctx *cx, int64_t id, const char *name)
{
	struct experiment e;
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_experiment(cx, name)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = not_found(cx, store_experiment_lock(tx, id, &e), id)) != OK)
		goto out;
	if (e.deleted) {
		st = fail(cx, INVALID, "Cannot rename a non-active experiment.");
		goto out;
	}
	st = store_experiment_rename(tx, id, name, clock_unix_ms());
	if (st == ALREADY_EXISTS)
		st = fail(cx, ALREADY_EXISTS, "Experiment(name=%s) already exists.", name);
	if (st == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

static enum status
set_deleted(struct ctx *cx, int64_t id, bool deleted)
{
	struct experiment e;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK ||
		(st = not_found(cx, store_experiment_lock(tx, id, &e), id)) != OK)
		goto out;
	if (e.deleted == deleted) {
		st = fail(cx, NOT_FOUND, "No Experiment with id=%lld exists that is %s", (long long)id,
			deleted ? "active" : "deleted");
		goto out;
	}
	if ((st = store_experiment_set_deleted(tx, id, deleted, clock_unix_ms())) == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
experiment_delete(struct ctx *cx, int64_t id)
{
	return set_deleted(cx, id, true);
}

enum status
experiment_restore(struct ctx *cx, int64_t id)
{
	return set_deleted(cx, id, false);
}

/* The experiment, locked against deletion, and active. */
static enum status
share_active(struct tx *tx, int64_t id, struct experiment *e)
{
	enum status st = not_found(tx_ctx(tx), store_experiment_share(tx, id, e), id);

	if (st == OK && e->deleted)
		return fail(tx_ctx(tx), INVALID,
			"The experiment %lld must be in the 'active' state. Current state is deleted.",
			(long long)id);
	return st;
}

enum status
experiment_tag_set(struct ctx *cx, int64_t id, const char *key, const char *value)
{
	struct key_value tag = { key, value };
	struct experiment e;
	struct tx *tx = NULL;
	enum status st;

	if ((st = name_key(cx, "key", key)) != OK ||
		(st = name_length(cx, "value", EXPERIMENT_TAG_LENGTH, value)) != OK)
		return st;
	if ((st = tx_begin(cx, &tx)) == OK && (st = share_active(tx, id, &e)) == OK &&
		(st = store_experiment_tags_put(tx, id, &tag, 1)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
experiment_tag_delete(struct ctx *cx, int64_t id, const char *key)
{
	struct experiment e;
	struct tx *tx = NULL;
	bool found;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK || (st = share_active(tx, id, &e)) != OK ||
		(st = store_experiment_tag_delete(tx, id, key, &found)) != OK)
		goto out;
	st = found ? tx_commit(&tx)
		   : fail(cx, NOT_FOUND, "No tag with name: %s in experiment with id %lld", key,
			     (long long)id);
out:
	tx_rollback(&tx);
	return st;
}

enum status
experiment_overview(struct ctx *cx, enum view view, struct experiment_overview **out, size_t *n)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_experiment_overview(tx, view, out, n);
	tx_rollback(&tx);
	return st;
}

static void
attribute(const void *row, const struct search_column *c, struct search_value *v)
{
	const struct experiment *e = row;

	if (c->entity == ENTITY_TAG)
		page_pair(e->tags, e->tag_count, c->name, v);
	else if (str_eq(c->name, "name"))
		page_text(v, e->name);
	else if (str_eq(c->name, "creation_time"))
		page_int(v, e->created_unix_ms);
	else if (str_eq(c->name, "last_update_time"))
		page_int(v, e->updated_unix_ms);
	else if (str_eq(c->name, "experiment_id"))
		page_int(v, e->experiment_id);
}

enum status
experiment_search(struct ctx *cx, const struct search_in *in, struct experiment **out, size_t *n,
	const char **next_token)
{
	struct page page = { .value = attribute, .size = sizeof(struct experiment) };
	struct tx *tx = NULL;
	enum status st;

	if ((st = page_open(cx, SEARCH_EXPERIMENTS, in, 50000, page_scope(cx, NULL, 0, in->view), &page)) !=
		OK)
		return st;
	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_experiment_list(tx, in->view, out, n);
	tx_rollback(&tx);
	if (st != OK)
		return st;
	return page_take(cx, &page, *out, *n, (void **)out, n, next_token);
}
