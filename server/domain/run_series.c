#include "domain/run_series.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "domain/run.h"
#include "ingest/cursor.h"
#include "store/runs.h"

#define RUNS_AT_ONCE 128 /* whose tails are in memory together */

/* ---- lists ---- */

/* Names sorted, each once, with where it stood. */
struct listed {
	const char *name;
	size_t at;
};

static int
by_name(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static struct listed *
sorted(struct ctx *cx, const char *const *names, size_t n)
{
	struct listed *out = arena_array(cx->arena, n, sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = (struct listed){ names[i], i };
	if (n > 1)
		qsort(out, n, sizeof(*out), by_name);
	return out;
}

/* In their order, the first of twins; in the arena. */
static const char **
without_twins(struct ctx *cx, const char *const *names, size_t n, size_t *left)
{
	const char **out = arena_array(cx->arena, n, sizeof(*out));
	struct listed *list = sorted(cx, names, n);
	bool *twin = arena_array(cx->arena, n, sizeof(*twin));

	*left = 0;
	for (size_t i = 1; i < n; i++)
		twin[list[i].at] = strcmp(list[i].name, list[i - 1].name) == 0;
	for (size_t i = 0; i < n; i++)
		if (!twin[i])
			out[(*left)++] = names[i];
	return out;
}

/* ---- runs ---- */

struct found_runs {
	struct read_run *runs; /* those that exist, in the order of the names */
	const char **uuids;
	size_t n;
};

static enum status
find_runs(struct tx *tx, const char *const *uuids, size_t n, struct found_runs *out)
{
	struct ctx *cx = tx_ctx(tx);
	struct listed *list = sorted(cx, uuids, n);
	const struct run **at = arena_array(cx->arena, n, sizeof(*at)); /* of each name */
	struct run *runs;
	size_t found;
	enum status st;

	*out = (struct found_runs){ NULL, NULL, 0 };
	if ((st = store_run_find_many(tx, uuids, n, &runs, &found)) != OK)
		return st;
	for (size_t i = 0; i < found; i++) {
		const struct listed key = { runs[i].uuid, 0 };
		size_t lo = 0, hi = n;

		while (lo < hi) {
			size_t middle = lo + (hi - lo) / 2;

			if (by_name(&list[middle], &key) < 0)
				lo = middle + 1;
			else
				hi = middle;
		}
		at[list[lo].at] = &runs[i];
	}
	out->runs = arena_array(cx->arena, found, sizeof(*out->runs));
	out->uuids = arena_array(cx->arena, found, sizeof(*out->uuids));
	for (size_t i = 0; i < n; i++)
		if (at[i] != NULL) {
			out->uuids[out->n] = at[i]->uuid;
			out->runs[out->n++] = (struct read_run){ at[i]->run_id, at[i]->experiment_id,
				at[i]->start_unix_ms };
		}
	return OK;
}

/* ---- series ---- */

struct series_out {
	const struct found_runs *runs;
	const char **keys;
	run_series_fn *each;
	void *arg;
};

static enum status
name_series(void *arg, const struct series *s)
{
	const struct series_out *o = arg;

	return o->each(o->arg, o->runs->uuids[s->run], o->keys[s->key], s);
}

static enum status
read_series(struct tx *tx, const struct run_series_in *in, run_series_fn *each, void *arg)
{
	struct ctx *cx = tx_ctx(tx);
	struct series_in what = in->how;
	struct found_runs runs;
	struct series_out out = { .runs = &runs, .each = each, .arg = arg };
	size_t uuids;
	const char **names = without_twins(cx, in->uuids, in->uuid_count, &uuids);
	enum status st;

	out.keys = without_twins(cx, in->keys, in->key_count, &what.key_count);
	if ((st = find_runs(tx, names, uuids, &runs)) != OK)
		return st;
	what.runs = runs.runs;
	what.run_count = runs.n;
	what.keys = out.keys;
	return ingest_series(tx, &what, name_series, &out);
}

enum status
run_series(
	struct ctx *cx, const struct run_series_in *in, run_series_fn *each, void *arg, const char **cursor)
{
	struct cursor now;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK && (st = cursor_now(tx, &now)) == OK &&
		(st = read_series(tx, in, each, arg)) == OK)
		*cursor = cursor_write(cx, &now);
	tx_rollback(&tx);
	return st;
}

/* ---- groups ---- */

struct grouped_out {
	const struct run_grouped_in *in;
	const char **keys;
	run_grouped_fn *each;
	void *arg;
};

static enum status
name_group(void *arg, const struct grouped *g)
{
	const struct grouped_out *o = arg;

	return o->each(o->arg, &o->in->groups[g->group], o->keys[g->key], g);
}

/* Where each of a group's runs stands among all of them. */
static struct run_group
places_of(struct ctx *cx, const struct run_set *set, const struct found_runs *runs, const struct listed *list)
{
	size_t n;
	const char **names = without_twins(cx, set->uuids, set->uuid_count, &n);
	size_t *out = arena_array(cx->arena, n, sizeof(*out));
	struct run_group group = { out, 0 };

	for (size_t i = 0; i < n; i++) {
		size_t lo = 0, hi = runs->n;

		while (lo < hi) {
			size_t middle = lo + (hi - lo) / 2;

			if (strcmp(list[middle].name, names[i]) < 0)
				lo = middle + 1;
			else
				hi = middle;
		}
		if (lo < runs->n && str_eq(list[lo].name, names[i]))
			out[group.n++] = list[lo].at;
	}
	return group;
}

static const char **
all_names(struct ctx *cx, const struct run_grouped_in *in, size_t *n)
{
	size_t count = 0;
	const char **all;

	for (size_t g = 0; g < in->group_count; g++)
		count += in->groups[g].uuid_count;
	all = arena_array(cx->arena, count, sizeof(*all));
	count = 0;
	for (size_t g = 0; g < in->group_count; g++)
		for (size_t i = 0; i < in->groups[g].uuid_count; i++)
			all[count++] = in->groups[g].uuids[i];
	return without_twins(cx, all, count, n);
}

static enum status
read_grouped(struct tx *tx, const struct run_grouped_in *in, run_grouped_fn *each, void *arg)
{
	struct ctx *cx = tx_ctx(tx);
	struct grouped_out out = { .in = in, .each = each, .arg = arg };
	struct grouped_in what = { .series = in->how, .group_count = in->group_count };
	struct run_group *groups = arena_array(cx->arena, in->group_count, sizeof(*groups));
	struct found_runs runs;
	struct listed *list;
	size_t n;
	const char **names = all_names(cx, in, &n);
	enum status st;

	if ((st = find_runs(tx, names, n, &runs)) != OK)
		return st;
	list = sorted(cx, runs.uuids, runs.n);
	for (size_t g = 0; g < in->group_count; g++)
		groups[g] = places_of(cx, &in->groups[g], &runs, list);
	out.keys = without_twins(cx, in->keys, in->key_count, &what.series.key_count);
	what.series.keys = out.keys;
	what.series.runs = runs.runs;
	what.series.run_count = runs.n;
	what.groups = groups;
	return ingest_grouped(tx, &what, name_group, &out);
}

enum status
run_grouped(struct ctx *cx, const struct run_grouped_in *in, run_grouped_fn *each, void *arg)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = read_grouped(tx, in, each, arg);
	tx_rollback(&tx);
	return st;
}

/* ---- a few numbers ---- */

enum status
run_metrics(struct ctx *cx, const char *uuid, struct run_latest *out)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK && (st = store_run_find(tx, uuid, &run)) == OK)
		st = ingest_latest(tx, &run.run_id, 1, out);
	tx_rollback(&tx);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Run with id=%s not found", uuid);
	return st;
}

static int
by_key(const void *key, const void *metric)
{
	const char *const *name = key;
	const struct latest *m = metric;

	return strcmp(*name, m->key);
}

static enum status
hand_out(struct ctx *cx, const char *uuid, const struct run_latest *run, const char *const *keys, size_t n,
	run_summary_fn *each, void *arg)
{
	const struct latest **out = arena_array(cx->arena, n == 0 ? run->n : n, sizeof(*out));
	size_t found = 0;

	for (size_t k = 0; n == 0 && k < run->n; k++)
		out[found++] = &run->keys[k];
	for (size_t k = 0; run->n > 0 && k < n; k++) {
		const struct latest *m = bsearch(&keys[k], run->keys, run->n, sizeof(*run->keys), by_key);

		if (m != NULL)
			out[found++] = m;
	}
	return each(arg, uuid, out, found);
}

/* Some runs, in memory that is given back before the next. */
static enum status
summarize(struct tx *tx, const struct found_runs *runs, size_t first, const char *const *keys,
	size_t key_count, run_summary_fn *each, void *arg)
{
	struct ctx *cx = tx_ctx(tx);
	struct run_latest out[RUNS_AT_ONCE];
	int64_t ids[RUNS_AT_ONCE];
	size_t n = runs->n - first < RUNS_AT_ONCE ? runs->n - first : RUNS_AT_ONCE;
	enum status st;

	for (size_t i = 0; i < n; i++)
		ids[i] = runs->runs[first + i].run_id;
	st = ingest_latest(tx, ids, n, out);
	for (size_t i = 0; st == OK && i < n; i++)
		st = hand_out(cx, runs->uuids[first + i], &out[i], keys, key_count, each, arg);
	return st;
}

static enum status
summarize_all(struct tx *tx, const char *const *uuids, size_t n, const char *const *keys, size_t key_count,
	run_summary_fn *each, void *arg)
{
	struct ctx *cx = tx_ctx(tx);
	struct arena *own = cx->arena;
	struct found_runs runs;
	size_t names, wanted;
	const char **unique = without_twins(cx, uuids, n, &names);
	const char **names_of_keys = without_twins(cx, keys, key_count, &wanted);
	enum status st = find_runs(tx, unique, names, &runs);

	cx->arena = arena_new();
	for (size_t at = 0; st == OK && at < runs.n; at += RUNS_AT_ONCE) {
		arena_reset(cx->arena);
		st = summarize(tx, &runs, at, names_of_keys, wanted, each, arg);
	}
	arena_free(cx->arena);
	cx->arena = own;
	return st;
}

enum status
run_summaries(struct ctx *cx, const char *const *uuids, size_t n, const char *const *keys, size_t key_count,
	run_summary_fn *each, void *arg)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = summarize_all(tx, uuids, n, keys, key_count, each, arg);
	tx_rollback(&tx);
	return st;
}
