/*
 * Searching runs: the hits are found in memory (search/columns.h), or, when that cannot be, all candidates are read, block by
 * block, with the columns that filter and order name, and only the page is kept. Then the hits are read whole.
 */
#include "domain/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "domain/names.h"
#include "domain/page.h"
#include "ingest/ingest.h"
#include "search/aggregate.h"
#include "search/block.h"
#include "search/best.h"
#include "search/columns.h"
#include "store/runs.h"

#define LISTED 65536 /* run_ids that are listed at a time */

/* A candidate with the values of the columns that its row does not hold. */
struct candidate {
	struct run *run;
	struct search_value *extra; /* by slot */
};

/* A block of candidates. */
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

static bool
names_aggregates(const struct candidates *all)
{
	for (size_t i = 0; i < all->column_count; i++)
		if (all->columns[i].aggregate != AGGREGATE_LAST)
			return true;
	return false;
}

static int64_t *
ids_of(const struct candidates *all)
{
	int64_t *ids = arena_array(all->cx->arena, all->n, sizeof(*ids));

	for (size_t i = 0; i < all->n; i++)
		ids[i] = all->list[i].run->run_id;
	return ids;
}

static enum status
load_last(struct tx *tx, struct candidates *all, const char *const *keys, size_t key_count)
{
	struct last_value *last = arena_array(all->cx->arena, all->n * key_count, sizeof(*last)), *at = last;
	enum status st;

	if ((st = ingest_last(tx, ids_of(all), all->n, keys, key_count, last)) != OK)
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
load_aggregates(struct tx *tx, struct candidates *all)
{
	struct run_latest *found = arena_array(all->cx->arena, all->n, sizeof(*found));
	enum status st = ingest_latest(tx, ids_of(all), all->n, found);

	for (size_t i = 0; st == OK && i < all->n; i++)
		for (size_t c = 0; c < all->column_count; c++) {
			const struct search_column *column = &all->columns[c];
			const struct latest *l = column->entity == ENTITY_METRIC
							 ? aggregate_source(&found[i], column->name)
							 : NULL;

			if (l != NULL)
				page_number(&all->list[i].extra[column->slot],
					aggregate_of(l, column->aggregate));
		}
	return st;
}

static enum status
load_columns(struct tx *tx, struct candidates *all)
{
	const char **keys = arena_array(all->cx->arena, all->column_count, sizeof(*keys));
	const int64_t *ids = ids_of(all);
	size_t count;
	enum status st;

	all->entity = ENTITY_PARAM;
	if ((count = keys_of(all, ENTITY_PARAM, keys)) > 0 &&
		(st = store_run_candidate_params(tx, ids, all->n, keys, count, take_value, all)) != OK)
		return st;
	all->entity = ENTITY_TAG;
	if ((count = keys_of(all, ENTITY_TAG, keys)) > 0 &&
		(st = store_run_candidate_tags(tx, ids, all->n, keys, count, take_value, all)) != OK)
		return st;
	all->entity = ENTITY_DATASET;
	if (keys_of(all, ENTITY_DATASET, keys) > 0 &&
		(st = store_run_row_datasets(tx, ids, all->n, take_value, all)) != OK)
		return st;
	if (names_aggregates(all))
		return load_aggregates(tx, all);
	return (count = keys_of(all, ENTITY_METRIC, keys)) > 0 ? load_last(tx, all, keys, count) : OK;
}

static void
candidate_value(const struct candidate *candidate, const struct search_column *c, struct search_value *v)
{
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

static void
offer_all(const struct candidates *all, struct best *best)
{
	struct search_value *values = arena_array(all->cx->arena, all->column_count + 1, sizeof(*values));

	for (size_t i = 0; i < all->n; i++) {
		memset(values, 0, all->column_count * sizeof(*values));
		for (size_t c = 0; c < all->column_count; c++)
			candidate_value(&all->list[i], &all->columns[c], &values[all->columns[c].slot]);
		best_offer(best, all->list[i].run->run_id, values);
	}
}

/* What a search of the database works with. */
struct streaming {
	const struct page *page;
	struct run_candidates next;
	struct best *best;
	size_t most; /* runs that are read at a time */
};

static enum status
read_block(struct tx *tx, const struct streaming *s, const int64_t *ids, size_t n)
{
	struct candidates all = { .cx = tx_ctx(tx) };
	struct search_value *extra;
	struct run *runs;
	enum status st;

	all.columns = search_columns(s->page->search, &all.column_count);
	if ((st = store_run_candidates(tx, ids, n, &runs, &all.n)) != OK || all.n == 0)
		return st;
	all.list = arena_array(all.cx->arena, all.n, sizeof(*all.list));
	extra = arena_array(all.cx->arena, all.n * (all.column_count + 1), sizeof(*extra));
	for (size_t i = 0; i < all.n; i++)
		all.list[i] = (struct candidate){ &runs[i], extra + i * all.column_count };
	qsort(all.list, all.n, sizeof(*all.list), by_id);
	if ((st = load_columns(tx, &all)) == OK)
		offer_all(&all, s->best);
	return st;
}

/* The block's memory is its own: no more than one is there at a time. */
static enum status
read_blocks(struct tx *tx, const struct streaming *s, const int64_t *ids, size_t n)
{
	struct ctx *cx = tx_ctx(tx);
	struct arena *own = cx->arena, *scratch = arena_new();
	enum status st = OK;
	size_t count;

	cx->arena = scratch;
	for (size_t i = 0, block = BLOCK_FIRST; st == OK && i < n; i += count) {
		arena_reset(scratch);
		count = n - i < block ? n - i : block;
		st = read_block(tx, s, ids + i, count);
		block = block_next(block, s->most, scratch);
	}
	cx->arena = own;
	arena_free(scratch);
	return st;
}

static enum status
choose_block(struct tx *tx, struct streaming *s)
{
	struct candidates all = { 0 };
	int64_t keys = 0;
	enum status st;

	all.columns = search_columns(s->page->search, &all.column_count);
	s->most = BLOCK_RUNS;
	if (!names_aggregates(&all))
		return OK;
	st = store_metric_key_count(tx, s->next.experiments, s->next.experiment_count, &keys);
	s->most = block_most(keys);
	return st;
}

static enum status
read_candidates(struct tx *tx, struct streaming *s)
{
	const int64_t *ids;
	size_t n = LISTED;
	enum status st = choose_block(tx, s);

	for (s->next.above = INT64_MIN; st == OK && n == LISTED;) {
		if ((st = store_run_candidate_ids(tx, &s->next, &ids, &n)) == OK && n > 0) {
			s->next.above = ids[n - 1];
			st = read_blocks(tx, s, ids, n);
		}
	}
	return st;
}

static enum status
search_in_database(struct ctx *cx, const struct page *page, const struct run_candidates *candidates,
	struct run **out, size_t *count, const char **next_token)
{
	struct streaming s = { .page = page, .next = *candidates };
	struct tx *tx = NULL;
	int64_t *ids;
	enum status st;

	s.next.most = LISTED;
	s.best = best_new(page->search, page->after, page->limit);
	if ((st = tx_begin_snapshot(cx, &tx)) == OK && (st = read_candidates(tx, &s)) == OK) {
		best_end(s.best, cx, &ids, count, next_token);
		*out = arena_array(cx->arena, *count, sizeof(**out));
		st = run_load_many(tx, ids, *count, *out);
	}
	tx_rollback(&tx);
	best_free(s.best);
	return st;
}

/* Hits of which memory has all but their metrics. */
static enum status
read_metrics(struct tx *tx, struct columns_hit *const *hits, size_t n)
{
	struct arena *arena = tx_ctx(tx)->arena;
	struct run_latest *metrics = arena_array(arena, n, sizeof(*metrics));
	struct run *runs = arena_array(arena, n, sizeof(*runs));
	int64_t *ids = arena_array(arena, n, sizeof(*ids));
	enum status st;

	for (size_t i = 0; i < n; i++)
		ids[i] = hits[i]->run_id;
	if ((st = ingest_latest(tx, ids, n, metrics)) != OK)
		return st;
	for (size_t i = 0; i < n; i++) {
		runs[i] = *hits[i]->run;
		runs[i].metrics = &metrics[i];
		hits[i]->run = &runs[i];
	}
	return OK;
}

/* Hits of which memory has nothing more. */
static enum status
read_whole(struct tx *tx, struct columns_hit *const *hits, size_t n)
{
	struct arena *arena = tx_ctx(tx)->arena;
	struct run *runs = arena_array(arena, n, sizeof(*runs));
	int64_t *ids = arena_array(arena, n, sizeof(*ids));
	enum status st;

	for (size_t i = 0; i < n; i++)
		ids[i] = hits[i]->run_id;
	if ((st = run_load_many(tx, ids, n, runs)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		hits[i]->run = runs[i].uuid == NULL ? NULL : &runs[i];
	return OK;
}

/* What memory lacks of the hits is read, and they are kept. One that was removed for good since it was found stays without a run. */
static enum status
complete(struct ctx *cx, struct columns_hit *hits, size_t n)
{
	struct columns_hit **whole = arena_array(cx->arena, n, sizeof(*whole));
	struct columns_hit **metrics = arena_array(cx->arena, n, sizeof(*metrics));
	size_t whole_count = 0, metrics_count = 0;
	struct tx *tx = NULL;
	enum status st;

	for (size_t i = 0; i < n; i++)
		if (hits[i].run == NULL)
			whole[whole_count++] = &hits[i];
		else if (hits[i].run->metrics == NULL)
			metrics[metrics_count++] = &hits[i];
	if (whole_count + metrics_count == 0)
		return OK;
	/* rows and metrics of a run that is just being removed for good belong together */
	st = whole_count > 0 ? tx_begin_snapshot(cx, &tx) : tx_auto(cx, &tx);
	if (st == OK && (st = read_metrics(tx, metrics, metrics_count)) == OK)
		st = read_whole(tx, whole, whole_count);
	tx_rollback(&tx);
	if (st != OK)
		return st;
	for (size_t i = 0; i < metrics_count; i++)
		whole[whole_count + i] = metrics[i];
	columns_keep(cx->parts->columns, whole, whole_count + metrics_count);
	return OK;
}

/* *served false: they must be looked for in the database. */
static enum status
search_in_memory(struct ctx *cx, const struct page *page, const int64_t *experiments, size_t n,
	enum view view, struct run **out, size_t *count, const char **next_token, bool *served)
{
	const struct columns_query q = { experiments, n, view, page->search, page->after, page->limit };
	struct columns_hit *hits;
	size_t found = 0;
	enum status st;

	*served = false;
	if (cx->parts->columns == NULL)
		return OK;
	st = columns_search(cx->parts->columns, cx, &q, &hits, count, next_token, served);
	if (st != OK || !*served)
		return st;
	if ((st = complete(cx, hits, *count)) != OK)
		return st;
	*out = arena_array(cx->arena, *count, sizeof(**out));
	for (size_t i = 0; i < *count; i++)
		if (hits[i].run != NULL)
			(*out)[found++] = *hits[i].run;
	*count = found;
	return OK;
}

enum status
run_search(struct ctx *cx, const char *const *experiment_ids, size_t id_count, const struct search_in *in,
	struct run **out, size_t *n, const char **next_token)
{
	struct page page = { 0 };
	int64_t *experiments = arena_array(cx->arena, id_count, sizeof(*experiments));
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
	return search_in_database(cx, &page,
		&(struct run_candidates){
			.experiments = experiments, .experiment_count = id_count, .view = in->view },
		out, n, next_token);
}
