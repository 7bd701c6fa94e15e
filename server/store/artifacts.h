/* Rows of blobs and of the paths that name them. */
#ifndef STORE_ARTIFACTS_H
#define STORE_ARTIFACTS_H

#include "domain/artifact.h"
#include "store/tx.h"

enum status store_blob_insert(
	struct tx *tx, const char *key, int64_t now_unix_ms, int64_t *blob_id) must_check;
/* *settled false: the row was not pending any more. */
enum status store_blob_commit(struct tx *tx, int64_t blob_id, int64_t size_bytes, const uint8_t sha256[32],
	bool *settled) must_check;
/* *discarded false: it is committed (or gone), so its object must stay. */
enum status store_blob_discard(struct tx *tx, int64_t blob_id, bool *discarded) must_check;
enum status store_blob_delete(struct tx *tx, int64_t blob_id) must_check;
struct blob_row {
	int64_t blob_id;
	const char *key;
};
enum status store_blob_leftovers(
	struct tx *tx, int64_t before_unix_ms, int64_t most, struct blob_row **out, size_t *n) must_check;

enum status store_artifact_put(
	struct tx *tx, const char *path, int64_t blob_id, int64_t now_unix_ms) must_check;
enum status store_artifact_get(struct tx *tx, const char *path, struct artifact *out, bool *found) must_check;
/* `folder` without a "/" at its end; "" is the root. */
enum status store_artifact_list(
	struct tx *tx, const char *folder, struct artifact **out, size_t *n) must_check;
enum status store_artifact_tree(
	struct tx *tx, const char *folder, struct artifact **out, size_t *n) must_check;
enum status store_artifact_by_digest(struct tx *tx, const char *folder, const uint8_t sha256[32],
	struct artifact *out, bool *found) must_check;
/* The file or folder that keeps `path` from being a file, NULL for none. Holds off other writers of it until the transaction ends. */
enum status store_artifact_clash(struct tx *tx, const char *path, const char **clash) must_check;
enum status store_artifact_delete(struct tx *tx, const char *path) must_check;

#endif
