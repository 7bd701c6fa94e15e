/* Artifacts: the proxied store that clients write to and read from, and listings by run. */
#include "domain/artifact.h"

#include <string.h>

#include "api/files.h"
#include "api/handlers.h"
#include "api/io.h"
#include "base/str.h"
#include "domain/logged_model.h"
#include "domain/registry.h"
#include "domain/run.h"

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* ---- the store by path ---- */

static enum status
body_source(void *arg, void *out, size_t size, size_t *got)
{
	return request_read(arg, out, size, got);
}

enum status
api_artifact_put(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	const char *path;
	enum status st;

	if ((st = artifact_path(cx, request_param(rq, "path"), false, &path)) != OK ||
		(st = artifact_put(cx, path, body_source, rq)) != OK)
		return st;
	return io_empty(rs);
}

/* Files directly below a folder, {path, is_dir, file_size}; `skip` bytes of each path are the listing's root. */
static void
write_files(struct jsonw *w, const struct artifact *files, size_t n, size_t skip)
{
	if (n == 0)
		return;
	jw_array_at(w, "files");
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_text_at(w, "path", files[i].path + skip);
		jw_bool_at(w, "is_dir", files[i].is_dir);
		if (!files[i].is_dir)
			jw_int_at(w, "file_size", files[i].size_bytes);
		jw_end(w);
	}
	jw_end(w);
}

static enum status
list_folder(struct request *rq, struct response *rs, const char *text)
{
	struct ctx *cx = request_ctx(rq);
	struct artifact *files;
	struct jsonw w;
	const char *folder;
	size_t n;
	enum status st;

	if ((st = artifact_path(cx, text == NULL ? "" : text, true, &folder)) != OK ||
		(st = artifact_list(cx, folder, &files, &n)) != OK)
		return st;
	io_begin(&w, rs);
	write_files(&w, files, n, *folder == '\0' ? 0 : strlen(folder) + 1);
	return io_end(&w);
}

enum status
api_artifact_list_root(struct request *rq, struct response *rs)
{
	return list_folder(rq, rs, request_query_one(rq, "path"));
}

enum status
api_artifact_get(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct artifact a;
	const char *path;
	enum status st;

	if ((st = artifact_path(cx, request_param(rq, "path"), true, &path)) != OK)
		return st;
	if (*path == '\0')
		return list_folder(rq, rs, request_query_one(rq, "path"));
	if ((st = artifact_get(cx, path, &a)) != OK)
		return st;
	return files_send(rq, rs, &a, &(struct file_answer){ base_name(path), false });
}

enum status
api_artifact_delete(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	const char *path;
	enum status st;

	if ((st = artifact_path(cx, request_param(rq, "path"), false, &path)) != OK ||
		(st = artifact_delete(cx, path)) != OK)
		return st;
	return io_empty(rs);
}

enum status
api_artifact_no_multipart(struct request *rq, struct response *rs)
{
	(void)rs;
	return fail(request_ctx(rq), NOT_IMPLEMENTED,
		"Multipart upload is not supported for the current artifact repository");
}

enum status
api_artifact_no_presigned(struct request *rq, struct response *rs)
{
	(void)rs;
	return fail(request_ctx(rq), NOT_IMPLEMENTED,
		"Presigned URLs are not supported for the current artifact repository");
}

/* ---- by run and by version ---- */

enum status
api_write_listing(struct request *rq, struct response *rs, const char *root_uri, const char *path)
{
	struct ctx *cx = request_ctx(rq);
	struct artifact *files;
	const char *root, *below, *folder;
	struct jsonw w;
	size_t n;
	enum status st;

	if ((st = artifact_path(cx, path == NULL ? "" : path, true, &below)) != OK ||
		(st = artifact_path_of_uri(cx, root_uri, &root)) != OK)
		return st;
	folder = artifact_join(cx, root, below);
	if ((st = artifact_list(cx, folder, &files, &n)) != OK)
		return st;
	io_begin(&w, rs);
	jw_text_at(&w, "root_uri", root_uri);
	write_files(&w, files, n, *root == '\0' ? 0 : strlen(root) + 1);
	return io_end(&w);
}

struct in {
	const char *run_id, *run_uuid, *path;
};
static const struct field list_fields[] = {
	FIELD_TEXT(struct in, run_id, 0),
	FIELD_TEXT(struct in, run_uuid, 0),
	FIELD_TEXT(struct in, path, 0),
	FIELD_END,
};

static enum status
read_run(struct request *rq, struct in *in, struct run *run)
{
	struct ctx *cx = request_ctx(rq);
	size_t n;
	const struct pair *query = request_query(rq, &n);
	enum status st = fields_from_pairs(cx, query, n, list_fields, in);

	if (st != OK)
		return st;
	if (str_empty(in->run_id) && str_empty(in->run_id = in->run_uuid))
		return fail(cx, INVALID, "Missing value for required parameter 'run_id'.");
	return run_find(cx, in->run_id, run);
}

enum status
api_run_files(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct run run;
	enum status st = read_run(rq, &in, &run);

	return st == OK ? api_write_listing(rq, rs, run.artifact_uri, in.path) : st;
}

static enum status
missing(struct request *rq, const char *parameter)
{
	return fail(request_ctx(rq), INVALID, "Missing value for required parameter '%s'.", parameter);
}

/* The file below root_uri that the query's `parameter` names. */
static enum status
send_below(struct request *rq, struct response *rs, const char *root_uri, const char *parameter)
{
	const char *path = request_query_one(rq, parameter), *root, *below;
	struct ctx *cx = request_ctx(rq);
	struct artifact a;
	enum status st;

	if (str_empty(path))
		return missing(rq, parameter);
	if ((st = artifact_path(cx, path, false, &below)) != OK ||
		(st = artifact_path_of_uri(cx, root_uri, &root)) != OK ||
		(st = artifact_get(cx, artifact_join(cx, root, below), &a)) != OK)
		return st;
	return files_send(rq, rs, &a, &(struct file_answer){ base_name(below), false });
}

enum status
api_run_file(struct request *rq, struct response *rs)
{
	struct in in = { 0 };
	struct run run;
	enum status st = read_run(rq, &in, &run);

	return st == OK ? send_below(rq, rs, run.artifact_uri, "path") : st;
}

enum status
api_version_file(struct request *rq, struct response *rs)
{
	const char *name = request_query_one(rq, "name"), *number = request_query_one(rq, "version");
	struct version v;
	enum status st;

	if (str_empty(name))
		return missing(rq, "name");
	if (str_empty(number))
		return missing(rq, "version");
	st = version_get(request_ctx(rq), name, number, &v);
	return st == OK ? send_below(rq, rs, v.storage_location, "path") : st;
}

enum status
api_logged_model_file(struct request *rq, struct response *rs)
{
	struct logged_model m;
	enum status st = logged_model_get(request_ctx(rq), request_param(rq, "model_id"), false, &m);

	return st == OK ? send_below(rq, rs, m.artifact_uri, "artifact_file_path") : st;
}

/* ---- an upload by a browser ---- */

#define UPLOAD_MOST (10 << 20)

struct upload {
	struct request *rq;
	size_t len;
};

static enum status
upload_source(void *arg, void *out, size_t size, size_t *got)
{
	struct upload *u = arg;
	enum status st = request_read(u->rq, out, size, got);

	if (st != OK)
		return st;
	u->len += *got;
	if (u->len > UPLOAD_MOST)
		return fail(request_ctx(u->rq), INVALID, "Artifact size is too large. Max size is 10MB.");
	if (u->len == 0)
		return fail(request_ctx(u->rq), INVALID, "Request must specify data.");
	return OK;
}

enum status
api_run_upload(struct request *rq, struct response *rs)
{
	const char *uuid = request_query_one(rq, "run_uuid"), *path = request_query_one(rq, "path"), *root,
		   *below;
	struct upload upload = { .rq = rq };
	struct ctx *cx = request_ctx(rq);
	struct run run;
	enum status st;

	(void)rs;
	if (str_empty(uuid) || str_empty(path))
		return fail(cx, INVALID, "Request must specify %s.", str_empty(uuid) ? "run_uuid" : "path");
	if (request_body_length(rq) > UPLOAD_MOST)
		return fail(cx, INVALID, "Artifact size is too large. Max size is 10MB.");
	if ((st = artifact_path(cx, path, false, &below)) != OK || (st = run_find(cx, uuid, &run)) != OK ||
		(st = artifact_path_of_uri(cx, run.artifact_uri, &root)) != OK)
		return st;
	return artifact_put(cx, artifact_join(cx, root, below), upload_source, &upload);
}
