/* History and samples of one key: its points out of all tail rows of the run. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ingest/codec.h"
#include "ingest/samples.h"
#include "store/metrics.h"

struct reading {
	struct ctx *cx;
	struct codec *codec;
	const struct sample *after; /* in history order; NULL: all */
	int64_t step_lo, step_hi;
	struct sample *samples; /* owned */
	size_t n, room;
};

enum status
damaged_row(struct ctx *cx, int64_t run_id)
{
	log_error("metric_damage", "run=%lld message=\"a row of metric_tail cannot be read\"",
		(long long)run_id);
	return fail(cx, INTERNAL, "stored metrics of this run cannot be read");
}

static bool
wanted(const struct reading *r, const struct sample *s)
{
	if (s->step < r->step_lo || s->step > r->step_hi)
		return false;
	return r->after == NULL || sample_compare_history(s, r->after) > 0;
}

static enum status
read_row(void *arg, const struct metric_tail *row)
{
	struct reading *r = arg;
	const struct tail_point *points;
	size_t n;

	if (!codec_decode(r->codec, row->data, row->len, &points, &n))
		return damaged_row(r->cx, row->run_id);
	if (r->n + n > r->room) {
		r->room = (r->n + n) * 2;
		r->samples = mem_resize(r->samples, r->room, sizeof(*r->samples));
	}
	for (size_t i = 0; i < n; i++) {
		struct sample *s = &r->samples[r->n];

		*s = (struct sample){ points[i].value, points[i].time_unix_ms, points[i].step };
		if (points[i].key_id == row->key_id && wanted(r, s))
			r->n++;
	}
	return OK;
}

static enum status
read_key(struct tx *tx, int64_t run_id, const char *key, struct reading *r, sample_compare_fn *compare,
	size_t most, struct sample **out, size_t *n)
{
	enum status st;

	r->cx = tx_ctx(tx);
	r->codec = codec_new();
	st = store_metric_tail_of_key(tx, run_id, key, read_row, r);
	*n = st == OK ? samples_settle(r->samples, r->n, compare) : 0;
	if (*n > most)
		*n = most;
	*out = *n > 0 ? arena_copy(r->cx->arena, r->samples, *n * sizeof(**out)) : NULL;
	free(r->samples);
	codec_free(r->codec);
	return st;
}

enum status
ingest_history(struct tx *tx, int64_t run_id, const char *key, const struct sample *after, size_t limit,
	struct sample **out, size_t *n)
{
	struct reading r = { .after = after, .step_lo = INT64_MIN, .step_hi = INT64_MAX };

	return read_key(
		tx, run_id, key, &r, sample_compare_history, limit == SIZE_MAX ? limit : limit + 1, out, n);
}

enum status
ingest_samples(struct tx *tx, int64_t run_id, const char *key, int64_t step_lo, int64_t step_hi,
	struct sample **out, size_t *n)
{
	struct reading r = { .step_lo = step_lo, .step_hi = step_hi };

	return read_key(tx, run_id, key, &r, sample_compare_stored, SIZE_MAX, out, n);
}
