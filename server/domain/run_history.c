/* Histories of metrics in the protocol's order, and the few samples that its charts take. */
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

static struct read_run
reading_of(const struct run *run)
{
	return (struct read_run){ run->run_id, run->experiment_id, run->start_unix_ms };
}

enum status
run_history(struct ctx *cx, const char *uuid, const char *key, size_t limit, const char *page_token,
	struct sample **out, size_t *n, const char **next_token)
{
	size_t most = limit;
	struct sample after;
	struct read_run read;
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	*out = NULL;
	*n = 0;
	*next_token = NULL;
	if (!str_empty(page_token) && (st = token_read(cx, page_token, &after)) != OK)
		return st;
	if (limit == 0 || limit > RUN_HISTORY_MOST)
		most = RUN_HISTORY_MOST;
	if ((st = tx_begin_snapshot(cx, &tx)) == OK && (st = store_run_find(tx, uuid, &run)) == OK) {
		read = reading_of(&run);
		st = ingest_history(tx, &read, key, str_empty(page_token) ? NULL : &after, most, out, n);
	}
	tx_rollback(&tx);
	if (st == NOT_FOUND) /* the protocol: an unknown run has an empty history */
		return OK;
	if (st == OK && limit == 0 && *n > most)
		return fail(cx, INVALID,
			"this history has more than %d samples: ask for it in pages, with max_results and "
			"then "
			"page_token",
			RUN_HISTORY_MOST);
	if (st == OK && *n > most) {
		*n = most;
		*next_token = token_of(cx, &(*out)[most - 1]);
	}
	return st;
}

/* ---- several runs ---- */

struct several {
	const char **uuids; /* of the runs that are read */
	struct read_run *runs;
	size_t n;
	run_samples_fn *each;
	void *arg;
};

static bool
named_before(const struct several *s, const char *uuid)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->uuids[i], uuid))
			return true;
	return false;
}

static enum status
find_several(struct tx *tx, const char *const *uuids, size_t n, struct several *out)
{
	struct ctx *cx = tx_ctx(tx);
	struct run *runs;
	size_t found;
	enum status st = store_run_find_many(tx, uuids, n, &runs, &found);

	out->uuids = arena_array(cx->arena, n, sizeof(*out->uuids));
	out->runs = arena_array(cx->arena, n, sizeof(*out->runs));
	for (size_t i = 0; st == OK && i < n; i++)
		for (size_t k = 0; k < found; k++)
			if (str_eq(runs[k].uuid, uuids[i]) && !named_before(out, uuids[i])) {
				out->runs[out->n] = reading_of(&runs[k]);
				out->uuids[out->n++] = uuids[i];
			}
	return st;
}

static enum status
name_run(void *arg, size_t run, const struct sample *samples, size_t n)
{
	const struct several *s = arg;

	return s->each(s->arg, s->uuids[run], samples, n);
}

enum status
run_histories(struct ctx *cx, const char *const *uuids, size_t n, const char *key, size_t limit,
	run_samples_fn *each, void *arg)
{
	struct several s = { .each = each, .arg = arg };
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK && (st = find_several(tx, uuids, n, &s)) == OK)
		st = ingest_histories(tx, s.runs, s.n, key, limit, name_run, &s);
	tx_rollback(&tx);
	return st;
}

enum status
run_tiles(struct ctx *cx, const struct run_tiles_in *in, run_samples_fn *each, void *arg)
{
	struct several s = { .each = each, .arg = arg };
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin_snapshot(cx, &tx)) == OK && (st = find_several(tx, in->uuids, in->n, &s)) == OK)
		st = ingest_tiles(tx, s.runs, s.n, in->key, in->step_lo, in->step_hi, in->most, name_run, &s);
	tx_rollback(&tx);
	return st;
}
