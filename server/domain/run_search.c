/*
 * Searching runs: the hits are found in memory (search/columns.h), or, when that cannot be, the columns that filter and order name
 * are read for all candidates. Then the hits are read whole.
 */
#include "domain/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "domain/names.h"
#include "domain/page.h"
#include "ingest/ingest.h"
#include "search/columns.h"
#include "store/runs.h"

/* A candidate with the values of the columns that its row does not hold. */
struct candidate {
	struct run *run;
	struct search_value *extra; /* by slot */
};

struct candidates {
	struct ctx *cx;
	const struct search_column *columns;
	size_t column_count;
	struct candidate *list; /* by run_id */
	size_t n;
	enum search_entity entity; /* of the values that arrive just now */
};

static int
by_id(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->run->run_id > y->run->run_id) - (x->run->run_id < y->run->run_id);
}

static struct candidate *
candidate_of(const struct candidates *all, int64_t run_id)
{
	struct run run = { .run_id = run_id };
	struct candidate key = { .run = &run };

	return bsearch(&key, all->list, all->n, sizeof(key), by_id);
}

/* Datasets: a run may have several, so the values of a column gather. */
static void
add_text(struct ctx *cx, struct search_value *v, const char *text)
{
	const char **more = arena_array(cx->arena, v->text_count + 1, sizeof(*more));

	if (v->text_count > 0)
		memcpy(more, v->texts, v->text_count * sizeof(*more));
	more[v->text_count] = text;
	*v = (struct search_value){ .kind = VALUE_TEXTS, .texts = more, .text_count = v->text_count + 1 };
}

static void
take_value(void *arg, const struct candidate_value *in)
{
	const struct candidates *all = arg;
	struct candidate *c = candidate_of(all, in->run_id);

	for (size_t i = 0; c != NULL && i < all->column_count; i++) {
		struct search_value *v = &c->extra[all->columns[i].slot];

		if (all->columns[i].entity != all->entity || !str_eq(all->columns[i].name, in->key))
			continue;
		if (all->entity == ENTITY_DATASET)
			add_text(all->cx, v, in->value);
		else
			page_text(v, in->value);
	}
}

static size_t
keys_of(const struct candidates *all, enum search_entity entity, const char **keys)
{
	size_t n = 0;

	for (size_t i = 0; i < all->column_count; i++)
		if (all->columns[i].entity == entity)
			keys[n++] = all->columns[i].name;
	return n;
}

static enum status
load_metrics(struct tx *tx, struct candidates *all, const char *const *keys, size_t key_count)
{
	struct arena *arena = tx_ctx(tx)->arena;
	struct last_value *last = arena_array(arena, all->n * key_count, sizeof(*last)), *at = last;
	int64_t *ids = arena_array(arena, all->n, sizeof(*ids));
	enum status st;

	for (size_t i = 0; i < all->n; i++)
		ids[i] = all->list[i].run->run_id;
	if ((st = ingest_last(tx, ids, all->n, keys, key_count, last)) != OK)
		return st;
	for (size_t i = 0; i < all->n; i++)
		for (size_t c = 0; c < all->column_count; c++) /* keys_of() took them in this order */
			if (all->columns[c].entity == ENTITY_METRIC) {
				if (at->there)
					page_number(
						&all->list[i].extra[all->columns[c].slot], at->last.value);
				at++;
			}
	return OK;
}

static enum status
load_columns(struct tx *tx, struct candidates *all, const int64_t *experiments, size_t n)
{
	const char **keys = arena_array(tx_ctx(tx)->arena, all->column_count, sizeof(*keys));
	size_t count;
	enum status st;

	all->entity = ENTITY_PARAM;
	if ((count = keys_of(all, ENTITY_PARAM, keys)) > 0 &&
		(st = store_run_candidate_params(tx, experiments, n, keys, count, take_value, all)) != OK)
		return st;
	all->entity = ENTITY_TAG;
	if ((count = keys_of(all, ENTITY_TAG, keys)) > 0 &&
		(st = store_run_candidate_tags(tx, experiments, n, keys, count, take_value, all)) != OK)
		return st;
	all->entity = ENTITY_DATASET;
	if (keys_of(all, ENTITY_DATASET, keys) > 0 &&
		(st = store_run_candidate_datasets(tx, experiments, n, take_value, all)) != OK)
		return st;
	return (count = keys_of(all, ENTITY_METRIC, keys)) > 0 ? load_metrics(tx, all, keys, count) : OK;
}

static void
candidate_value(const void *row, const struct search_column *c, struct search_value *v)
{
	const struct candidate *candidate = row;
	const struct run *run = candidate->run;

	if (c->entity != ENTITY_ATTRIBUTE)
		*v = candidate->extra[c->slot];
	else if (str_eq(c->name, "run_id"))
		page_text(v, run->uuid);
	else if (str_eq(c->name, "run_name"))
		page_text(v, run->name);
	else if (str_eq(c->name, "user_id"))
		page_text(v, run->user_text);
	else if (str_eq(c->name, "status"))
		page_text(v, run_status_name(run->status));
	else if (str_eq(c->name, "artifact_uri"))
		page_text(v, run->artifact_uri);
	else if (str_eq(c->name, "start_time"))
		page_int(v, run->start_unix_ms);
	else if (str_eq(c->name, "end_time") && run->has_end)
		page_int(v, run->end_unix_ms);
}

static enum status
find_candidates(struct tx *tx, const struct page *page, const int64_t *experiments, size_t n, enum view view,
	struct candidates *all)
{
	struct ctx *cx = tx_ctx(tx);
	struct search_value *extra;
	struct run *runs;
	enum status st;

	all->cx = cx;
	all->columns = search_columns(page->search, &all->column_count);
	if ((st = store_run_candidates(tx, experiments, n, view, &runs, &all->n)) != OK)
		return st;
	all->list = arena_array(cx->arena, all->n, sizeof(*all->list));
	extra = arena_array(cx->arena, all->n * (all->column_count + 1), sizeof(*extra));
	for (size_t i = 0; i < all->n; i++)
		all->list[i] = (struct candidate){ &runs[i], extra + i * all->column_count };
	if (all->n > 1)
		qsort(all->list, all->n, sizeof(*all->list), by_id);
	return load_columns(tx, all, experiments, n);
}

static enum status
search_in_tx(struct tx *tx, const struct page *page, const int64_t *experiments, size_t n, enum view view,
	struct run **out, size_t *count, const char **next_token)
{
	struct ctx *cx = tx_ctx(tx);
	struct candidates all = { 0 };
	struct candidate *hits;
	int64_t *ids;
	enum status st;

	if ((st = find_candidates(tx, page, experiments, n, view, &all)) != OK ||
		(st = page_take(cx, page, all.list, all.n, (void **)&hits, count, next_token)) != OK)
		return st;
	ids = arena_array(cx->arena, *count, sizeof(*ids));
	for (size_t i = 0; i < *count; i++)
		ids[i] = hits[i].run->run_id;
	*out = arena_array(cx->arena, *count, sizeof(**out));
	return run_load_many(tx, ids, *count, *out);
}

/* Hits that are not kept whole in memory are read, and kept. */
static enum status
read_hits(struct ctx *cx, struct columns_hit *hits, size_t n, struct run *out)
{
	struct columns_hit *fresh = arena_array(cx->arena, n, sizeof(*fresh));
	struct run *runs = arena_array(cx->arena, n, sizeof(*runs));
	int64_t *ids = arena_array(cx->arena, n, sizeof(*ids));
	struct tx *tx = NULL;
	size_t count = 0;
	enum status st = OK;

	for (size_t i = 0; i < n; i++)
		if (hits[i].run == NULL) {
			ids[count] = hits[i].run_id;
			fresh[count] = hits[i];
			fresh[count].run = hits[i].run = &runs[count];
			count++;
		}
	if (count > 0 && (st = tx_auto(cx, &tx)) == OK)
		st = run_load_many(tx, ids, count, runs);
	tx_rollback(&tx);
	if (st != OK)
		return st;
	columns_keep(cx->parts->columns, fresh, count);
	for (size_t i = 0; i < n; i++)
		out[i] = *hits[i].run;
	return OK;
}

/* *served false: they must be looked for in the database. */
static enum status
search_in_memory(struct ctx *cx, const struct page *page, const int64_t *experiments, size_t n,
	enum view view, struct run **out, size_t *count, const char **next_token, bool *served)
{
	const struct columns_query q = { experiments, n, view, page->search, page->after, page->limit };
	struct columns_hit *hits;
	enum status st;

	*served = false;
	if (cx->parts->columns == NULL)
		return OK;
	st = columns_search(cx->parts->columns, cx, &q, &hits, count, next_token, served);
	if (st != OK || !*served)
		return st;
	*out = arena_array(cx->arena, *count, sizeof(**out));
	return read_hits(cx, hits, *count, *out);
}

enum status
run_search(struct ctx *cx, const char *const *experiment_ids, size_t id_count, const struct search_in *in,
	struct run **out, size_t *n, const char **next_token)
{
	struct page page = { .value = candidate_value, .size = sizeof(struct candidate) };
	int64_t *experiments = arena_array(cx->arena, id_count, sizeof(*experiments));
	struct tx *tx = NULL;
	bool served;
	enum status st;

	for (size_t i = 0; i < id_count; i++)
		if ((st = name_experiment_id(cx, experiment_ids[i], &experiments[i])) != OK)
			return st;
	if ((st = page_open(cx, SEARCH_RUNS, in, 50000, page_scope(cx, experiments, id_count, in->view),
		     &page)) != OK)
		return st;
	st = search_in_memory(cx, &page, experiments, id_count, in->view, out, n, next_token, &served);
	if (st != OK || served)
		return st;
	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = search_in_tx(tx, &page, experiments, id_count, in->view, out, n, next_token);
	tx_rollback(&tx);
	return st;
}
