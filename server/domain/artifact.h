/*
 * Files that runs and models keep. A path ("1/<run>/artifacts/model/MLmodel") is a key in a table, never a file name;
 * the bytes lie in the blob store under keys of our own.
 */
#ifndef DOMAIN_ARTIFACT_H
#define DOMAIN_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

#define ARTIFACT_SCHEME "mlflow-artifacts:/"

struct artifact {
	const char *path;
	bool is_dir;
	int64_t size_bytes; /* of a file */
	const char *key;    /* of its object */
	uint8_t sha256[32];
};

/*
 * The path in its normal form, in the arena: relative, "/" between parts, no "." or "..", no backslash, no '#', no control
 * characters. It is percent-decoded until nothing is left to decode, as MLflow's server does it and its clients with every path of a
 * listing: those of MLflow 2 name images "loss%step%46%timestamp%1795240092609", and fetch "loss%stepF%timestamp%1795240092609".
 * "" only with empty_ok (a root to list).
 */
enum status artifact_path(struct ctx *cx, const char *text, bool empty_ok, const char **out) must_check;
/* The path that "mlflow-artifacts:/a/b" names; INVALID when the URI is somewhere else. */
enum status artifact_path_of_uri(struct ctx *cx, const char *uri, const char **out) must_check;
const char *artifact_join(struct ctx *cx, const char *folder, const char *path); /* either may be "" */

/* Where the bytes of an upload come from: *got 0 at the end. */
typedef enum status artifact_source_fn(void *arg, void *out, size_t size, size_t *got);
/* Durable when OK; on failure nothing has changed. */
enum status artifact_put(struct ctx *cx, const char *path, artifact_source_fn *source, void *arg) must_check;
/* A file by path: NOT_FOUND, or INVALID for a folder. */
enum status artifact_get(struct ctx *cx, const char *path, struct artifact *out) must_check;
/* One level; a file or a path that names nothing lists as empty. Paths are whole ones. */
enum status artifact_list(struct ctx *cx, const char *folder, struct artifact **out, size_t *n) must_check;
/* All files below, by bytes of their paths. */
enum status artifact_tree(struct ctx *cx, const char *folder, struct artifact **out, size_t *n) must_check;
/* A file below a folder that has this SHA-256; NOT_FOUND without a sentence. */
enum status artifact_by_digest(
	struct ctx *cx, const char *folder, const uint8_t sha256[32], struct artifact *out) must_check;
enum status artifact_delete(struct ctx *cx, const char *path) must_check; /* a missing one is fine */
/* Where the bytes of a download go. */
typedef enum status artifact_sink_fn(void *arg, const void *data, size_t len);
/* [from, from + length) of a file, piece by piece. `begin` is called once the bytes are sure to be there, before the first piece. */
enum status artifact_read(struct ctx *cx, const struct artifact *a, int64_t from, int64_t length,
	enum status (*begin)(void *arg, int64_t length), artifact_sink_fn *sink, void *arg) must_check;
/* Take objects that nothing names out of the store; some at a time. *n: how many. */
enum status artifact_sweep(struct ctx *cx, size_t *n) must_check;

#endif
