/* Histories of metrics: page by page in the protocol's order, or whole for charts. */
#include "domain/run.h"

#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "ingest/ingest.h"
#include "store/runs.h"

/* The token is the last sample given: the next page follows it whatever arrives meanwhile. */
struct history_token {
	char mark[4];
	struct sample last;
};

static const char *
token_of(struct ctx *cx, const struct sample *last)
{
	struct history_token t = { { 'h', '1', 0, 0 }, *last };
	char *out = arena_alloc(cx->arena, sizeof(t) * 2);

	base64url_encode(out, sizeof(t) * 2, &t, sizeof(t));
	return out;
}

static enum status
token_read(struct ctx *cx, const char *text, struct sample *out)
{
	struct history_token t;
	size_t len = 0;

	if (!base64url_decode(&t, sizeof(t), &len, text, strlen(text)) || len != sizeof(t) ||
		memcmp(t.mark, "h1", 2) != 0)
		return fail(cx, INVALID,
			"Invalid page token, could not base64-decode: take the next_page_token of the page "
			"before");
	*out = t.last;
	return OK;
}

enum status
run_history(struct ctx *cx, const char *uuid, const char *key, size_t limit, const char *page_token,
	struct sample **out, size_t *n, const char **next_token)
{
	struct sample after;
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	*out = NULL;
	*n = 0;
	*next_token = NULL;
	if (!str_empty(page_token) && (st = token_read(cx, page_token, &after)) != OK)
		return st;
	if ((st = tx_auto(cx, &tx)) == OK && (st = store_run_find(tx, uuid, &run)) == OK)
		st = ingest_history(tx, run.run_id, key, str_empty(page_token) ? NULL : &after,
			limit == 0 ? SIZE_MAX - 1 : limit, out, n);
	tx_rollback(&tx);
	if (st == NOT_FOUND) /* the protocol: an unknown run has an empty history */
		return OK;
	if (st == OK && limit > 0 && *n > limit) {
		*n = limit;
		*next_token = token_of(cx, &(*out)[limit - 1]);
	}
	return st;
}

static const struct run *
by_uuid(const struct run *runs, size_t n, const char *uuid)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(runs[i].uuid, uuid))
			return &runs[i];
	return NULL;
}

/* One series, in memory that is given back before the next. */
static enum status
one_series(struct tx *tx, const struct run *run, const char *key, const struct run_series_in *in,
	run_series_fn *each, void *arg)
{
	struct ctx *cx = tx_ctx(tx);
	struct arena *own = cx->arena, *scratch = arena_new();
	struct run_series s = { .uuid = run->uuid, .key = key };
	enum status st;

	cx->arena = scratch;
	st = ingest_samples(tx, run->run_id, key, in->step_lo, in->step_hi, &s.samples, &s.n);
	if (st == OK && s.n > 0)
		st = each(arg, cx, &s);
	cx->arena = own;
	arena_free(scratch);
	return st;
}

static enum status
series_in_tx(struct tx *tx, const struct run_series_in *in, run_series_fn *each, void *arg)
{
	struct run *runs;
	size_t found;
	enum status st;

	if ((st = store_run_find_many(tx, in->uuids, in->uuid_count, &runs, &found)) != OK)
		return st;
	for (size_t i = 0; i < in->uuid_count; i++) {
		const struct run *run = by_uuid(runs, found, in->uuids[i]);

		for (size_t k = 0; run != NULL && k < in->key_count; k++)
			if ((st = one_series(tx, run, in->keys[k], in, each, arg)) != OK)
				return st;
	}
	return OK;
}

enum status
run_series(struct ctx *cx, const struct run_series_in *in, run_series_fn *each, void *arg)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = series_in_tx(tx, in, each, arg);
	tx_rollback(&tx);
	return st;
}
