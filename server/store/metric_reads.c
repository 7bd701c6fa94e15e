#include "store/metric_reads.h"

#include "store/query.h"
#include "store/sql.h"

struct snapshot {
	const char *text;
	int64_t system_identifier;
};

static enum status
snapshot_from_row(struct row *row, void *out)
{
	struct snapshot *s = out;

	s->text = row_text(row, "snapshot");
	s->system_identifier = row_int8(row, "system_identifier");
	return OK;
}

enum status
store_metric_snapshot(struct tx *tx, const char **snapshot, int64_t *system_identifier)
{
	struct snapshot s = { 0 };
	struct query q;
	enum status st;

	query_init(&q, tx, &SQL_metric_snapshot);
	st = query_one(&q, snapshot_from_row, &s);
	*snapshot = s.text;
	*system_identifier = s.system_identifier;
	return st;
}

struct piece_reader {
	metric_piece_fn *each;
	void *arg;
};

static enum status
piece_from_row(struct row *row, void *arg)
{
	const struct piece_reader *r = arg;
	struct metric_piece piece;

	piece.run_id = row_int8(row, "run_id");
	piece.key_id = (int32_t)row_int8(row, "key_id");
	piece.step_lo = row_int8(row, "step_lo");
	piece.step_hi = row_int8(row, "step_hi");
	piece.time_lo_unix_ms = row_int8(row, "time_lo_unix_ms");
	piece.time_hi_unix_ms = row_int8(row, "time_hi_unix_ms");
	piece.first_unix_ms = row_int8(row, "first_unix_ms");
	piece.seq = row_int8(row, "seq");
	piece.n = row_int8(row, "n");
	piece.chunks = row_int8(row, "chunks");
	piece.data = row_bytea_lend(row, "data", &piece.len);
	return r->each(r->arg, &piece);
}

enum status
store_metric_read(struct tx *tx, const struct metric_read *what, metric_piece_fn *each, void *arg)
{
	struct piece_reader r = { each, arg };
	struct query q;

	query_init(&q, tx, &SQL_metric_read);
	query_int8s(&q, what->run_ids, what->run_count);
	query_int8s(&q, what->chunk_run_ids, what->chunk_count);
	query_int8s(&q, what->chunk_key_ids, what->chunk_count);
	query_int8_or_null(&q, what->previews_from > 0, what->previews_from);
	query_int8(&q, what->step_lo);
	query_int8(&q, what->step_hi);
	query_int8(&q, what->time_lo_unix_ms);
	query_int8(&q, what->time_hi_unix_ms);
	return query_each(&q, piece_from_row, &r);
}

struct data_reader {
	struct ctx *cx;
	metric_data_fn *each;
	void *arg;
	size_t seen;
};

static enum status
missing(struct ctx *cx)
{
	return fail(cx, INTERNAL, "a chunk of metrics is gone from the snapshot in which it was seen");
}

static enum status
data_from_row(struct row *row, void *arg)
{
	struct data_reader *r = arg;
	size_t len;
	const void *data;

	if (row_int8(row, "at") != (int64_t)r->seen + 1)
		return missing(r->cx);
	data = row_bytea_lend(row, "data", &len);
	return r->each(r->arg, r->seen++, data, len);
}

static int64_t *
column(struct ctx *cx, const struct metric_chunk_name *names, size_t n, int which)
{
	int64_t *out = arena_array(cx->arena, n, sizeof(*out));

	for (size_t i = 0; i < n; i++) {
		const int64_t values[] = { names[i].run_id, names[i].key_id, names[i].step_lo,
			names[i].first_unix_ms, names[i].seq };

		out[i] = values[which];
	}
	return out;
}

enum status
store_metric_chunk_data(
	struct tx *tx, const struct metric_chunk_name *names, size_t n, metric_data_fn *each, void *arg)
{
	struct data_reader r = { tx_ctx(tx), each, arg, 0 };
	struct query q;
	enum status st;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_metric_chunk_data);
	for (int i = 0; i < 5; i++)
		query_int8s(&q, column(r.cx, names, n, i), n);
	st = query_each(&q, data_from_row, &r);
	return st == OK && r.seen < n ? missing(r.cx) : st;
}
