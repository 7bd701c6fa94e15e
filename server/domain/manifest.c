/* The manifest of a version: what it is made of, as exact bytes. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "domain/registry.h"

#define MANIFEST_LIMIT (256 << 20)

static void
file_json(struct jsonw *w, const struct artifact *f)
{
	char hex[SHA256_HEX];

	hex_encode(hex, f->sha256, SHA256_BYTES);
	jw_object(w);
	jw_text_at(w, "path", f->path);
	jw_text_at(w, "sha256", hex);
	jw_int_at(w, "size", f->size_bytes);
	jw_end(w);
}

/* Keys in the order of their bytes, no blanks: the same files give the same bytes for ever. */
static enum status
write_json(struct ctx *cx, const struct version *v, struct manifest *m)
{
	struct buf b;
	struct jsonw w;

	buf_init(&b, MANIFEST_LIMIT);
	jw_init(&w, &b);
	jw_object(&w);
	jw_array_at(&w, "files");
	for (size_t i = 0; i < m->file_count; i++)
		file_json(&w, &m->files[i]);
	jw_end(&w);
	jw_text_at(&w, "model", v->model);
	jw_text_at(&w, "schema", "cairn.manifest/1");
	jw_int_at(&w, "version", v->version);
	jw_end(&w);
	m->len = b.len;
	m->json = b.overflow ? NULL : arena_strn(cx->arena, b.data, b.len);
	buf_fini(&b);
	return m->json != NULL
		       ? OK
		       : fail(cx, TOO_LARGE, "version %lld of \"%s\" has too many files for one manifest",
				 (long long)v->version, v->model);
}

enum status
version_manifest(struct ctx *cx, const struct version *v, struct manifest *out)
{
	const char *folder;
	uint8_t digest[SHA256_BYTES];
	size_t skip;
	enum status st;

	*out = (struct manifest){ 0 };
	if ((st = artifact_path_of_uri(cx, v->storage_location, &folder)) != OK ||
		(st = artifact_tree(cx, folder, &out->files, &out->file_count)) != OK)
		return st;
	skip = *folder == '\0' ? 0 : strlen(folder) + 1;
	for (size_t i = 0; i < out->file_count; i++) {
		out->files[i].path += skip;
		out->size_bytes += out->files[i].size_bytes;
	}
	if ((st = write_json(cx, v, out)) != OK)
		return st;
	sha256_of(out->json, out->len, digest);
	memcpy(out->digest, "sha256:", 7);
	hex_encode(out->digest + 7, digest, SHA256_BYTES);
	return OK;
}
