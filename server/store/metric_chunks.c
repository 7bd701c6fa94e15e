#include "store/metric_chunks.h"

#include <endian.h>
#include <string.h>
#include "store/query.h"
#include "store/sql.h"

/* ---- the run ---- */

static enum status
bool_from_row(struct row *row, void *out)
{
	*(bool *)out = row_bool(row, "locked");
	return OK;
}

enum status
store_compact_lock(struct tx *tx, int64_t run_id, bool *locked)
{
	struct query q;

	query_init(&q, tx, &SQL_compact_lock);
	query_int8(&q, run_id);
	return query_one(&q, bool_from_row, locked);
}

static enum status
run_with_id(struct tx *tx, const struct statement *statement, int64_t run_id, int64_t *affected)
{
	struct query q;

	query_init(&q, tx, statement);
	query_int8(&q, run_id);
	return query_run(&q, affected);
}

enum status
store_compact_wait(struct tx *tx, int64_t run_id)
{
	return run_with_id(tx, &SQL_compact_wait, run_id, NULL);
}

enum status
store_compact_note(struct tx *tx, int64_t run_id, bool *there)
{
	int64_t n = 0;
	enum status st = run_with_id(tx, &SQL_compact_note, run_id, &n);

	*there = n > 0;
	return st;
}

enum status
store_metrics_drop(struct tx *tx, int64_t run_id)
{
	enum status st;

	if ((st = run_with_id(tx, &SQL_metric_tail_drop, run_id, NULL)) != OK ||
		(st = run_with_id(tx, &SQL_metric_chunks_drop, run_id, NULL)) != OK)
		return st;
	return run_with_id(tx, &SQL_run_summaries_drop, run_id, NULL);
}

/* ---- the tail ---- */

struct data_reader {
	chunk_data_fn *each;
	void *arg;
	size_t n;
};

static enum status
data_from_row(struct row *row, void *arg)
{
	struct data_reader *r = arg;
	size_t len;
	const void *data = row_bytea_lend(row, "data", &len);

	r->n++;
	return r->each(r->arg, data, len);
}

enum status
store_metric_tail_take(
	struct tx *tx, int64_t run_id, int64_t points, int64_t rows, chunk_data_fn *each, void *arg)
{
	struct data_reader r = { each, arg, 0 };
	struct query q;

	query_init(&q, tx, &SQL_metric_tail_take);
	query_int8(&q, run_id);
	query_int8(&q, points);
	query_int8(&q, rows);
	return query_each(&q, data_from_row, &r);
}

static enum status
tail_run_from_row(struct row *row, void *out)
{
	struct metric_tail_run *run = out;

	run->run_id = row_int8(row, "run_id");
	run->seq = row_int8(row, "seq");
	return OK;
}

enum status
store_metric_tail_runs(struct tx *tx, int64_t after, int64_t most, struct metric_tail_run **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_tail_runs);
	query_int8(&q, after);
	query_int8(&q, most);
	return query_list(&q, tail_run_from_row, sizeof(**out), out, n);
}

enum status
store_metric_tail_vacuum(struct tx *tx)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_tail_vacuum);
	return query_run(&q, NULL);
}

/* ---- chunks ---- */

static enum status
head_from_row(struct row *row, void *out)
{
	struct chunk_head *head = out;

	head->step_lo = row_int8(row, "step_lo");
	head->first_unix_ms = row_int8(row, "first_unix_ms");
	head->seq = row_int8(row, "seq");
	head->step_hi = row_int8(row, "step_hi");
	head->time_hi_unix_ms = row_int8(row, "time_hi_unix_ms");
	head->n = row_int8(row, "n");
	return OK;
}

enum status
store_chunk_heads(struct tx *tx, int64_t run_id, int32_t key_id, const struct chunk_range *range,
	struct chunk_head **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_compact_heads);
	query_int8(&q, run_id);
	query_int4(&q, key_id);
	query_int8(&q, range->from.step);
	query_int8(&q, range->from.time_unix_ms);
	query_int8(&q, range->to.step);
	query_int8(&q, range->to.time_unix_ms);
	query_int8(&q, range->before);
	query_int8(&q, range->most);
	return query_list(&q, head_from_row, sizeof(**out), out, n);
}

enum status
store_chunk_bundles(struct tx *tx, int64_t run_id, int32_t key_id, struct chunk_head **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_compact_bundles);
	query_int8(&q, run_id);
	query_int4(&q, key_id);
	return query_list(&q, head_from_row, sizeof(**out), out, n);
}

/* Which rows: their key, in three arrays. */
static void
bind_heads(struct query *q, int64_t run_id, int32_t key_id, const struct chunk_head *heads, size_t n)
{
	struct arena *arena = tx_ctx(q->tx)->arena;
	int64_t *steps = arena_array(arena, n, sizeof(*steps));
	int64_t *times = arena_array(arena, n, sizeof(*times));
	int64_t *seqs = arena_array(arena, n, sizeof(*seqs));

	for (size_t i = 0; i < n; i++) {
		steps[i] = heads[i].step_lo;
		times[i] = heads[i].first_unix_ms;
		seqs[i] = heads[i].seq;
	}
	query_int8(q, run_id);
	query_int4(q, key_id);
	query_int8s(q, steps, n);
	query_int8s(q, times, n);
	query_int8s(q, seqs, n);
}

enum status
store_chunk_data(struct tx *tx, int64_t run_id, int32_t key_id, const struct chunk_head *heads, size_t n,
	chunk_data_fn *each, void *arg)
{
	struct data_reader r = { each, arg, 0 };
	struct query q;
	enum status st;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_compact_data);
	bind_heads(&q, run_id, key_id, heads, n);
	if ((st = query_each(&q, data_from_row, &r)) == OK && r.n != n)
		return fail(tx_ctx(tx), INTERNAL, "%zu of %zu chunks are missing", n - r.n, n);
	return st;
}

enum status
store_chunk_delete(struct tx *tx, int64_t run_id, int32_t key_id, const struct chunk_head *heads, size_t n)
{
	struct query q;
	int64_t gone = 0;
	enum status st;

	if (n == 0)
		return OK;
	query_init(&q, tx, &SQL_compact_delete);
	bind_heads(&q, run_id, key_id, heads, n);
	if ((st = query_run(&q, &gone)) == OK && gone != (int64_t)n)
		return fail(tx_ctx(tx), INTERNAL, "%lld of %zu chunks were deleted", (long long)gone, n);
	return st;
}

/* ---- writing ---- */

static void
add4(struct buf *to, uint32_t v)
{
	v = htobe32(v);
	buf_add(to, &v, sizeof(v));
}

static void
add_int8(struct buf *to, int64_t number)
{
	uint64_t v = htobe64((uint64_t)number);

	add4(to, sizeof(v));
	buf_add(to, &v, sizeof(v));
}

static void
add_int4(struct buf *to, int32_t number)
{
	add4(to, sizeof(number));
	add4(to, (uint32_t)number);
}

static void
add_bytea(struct buf *to, const void *data, size_t len)
{
	add4(to, data == NULL ? UINT32_MAX : (uint32_t)len);
	if (data != NULL)
		buf_add(to, data, len);
}

void
chunk_row_add(struct buf *rows, const struct chunk_row *row)
{
	static const char columns[2] = { 0, 11 };

	buf_add(rows, columns, sizeof(columns));
	add_int8(rows, row->run_id);
	add_int4(rows, row->key_id);
	add_int8(rows, row->step_lo);
	add_int8(rows, row->seq);
	add_int8(rows, row->step_hi);
	add_int8(rows, row->time_lo_unix_ms);
	add_int8(rows, row->time_hi_unix_ms);
	add_int4(rows, row->n);
	add_bytea(rows, row->preview, row->preview_len);
	add_bytea(rows, row->data, row->len);
	add_int8(rows, row->first_unix_ms);
}

enum status
store_chunk_copy(struct tx *tx, const struct buf *rows)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_chunk_copy);
	return query_copy(&q, rows);
}

/* ---- summaries ---- */

struct lent {
	const void *data;
	size_t len;
};

static enum status
summary_from_row(struct row *row, void *out)
{
	struct lent *lent = out;

	lent->data = row_bytea(row, "data", &lent->len);
	return OK;
}

enum status
store_summary_get(struct tx *tx, int64_t run_id, int32_t part, const void **data, size_t *len)
{
	struct lent lent = { 0 };
	struct query q;
	bool found;
	enum status st;

	query_init(&q, tx, &SQL_run_summary_get);
	query_int8(&q, run_id);
	query_int4(&q, part);
	st = query_maybe(&q, summary_from_row, &lent, &found);
	*data = lent.data;
	*len = lent.len;
	return st;
}

enum status
store_summary_put(struct tx *tx, int64_t run_id, int32_t part, const void *data, size_t len)
{
	struct query q;

	query_init(&q, tx, &SQL_run_summary_put);
	query_int8(&q, run_id);
	query_int4(&q, part);
	query_bytea(&q, data, len);
	return query_run(&q, NULL);
}

/* ---- what tells the latest values ---- */

struct stored_reader {
	metric_stored_fn *each;
	void *arg;
	bool chunks;
};

static enum status
stored_from_row(struct row *row, void *arg)
{
	const struct stored_reader *r = arg;
	struct metric_stored stored = { .run_id = row_int8(row, "run_id"),
		.experiment_id = row_int8(row, "experiment_id"),
		.kind = (enum stored_kind)row_int8(row, "kind") };

	if (r->chunks)
		stored.key_id = (int32_t)row_int8(row, "key_id");
	stored.data = row_bytea_lend(row, "data", &stored.len);
	return r->each(r->arg, &stored);
}

enum status
store_metric_stored(struct tx *tx, const int64_t *run_ids, size_t n, const int64_t *parts, size_t part_count,
	metric_stored_fn *each, void *arg)
{
	struct stored_reader r = { each, arg, false };
	struct query q;

	query_init(&q, tx, &SQL_metric_stored);
	query_int8s(&q, run_ids, n);
	query_int8s(&q, parts, part_count);
	return query_each(&q, stored_from_row, &r);
}

enum status
store_metric_stored_from(struct tx *tx, int64_t run_id, const struct chunk_start *series, size_t n,
	metric_stored_fn *each, void *arg)
{
	struct stored_reader r = { each, arg, true };
	struct arena *arena = tx_ctx(tx)->arena;
	int64_t *columns[4];
	struct query q;

	for (int i = 0; i < 4; i++)
		columns[i] = arena_array(arena, n, sizeof(int64_t));
	for (size_t i = 0; i < n; i++) {
		columns[0][i] = series[i].key_id;
		columns[1][i] = series[i].from.step;
		columns[2][i] = series[i].from.time_unix_ms;
		columns[3][i] = series[i].bundle;
	}
	query_init(&q, tx, &SQL_metric_stored_from);
	query_int8(&q, run_id);
	for (int i = 0; i < 4; i++)
		query_int8s(&q, columns[i], n);
	return query_each(&q, stored_from_row, &r);
}
