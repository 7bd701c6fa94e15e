/* What deploy tools ask: where an alias points, what a version is made of, its bytes by digest. */
#include <string.h>

#include "api/files.h"
#include "api/handlers.h"
#include "api/io.h"
#include "base/hash.h"
#include "base/str.h"
#include "domain/registry.h"

/* The version of a path, and its manifest. */
static enum status
find(struct request *rq, const char *number, struct version *v, struct manifest *m)
{
	struct ctx *cx = request_ctx(rq);
	enum status st = version_get(cx, request_param(rq, "name"), number, v);

	return st == OK ? version_manifest(cx, v, m) : st;
}

static void
write_digest(struct jsonw *w, const struct manifest *m)
{
	jw_text_at(w, "manifest_digest", m->digest);
	jw_int_at(w, "size", m->size_bytes);
	jw_int_at(w, "files", (int64_t)m->file_count);
}

enum status
api_deploy_alias(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct alias a;
	struct version v;
	struct manifest m;
	struct jsonw w;
	const char *etag;
	enum status st;

	if ((st = alias_get(cx, request_param(rq, "name"), request_param(rq, "alias"), &a)) != OK ||
		(st = find(rq, arena_printf(cx->arena, "%lld", (long long)a.version), &v, &m)) != OK)
		return st;
	etag = arena_printf(cx->arena, "\"g%lld-%s\"", (long long)a.generation, m.digest);
	response_header(rs, "ETag", etag);
	response_header(rs, "Cache-Control", "private, no-cache");
	if (str_eq(request_header(rq, "If-None-Match"), etag)) {
		response_status(rs, 304);
		return OK;
	}
	io_begin(&w, rs);
	jw_text_at(&w, "model", a.model);
	jw_text_at(&w, "alias", a.name);
	jw_int_at(&w, "version", a.version);
	jw_int_at(&w, "generation", a.generation);
	write_digest(&w, &m);
	if (a.has_previous) {
		jw_object_at(&w, "previous");
		jw_int_at(&w, "version", a.previous_version);
		jw_end(&w);
	}
	jw_int_at(&w, "changed_unix_ms", a.changed_unix_ms);
	jw_text_at(&w, "changed_by", a.changed_by);
	jw_text_at(&w, "changed_token", a.changed_token);
	return io_end(&w);
}

enum status
api_deploy_alias_history(struct request *rq, struct response *rs)
{
	struct alias *all;
	struct jsonw w;
	size_t n;
	enum status st = alias_history(
		request_ctx(rq), request_param(rq, "name"), request_param(rq, "alias"), &all, &n);

	if (st != OK)
		return st;
	io_begin(&w, rs);
	jw_array_at(&w, "history");
	for (size_t i = 0; i < n; i++) {
		jw_object(&w);
		jw_int_at(&w, "generation", all[i].generation);
		if (all[i].has_version)
			jw_int_at(&w, "version", all[i].version);
		if (all[i].has_previous)
			jw_int_at(&w, "previous_version", all[i].previous_version);
		jw_int_at(&w, "changed_unix_ms", all[i].changed_unix_ms);
		jw_text_at(&w, "changed_by", all[i].changed_by);
		jw_text_at(&w, "changed_token", all[i].changed_token);
		jw_end(&w);
	}
	jw_end(&w);
	return io_end(&w);
}

enum status
api_deploy_version(struct request *rq, struct response *rs)
{
	struct version v;
	struct manifest m;
	struct jsonw w;
	enum status st = find(rq, request_param(rq, "version"), &v, &m);

	if (st != OK)
		return st;
	io_begin(&w, rs);
	jw_text_at(&w, "model", v.model);
	jw_int_at(&w, "version", v.version);
	write_digest(&w, &m);
	jw_int_at(&w, "created_unix_ms", v.created_unix_ms);
	jw_text_at(&w, "created_by", v.created_by);
	jw_text_at(&w, "created_token", v.created_token);
	if (!str_empty(v.run_uuid))
		jw_text_at(&w, "run_id", v.run_uuid);
	jw_text_at(&w, "source", v.source);
	return io_end(&w);
}

enum status
api_deploy_manifest(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct version v;
	struct manifest m;
	enum status st = find(rq, request_param(rq, "version"), &v, &m);

	if (st != OK)
		return st;
	response_header(rs, "ETag", arena_printf(cx->arena, "\"%s\"", m.digest));
	buf_add(response_body(rs), m.json, m.len);
	return OK;
}

/* "sha-256=:<base64>:" as RFC 9530 has it. */
static const char *
repr_digest(struct ctx *cx, const uint8_t sha256[SHA256_BYTES])
{
	char text[48];

	base64_encode(text, sizeof(text), sha256, SHA256_BYTES);
	return arena_printf(cx->arena, "sha-256=:%s:", text);
}

enum status
api_deploy_blob(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	const char *hex = request_param(rq, "sha256"), *folder, *slash;
	uint8_t digest[SHA256_BYTES];
	struct artifact file;
	struct version v;
	enum status st;

	if (!hex_decode(digest, sizeof(digest), hex))
		return fail(cx, INVALID, "\"%.100s\" is no SHA-256: 64 hexadecimal digits", hex);
	if ((st = version_get(cx, request_param(rq, "name"), request_param(rq, "version"), &v)) != OK ||
		(st = artifact_path_of_uri(cx, v.storage_location, &folder)) != OK)
		return st;
	st = artifact_by_digest(cx, folder, digest, &file);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "no file of version %lld of \"%s\" has the SHA-256 %s",
			(long long)v.version, v.model, hex);
	if (st != OK)
		return st;
	slash = strrchr(file.path, '/');
	response_header(rs, "Repr-Digest", repr_digest(cx, digest));
	return files_send(
		rq, rs, &file, &(struct file_answer){ slash == NULL ? file.path : slash + 1, true });
}
