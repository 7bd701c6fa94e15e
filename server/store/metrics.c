#include "store/metrics.h"

#include <endian.h>
#include <string.h>
#include "store/query.h"
#include "store/sql.h"

static enum status
run_from_row(struct row *row, void *out)
{
	struct metric_run *run = out;

	run->run_id = row_int8(row, "run_id");
	run->uuid = row_text(row, "uuid");
	run->experiment_id = row_int8(row, "experiment_id");
	run->deleted = row_bool(row, "deleted");
	return OK;
}

enum status
store_metric_runs_share(
	struct tx *tx, const char *const *uuids, size_t n, struct metric_run **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_runs_share);
	query_texts(&q, uuids, n);
	return query_list(&q, run_from_row, sizeof(**out), out, found);
}

enum status
store_metric_seq_block(struct tx *tx, int64_t *first)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_seq_block);
	return query_one(&q, row_read_int8, first);
}

static enum status
key_from_row(struct row *row, void *out)
{
	struct metric_key *key = out;

	key->key_id = (int32_t)row_int8(row, "key_id");
	key->name = row_text(row, "name");
	return OK;
}

static enum status
named_key_from_row(struct row *row, void *out)
{
	struct metric_key *key = out;

	key->experiment_id = row_int8(row, "experiment_id");
	return key_from_row(row, out);
}

static enum status
keys(struct tx *tx, const struct statement *statement, int64_t experiment_id, const char *const *names,
	size_t n, struct metric_key **out, size_t *found)
{
	struct query q;
	enum status st;

	query_init(&q, tx, statement);
	query_int8(&q, experiment_id);
	query_texts(&q, names, n);
	st = query_list(&q, key_from_row, sizeof(**out), out, found);
	for (size_t i = 0; st == OK && i < *found; i++)
		(*out)[i].experiment_id = experiment_id;
	return st;
}

enum status
store_metric_keys_find(struct tx *tx, int64_t experiment_id, const char *const *names, size_t n,
	struct metric_key **out, size_t *found)
{
	return keys(tx, &SQL_metric_keys_find, experiment_id, names, n, out, found);
}

enum status
store_metric_keys_make(struct tx *tx, int64_t experiment_id, const char *const *names, size_t n,
	struct metric_key **out, size_t *found)
{
	struct query q;
	enum status st;

	query_init(&q, tx, &SQL_metric_keys_lock);
	query_int8(&q, experiment_id);
	if ((st = query_run(&q, NULL)) != OK)
		return st;
	return keys(tx, &SQL_metric_keys_make, experiment_id, names, n, out, found);
}

enum status
store_metric_key_names(struct tx *tx, const int64_t *experiment_ids, const int64_t *key_ids, size_t n,
	struct metric_key **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_key_names);
	query_int8s(&q, experiment_ids, n);
	query_int8s(&q, key_ids, n);
	return query_list(&q, named_key_from_row, sizeof(**out), out, found);
}

enum status
store_metric_keys_of_runs(struct tx *tx, const int64_t *run_ids, size_t runs, const char *const *names,
	size_t n, struct metric_key **out, size_t *found)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_keys_of_runs);
	query_int8s(&q, run_ids, runs);
	query_texts(&q, names, n);
	return query_list(&q, named_key_from_row, sizeof(**out), out, found);
}

/* ---- tail rows ---- */

static char *
put4(char *to, uint32_t v)
{
	v = htobe32(v);
	memcpy(to, &v, sizeof(v));
	return to + sizeof(v);
}

static char *
put8(char *to, int64_t number)
{
	uint64_t v = htobe64((uint64_t)number);

	to = put4(to, sizeof(v));
	memcpy(to, &v, sizeof(v));
	return to + sizeof(v);
}

void
metric_tail_row(struct buf *rows, int64_t run_id, int64_t seq, int32_t n, const void *data, size_t len)
{
	static const char columns[2] = { 0, 4 };
	char head[2 + 12 + 12 + 8 + 4], *to = head;

	memcpy(to, columns, sizeof(columns));
	to = put8(to + sizeof(columns), run_id);
	to = put8(to, seq);
	to = put4(to, sizeof(n));
	to = put4(to, (uint32_t)n);
	to = put4(to, (uint32_t)len);
	buf_add(rows, head, (size_t)(to - head));
	buf_add(rows, data, len);
}

enum status
store_metric_tail_copy(struct tx *tx, const struct buf *rows)
{
	struct query q;

	query_init(&q, tx, &SQL_metric_tail_copy);
	return query_copy(&q, rows);
}
