/* The list of a version's files: read, checked against its digest, and found safe to write before anything is written. */
#ifndef LIB_MANIFEST_H
#define LIB_MANIFEST_H

#include "base/hash.h"
#include "lib/lib.h"

#define PULL_MARK ".cairn.json" /* our own file inside a pulled directory */

struct manifest_file {
	const char *path;
	int64_t size;
	char sha256[SHA256_HEX];
};

struct manifest {
	const char *model;
	int64_t version;
	struct manifest_file *files;
	size_t count;
	int64_t size; /* of all files together */
};

/*
 * Everything lives in cx->arena. digest: "sha256:…" of text. CAIRN_EINTEGRITY, with the sentence in f, when the digest is another,
 * the JSON is not a manifest, a path is unsafe, or two paths fall together.
 */
int manifest_read(struct ctx *cx, struct fault *f, const char *text, size_t len, const char *digest,
	struct manifest *out);
/* Relative, plain parts, valid UTF-8 without control characters, at most 1024 bytes. */
int manifest_check_path(struct fault *f, const char *path);

#endif
