#include "ingest/points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "ingest/codec.h"
#include "ingest/samples.h"

void
spread_init(struct spread *s, struct pg_test *t)
{
	*s = (struct spread){ t, codec_new(), chunk_coder_new(), 1 };
}

void
spread_fini(struct spread *s)
{
	codec_free(s->codec);
	chunk_coder_free(s->coder);
}

struct read_run
spread_run(struct spread *s, const char *uuid)
{
	const char *sql = arena_printf(s->t->arena,
		"INSERT INTO cairn.run (uuid, experiment_id, name, start_unix_ms, artifact_uri, "
		"created_unix_ms) "
		"VALUES ('%s', 0, 'r', 0, '', 0) RETURNING run_id",
		uuid);

	return (struct read_run){ strtoll(pg_sql(s->t, sql), NULL, 10), 0, 0 };
}

void
spread_key(struct spread *s, int64_t experiment_id, int32_t key_id, const char *name)
{
	(void)pg_sql(s->t,
		arena_printf(s->t->arena,
			"INSERT INTO cairn.metric_key (experiment_id, key_id, name) VALUES (%lld, %d, '%s')",
			(long long)experiment_id, key_id, name));
}

static const char *
hex_of(struct spread *s, const struct buf *b)
{
	char *out = arena_alloc(s->t->arena, b->len * 2 + 1);

	hex_encode(out, b->data, b->len);
	return out;
}

void
spread_tail(struct spread *s, int64_t run_id, int32_t key_id, const struct sample *samples, size_t n)
{
	struct tail_point *points = arena_array(s->t->arena, n, sizeof(*points));
	struct buf data;

	if (n == 0)
		return;
	buf_init(&data, 64u << 20);
	for (size_t i = 0; i < n; i++)
		points[i] = (struct tail_point){ samples[i].step, samples[i].time_unix_ms, samples[i].value,
			key_id };
	codec_encode(s->codec, points, n, &data);
	(void)pg_sql(s->t, arena_printf(s->t->arena,
				   "INSERT INTO cairn.metric_tail (run_id, seq, n, data) VALUES (%lld, %lld, "
				   "%zu, '\\x%s')",
				   (long long)run_id, (long long)s->seq++, n, hex_of(s, &data)));
	buf_fini(&data);
}

struct sample *
spread_settled(struct spread *s, const struct sample *samples, size_t n, bool by_time, size_t *left)
{
	struct sample *out =
		arena_copy(s->t->arena, n == 0 ? "" : (const void *)samples, n == 0 ? 1 : n * sizeof(*out));

	*left = samples_settle(out, n, by_time ? sample_compare_history : sample_compare_stored);
	return out;
}

struct range {
	int64_t time_lo, time_hi;
};

static struct range
times_of(const struct sample *samples, size_t n)
{
	struct range r = { INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < n; i++) {
		if (samples[i].time_unix_ms < r.time_lo)
			r.time_lo = samples[i].time_unix_ms;
		if (samples[i].time_unix_ms > r.time_hi)
			r.time_hi = samples[i].time_unix_ms;
	}
	return r;
}

static void
insert(struct spread *s, int64_t run_id, int32_t key_id, const struct sample *samples, size_t n,
	const struct buf *preview, const struct buf *data)
{
	const struct range r = times_of(samples, n);

	(void)pg_sql(
		s->t, arena_printf(s->t->arena,
			      "INSERT INTO cairn.metric_chunk (run_id, key_id, step_lo, first_unix_ms, seq, "
			      "step_hi, "
			      "time_lo_unix_ms, time_hi_unix_ms, n, preview, data) "
			      "VALUES (%lld, %d, %lld, %lld, %lld, %lld, %lld, %lld, %zu, %s%s%s, '\\x%s')",
			      (long long)run_id, key_id, (long long)samples[0].step,
			      (long long)samples[0].time_unix_ms, (long long)s->seq++,
			      (long long)samples[n - 1].step, (long long)r.time_lo, (long long)r.time_hi, n,
			      preview == NULL ? "NULL" : "'\\x", preview == NULL ? "" : hex_of(s, preview),
			      preview == NULL ? "" : "'", hex_of(s, data)));
}

void
spread_chunk(struct spread *s, int64_t run_id, int32_t key_id, const struct sample *samples, size_t n)
{
	struct buf data, preview;
	size_t left;
	struct sample *settled = spread_settled(s, samples, n, false, &left);

	if (n == 0)
		return;
	buf_init(&data, 64u << 20);
	buf_init(&preview, 64u << 20);
	chunk_encode(s->coder, settled, left, &data);
	if (left >= PREVIEW_FROM)
		preview_encode(s->coder, settled, left, &preview);
	insert(s, run_id, key_id, settled, left, left >= PREVIEW_FROM ? &preview : NULL, &data);
	buf_fini(&data);
	buf_fini(&preview);
}

void
spread_bundle(struct spread *s, int64_t run_id, int32_t key_a, const struct sample *a, size_t n_a,
	int32_t key_b, const struct sample *b, size_t n_b)
{
	struct bundle_series series[2] = { { .key_id = key_a }, { .key_id = key_b } };
	struct sample *all = arena_array(s->t->arena, n_a + n_b, sizeof(*all));
	struct buf data;
	size_t n;

	assert_true(n_a > 0 && key_a < key_b && bundle_of(key_a) == bundle_of(key_b));
	buf_init(&data, 64u << 20);
	series[0].samples = spread_settled(s, a, n_a, false, &series[0].n);
	series[1].samples = spread_settled(s, b, n_b, false, &series[1].n);
	bundle_encode(s->coder, series, n_b > 0 ? 2 : 1, &data);
	memcpy(all, series[0].samples, series[0].n * sizeof(*all));
	memcpy(all + series[0].n, series[1].samples, series[1].n * sizeof(*all));
	n = samples_settle(all, series[0].n + series[1].n, sample_compare_stored);
	insert(s, run_id, bundle_of(key_a), all, n, NULL, &data);
	buf_fini(&data);
}

uint64_t
spread_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}
