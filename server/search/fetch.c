#include "search/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "search/block.h"
#include "store/runs.h"

static int
by_run_id(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static int
row_by_run_id(const void *key, const void *row)
{
	int64_t run_id = *(const int64_t *)key, other = ((const struct table_run *)row)->run->run_id;

	return (run_id > other) - (run_id < other);
}

static const struct table_run *
row_of(const struct fetched *f, int64_t run_id)
{
	return f->n == 0 ? NULL : bsearch(&run_id, f->rows, f->n, sizeof(*f->rows), row_by_run_id);
}

struct datasets {
	struct arena *arena;
	const struct fetched *f;
};

static void
take_dataset(void *arg, const struct candidate_value *v)
{
	static const char *const names[] = { "name", "digest", "context" };
	const struct datasets *d = arg;
	const struct table_run *row = row_of(d->f, v->run_id);

	for (size_t i = 0; row != NULL && i < 3; i++) {
		struct search_value *list = &d->f->rows[row - d->f->rows].datasets[i];
		const char **more;

		if (!str_eq(v->key, names[i]))
			continue;
		more = arena_array(d->arena, list->text_count + 1, sizeof(*more));
		if (list->text_count > 0)
			memcpy(more, list->texts, list->text_count * sizeof(*more));
		more[list->text_count] = v->value;
		*list = (struct search_value){
			.kind = VALUE_TEXTS, .texts = more, .text_count = list->text_count + 1
		};
	}
}

static enum status
fetch_rest(struct tx *tx, struct fetched *f)
{
	struct arena *arena = tx_ctx(tx)->arena;
	int64_t *ids = arena_array(arena, f->n, sizeof(*ids)),
		*with = arena_array(arena, f->n, sizeof(*with));
	struct run_latest *metrics = arena_array(arena, f->n, sizeof(*metrics));
	struct datasets d = { arena, f };
	size_t with_inputs = 0;
	enum status st;

	for (size_t i = 0; i < f->n; i++) {
		ids[i] = f->rows[i].run->run_id;
		f->rows[i].metrics = &metrics[i];
		if (f->rows[i].run->has_inputs)
			with[with_inputs++] = ids[i];
	}
	if ((st = ingest_latest(tx, ids, f->n, metrics)) != OK || with_inputs == 0)
		return st;
	return store_run_row_datasets(tx, with, with_inputs, take_dataset, &d);
}

enum status
fetch_runs(struct ctx *cx, status_name_fn *name, const int64_t *run_ids, size_t n, struct fetched *out)
{
	struct tx *tx = NULL;
	struct run *runs;
	enum status st;

	*out = (struct fetched){ .run_ids = run_ids, .asked = n };
	if ((st = tx_begin_snapshot(cx, &tx)) != OK ||
		(st = store_run_rows(tx, run_ids, n, &runs, &out->n)) != OK)
		goto out;
	if (out->n > 1)
		qsort(runs, out->n, sizeof(*runs), by_run_id);
	out->rows = arena_array(cx->arena, out->n, sizeof(*out->rows));
	for (size_t i = 0; i < out->n; i++)
		out->rows[i] = (struct table_run){ .run = &runs[i], .status = name(runs[i].status) };
	st = fetch_rest(tx, out);
out:
	tx_rollback(&tx);
	return st;
}

enum status
fetch_most(struct ctx *cx, int64_t experiment_id, size_t *runs)
{
	struct tx *tx = NULL;
	int64_t keys = 0;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_metric_key_count(tx, &experiment_id, 1, &keys);
	tx_rollback(&tx);
	*runs = block_most(keys);
	return st;
}

enum status
fetch_metrics(struct ctx *cx, const int64_t *run_ids, size_t n, struct run_latest **out)
{
	struct tx *tx = NULL;
	enum status st;

	*out = arena_array(cx->arena, n, sizeof(**out));
	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = ingest_latest(tx, run_ids, n, *out);
	tx_rollback(&tx);
	return st;
}

void
fetch_apply(const struct fetched *f, struct table *t)
{
	for (size_t i = 0; i < f->n; i++)
		table_put(t, &f->rows[i]);
	for (size_t i = 0; i < f->asked; i++)
		if (row_of(f, f->run_ids[i]) == NULL)
			table_remove(t, f->run_ids[i]);
}
