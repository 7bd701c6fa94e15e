#include "store/metric_log.h"

#include "store/query.h"
#include "store/sql.h"

static void
bind_runs(struct query *q, struct ctx *cx, const struct metric_run *runs, size_t n)
{
	int64_t *ids = arena_array(cx->arena, n, sizeof(*ids));
	const char **uuids = arena_array(cx->arena, n, sizeof(*uuids));

	for (size_t i = 0; i < n; i++) {
		ids[i] = runs[i].run_id;
		uuids[i] = runs[i].uuid;
	}
	query_int8s(q, ids, n);
	query_texts(q, uuids, n);
}

static void
bind_names(struct query *q, struct ctx *cx, const struct metric_tail_row *rows, size_t n)
{
	int64_t *numbers = arena_array(cx->arena, n, sizeof(*numbers));

	for (size_t i = 0; i < n; i++)
		numbers[i] = rows[i].run_id;
	query_int8s(q, numbers, n);
	for (size_t i = 0; i < n; i++)
		numbers[i] = rows[i].seq;
	query_int8s(q, numbers, n);
}

static void
bind_data(struct query *q, struct ctx *cx, const struct metric_tail_row *rows, size_t n)
{
	struct query_blob *blobs = arena_array(cx->arena, n, sizeof(*blobs));

	for (size_t i = 0; i < n; i++)
		blobs[i] = (struct query_blob){ rows[i].data, rows[i].len };
	query_byteas(q, blobs, n);
}

static void
bind_rows(struct query *q, struct ctx *cx, const struct metric_tail_row *rows, size_t n)
{
	int64_t *numbers = arena_array(cx->arena, n, sizeof(*numbers));

	bind_names(q, cx, rows, n);
	for (size_t i = 0; i < n; i++)
		numbers[i] = rows[i].n;
	query_int8s(q, numbers, n);
	bind_data(q, cx, rows, n);
}

enum status
store_metric_log(struct tx *tx, const struct metric_run *runs, size_t run_count,
	const struct metric_tail_row *rows, size_t n, bool *logged)
{
	int64_t active = 0;
	struct query q;
	enum status st;

	query_init(&q, tx, &SQL_metric_log);
	bind_runs(&q, tx_ctx(tx), runs, run_count);
	bind_rows(&q, tx_ctx(tx), rows, n);
	st = query_one(&q, row_read_int8, &active);
	*logged = st == OK && active == (int64_t)run_count;
	return st;
}

static enum status
bool_from_row(struct row *row, void *out)
{
	*(bool *)out = row_bool(row, "kept");
	return OK;
}

enum status
store_metric_tail_has(struct tx *tx, const struct metric_tail_row *rows, size_t n, bool *there)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_tail_has);
	bind_names(&q, tx_ctx(tx), rows, n);
	bind_data(&q, tx_ctx(tx), rows, n);
	return query_one(&q, bool_from_row, there);
}
