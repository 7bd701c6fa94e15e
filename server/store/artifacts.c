#include "store/artifacts.h"

#include <string.h>

#include "store/pairs.h"
#include "store/query.h"
#include "store/sql.h"

static enum status
artifact_from_row(struct row *row, void *out)
{
	struct artifact *a = out;
	size_t len = 0;
	const void *sha256 = row_bytea(row, "sha256", &len);

	*a = (struct artifact){
		.path = row_text(row, "path"),
		.is_dir = row_bool(row, "is_dir"),
		.size_bytes = row_int8(row, "size_bytes"),
		.key = row_text(row, "key"),
	};
	if (sha256 != NULL && len == sizeof(a->sha256))
		memcpy(a->sha256, sha256, len);
	return OK;
}

/* Two texts between which everything below a folder sorts: "a/" and "a0", for '0' follows '/'. */
static void
query_below(struct query *q, const char *folder)
{
	struct arena *arena = tx_ctx(q->tx)->arena;

	if (*folder == '\0') {
		query_text(q, "");
		query_text(q, "\U0010ffff");
		return;
	}
	query_text(q, arena_printf(arena, "%s/", folder));
	query_text(q, arena_printf(arena, "%s0", folder));
}

enum status
store_blob_insert(struct tx *tx, const char *key, int64_t now_unix_ms, int64_t *blob_id)
{
	struct query q;

	query_init(&q, tx, &SQL_blob_insert);
	query_text(&q, key);
	query_int8(&q, now_unix_ms);
	query_actor(&q);
	return query_one(&q, row_read_int8, blob_id);
}

enum status
store_blob_commit(struct tx *tx, int64_t blob_id, int64_t size_bytes, const uint8_t sha256[32], bool *settled)
{
	struct query q;
	int64_t n = 0;
	enum status st;

	query_init(&q, tx, &SQL_blob_commit);
	query_int8(&q, blob_id);
	query_int8(&q, size_bytes);
	query_bytea(&q, sha256, 32);
	st = query_run(&q, &n);
	*settled = n == 1;
	return st;
}

enum status
store_blob_discard(struct tx *tx, int64_t blob_id, bool *discarded)
{
	struct query q;
	int64_t n = 0;
	enum status st;

	query_init(&q, tx, &SQL_blob_discard);
	query_int8(&q, blob_id);
	st = query_run(&q, &n);
	*discarded = n == 1;
	return st;
}

enum status
store_blob_delete(struct tx *tx, int64_t blob_id)
{
	struct query q;

	query_init(&q, tx, &SQL_blob_delete);
	query_int8(&q, blob_id);
	return query_run(&q, NULL);
}

static enum status
blob_from_row(struct row *row, void *out)
{
	*(struct blob_row *)out = (struct blob_row){ row_int8(row, "blob_id"), row_text(row, "key") };
	return OK;
}

enum status
store_blob_leftovers(struct tx *tx, int64_t before_unix_ms, int64_t most, struct blob_row **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_blob_leftovers);
	query_int8(&q, before_unix_ms);
	query_int8(&q, most);
	return query_list(&q, blob_from_row, sizeof(**out), out, n);
}

enum status
store_artifact_put(struct tx *tx, const char *path, int64_t blob_id, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_artifact_put);
	query_text(&q, path);
	query_int8(&q, blob_id);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_artifact_get(struct tx *tx, const char *path, struct artifact *out, bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_artifact_get);
	query_text(&q, path);
	return query_maybe(&q, artifact_from_row, out, found);
}

static enum status
list_below(struct tx *tx, const struct statement *s, const char *folder, struct artifact **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, s);
	query_below(&q, folder);
	return query_list(&q, artifact_from_row, sizeof(**out), out, n);
}

enum status
store_artifact_list(struct tx *tx, const char *folder, struct artifact **out, size_t *n)
{
	return list_below(tx, &SQL_artifact_list, folder, out, n);
}

enum status
store_artifact_tree(struct tx *tx, const char *folder, struct artifact **out, size_t *n)
{
	return list_below(tx, &SQL_artifact_tree, folder, out, n);
}

enum status
store_artifact_by_digest(
	struct tx *tx, const char *folder, const uint8_t sha256[32], struct artifact *out, bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_artifact_by_digest);
	query_below(&q, folder);
	query_bytea(&q, sha256, 32);
	return query_maybe(&q, artifact_from_row, out, found);
}

static enum status
lock_path(struct tx *tx, const char *const *above, size_t n, const char *path)
{
	struct query q;

	query_init(&q, tx, &SQL_artifact_lock);
	query_texts(&q, above, n);
	query_text(&q, path);
	return query_run(&q, NULL);
}

enum status
store_artifact_clash(struct tx *tx, const char *path, const char **clash)
{
	struct arena *arena = tx_ctx(tx)->arena;
	const char **above = arena_array(arena, strlen(path), sizeof(*above));
	size_t n = 0;
	struct query q;
	enum status st;
	bool found;

	for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/'))
		above[n++] = arena_strn(arena, path, (size_t)(p - path));
	*clash = NULL;
	if ((st = lock_path(tx, above, n, path)) != OK)
		return st;
	query_init(&q, tx, &SQL_artifact_clash);
	query_texts(&q, above, n);
	query_below(&q, path);
	return query_maybe(&q, row_read_text, clash, &found);
}

enum status
store_artifact_delete(struct tx *tx, const char *path)
{
	struct query q;

	query_init(&q, tx, &SQL_artifact_delete);
	query_text(&q, path);
	query_below(&q, path);
	return query_run(&q, NULL);
}
