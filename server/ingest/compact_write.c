/* Rows of metric_chunk on their way. They are sent when there are many, and at the end. */
#include "ingest/compact_parts.h"

#define FLUSH_BYTES (4u << 20)

enum status
compact_flush(struct compact *c)
{
	enum status st;

	if (c->copy.len == 0)
		return OK;
	st = store_chunk_copy(c->tx, &c->copy);
	buf_clear(&c->copy);
	return st;
}

/* Numbers are taken by the transaction that uses them and never kept for the next. */
static enum status
name_row(struct compact *c, struct chunk_row *row)
{
	enum status st;

	if (c->seqs_left == 0) {
		if ((st = store_metric_seq_block(c->tx, &c->seq)) != OK)
			return st;
		c->seqs_left = METRIC_SEQ_BLOCK;
	}
	row->run_id = c->run_id;
	row->seq = c->seq++;
	c->seqs_left--;
	return OK;
}

static void
widen(struct chunk_row *row, const struct sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (samples[i].time_unix_ms < row->time_lo_unix_ms)
			row->time_lo_unix_ms = samples[i].time_unix_ms;
		if (samples[i].time_unix_ms > row->time_hi_unix_ms)
			row->time_hi_unix_ms = samples[i].time_unix_ms;
	}
	if (samples[0].step < row->step_lo)
		row->step_lo = samples[0].step;
	if (samples[n - 1].step > row->step_hi)
		row->step_hi = samples[n - 1].step;
	row->n += (int32_t)n;
}

#define NOTHING                                                                                              \
	.step_lo = INT64_MAX, .step_hi = INT64_MIN, .time_lo_unix_ms = INT64_MAX, .time_hi_unix_ms = INT64_MIN

static enum status
send_row(struct compact *c, struct chunk_row *row)
{
	enum status st;

	row->data = c->data.data;
	row->len = c->data.len;
	if ((st = name_row(c, row)) != OK)
		return st;
	chunk_row_add(&c->copy, row);
	return c->copy.len >= FLUSH_BYTES ? compact_flush(c) : OK;
}

static enum status
write_chunk(struct compact *c, int32_t key_id, const struct sample *samples, size_t n)
{
	struct chunk_row row = { .key_id = key_id, NOTHING };

	widen(&row, samples, n);
	row.first_unix_ms = samples[0].time_unix_ms;
	buf_clear(&c->data);
	chunk_encode(c->coder, samples, n, &c->data);
	if (n >= PREVIEW_FROM) {
		buf_clear(&c->preview);
		preview_encode(c->coder, samples, n, &c->preview);
		row.preview = c->preview.data;
		row.preview_len = c->preview.len;
	}
	return send_row(c, &row);
}

static bool
same_moment(const struct sample *a, const struct sample *b)
{
	return a->step == b->step && a->time_unix_ms == b->time_unix_ms;
}

/* Parts of equal size; samples of one moment stay together as long as a chunk can hold them. */
enum status
compact_write_series(struct compact *c, int32_t key_id, const struct sample *samples, size_t n)
{
	size_t parts = (n + CHUNK_POINTS / 2) / CHUNK_POINTS, from = 0;
	enum status st = OK;

	if (parts == 0)
		parts = 1;
	for (size_t part = 1; st == OK && from < n; part++) {
		size_t to = part < parts ? n / parts * part : n;

		if (to <= from)
			continue;
		while (to < n && to - from < CHUNK_POINTS_MAX && same_moment(&samples[to - 1], &samples[to]))
			to++;
		if (to - from > CHUNK_POINTS_MAX)
			to = from + CHUNK_POINTS_MAX;
		st = write_chunk(c, key_id, samples + from, to - from);
		from = to;
	}
	return st;
}

enum status
compact_write_bundle(struct compact *c, int32_t bundle, const struct bundle_series *series, size_t n)
{
	struct chunk_row row = { .key_id = bundle, NOTHING };

	for (size_t i = 0; i < n; i++)
		widen(&row, series[i].samples, series[i].n);
	row.first_unix_ms = row.time_lo_unix_ms;
	buf_clear(&c->data);
	bundle_encode(c->coder, series, n, &c->data);
	return send_row(c, &row);
}
