#include "store/changes.h"

#include "store/query.h"
#include "store/sql.h"

static enum status
look_from_row(struct row *row, void *out)
{
	struct change_look *look = out;
	size_t experiments;

	look->snapshot = row_text(row, "snapshot");
	look->postmaster_unix_us = row_int8(row, "postmaster_unix_us");
	look->known = row_bool(row, "known");
	look->run_ids = row_int8s(row, "run_ids", &look->n);
	look->experiment_ids = row_int8s(row, "experiment_ids", &experiments);
	return OK;
}

enum status
store_change_look(struct tx *tx, const char *since, const char *server_id, struct change_look *out)
{
	struct query q;

	query_init(&q, tx, &SQL_change_look);
	query_text(&q, since);
	query_text(&q, server_id);
	return query_one(&q, look_from_row, out);
}

enum status
store_change_prune(struct tx *tx, int64_t most, int64_t *pruned)
{
	struct query q;

	query_init(&q, tx, &SQL_change_prune);
	query_int8(&q, most);
	return query_run(&q, pruned);
}

enum status
store_server_put(struct tx *tx, const char *server_id)
{
	struct query q;

	query_init(&q, tx, &SQL_server_put);
	query_text(&q, server_id);
	return query_run(&q, NULL);
}

enum status
store_server_seen(struct tx *tx, const char *server_id, const char *snapshot)
{
	struct query q;

	query_init(&q, tx, &SQL_server_seen);
	query_text(&q, server_id);
	query_text(&q, snapshot);
	return query_run(&q, NULL);
}

enum status
store_server_delete(struct tx *tx, const char *server_id)
{
	struct query q;

	query_init(&q, tx, &SQL_server_delete);
	query_text(&q, server_id);
	return query_run(&q, NULL);
}

static enum status
allowed_from_row(struct row *row, void *out)
{
	*(bool *)out = row_bool(row, "allowed");
	return OK;
}

enum status
store_server_all_read(struct tx *tx, const char *server_id, int32_t format, int64_t settled_ms, bool *yes)
{
	struct query q;

	query_init(&q, tx, &SQL_compact_allowed);
	query_text(&q, server_id);
	query_int4(&q, format);
	query_int8(&q, settled_ms);
	return query_one(&q, allowed_from_row, yes);
}

enum status
store_server_bury(struct tx *tx, int64_t silent_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_server_bury);
	query_int8(&q, silent_ms);
	return query_run(&q, NULL);
}
