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

static enum status
series_in_tx(struct tx *tx, const char *const *uuids, size_t uuid_count, const char *const *keys,
	size_t key_count, int64_t step_lo, int64_t step_hi, struct run_series *out, size_t *n)
{
	struct run *runs;
	size_t found;
	enum status st;

	if ((st = store_run_find_many(tx, uuids, uuid_count, &runs, &found)) != OK)
		return st;
	for (size_t i = 0; i < uuid_count; i++) {
		const struct run *run = by_uuid(runs, found, uuids[i]);

		for (size_t k = 0; run != NULL && k < key_count; k++) {
			struct run_series *s = &out[*n];

			*s = (struct run_series){ .uuid = uuids[i], .key = keys[k] };
			if ((st = ingest_samples(
				     tx, run->run_id, keys[k], step_lo, step_hi, &s->samples, &s->n)) != OK)
				return st;
			*n += s->n > 0;
		}
	}
	return OK;
}

enum status
run_series(struct ctx *cx, const char *const *uuids, size_t uuid_count, const char *const *keys,
	size_t key_count, int64_t step_lo, int64_t step_hi, struct run_series **out, size_t *n)
{
	struct tx *tx = NULL;
	enum status st;

	*n = 0;
	*out = arena_array(cx->arena, uuid_count * key_count, sizeof(**out));
	if ((st = tx_begin_snapshot(cx, &tx)) == OK)
		st = series_in_tx(tx, uuids, uuid_count, keys, key_count, step_lo, step_hi, *out, n);
	tx_rollback(&tx);
	return st;
}
