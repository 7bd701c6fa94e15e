/*
 * Serves the web UI. The table is made before any request and never changes, so that event loops read it without a lock.
 */
#include "api/web.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/web_files.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

#define FOLDER_FILES 2000
#define FOLDER_BYTES ((size_t)64 << 20)
#define FOLDER_DEPTH 8

#define CSP                                                                                                  \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src "  \
	"'self'; "                                                                                           \
	"font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

static const char no_ui[] =
	"This Cairn was built without its web UI (CAIRN_WEB=OFF). The API is here all the same: "
	"point MLflow or the program cairn at this address.\n";

/* What web_setup() read from a folder; nothing: the embedded files are served. */
static struct {
	struct web_file *files;
	size_t count;
	size_t bytes;
} folder;

/* ---- answering ---- */

static const struct web_file *
web_find(const char *path)
{
	const struct web_file *files = folder.files ? folder.files : web_files;
	size_t count = folder.files ? folder.count : web_file_count;

	for (size_t i = 0; i < count; i++)
		if (str_eq(files[i].path, path))
			return &files[i];
	return NULL;
}

/* Is `coding` among the request's Accept-Encoding, and not with q=0? */
static bool
accepts(const char *header, const char *coding)
{
	size_t n = strlen(coding);

	for (const char *p = header; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		p += strspn(p, " \t");
		if (strncasecmp(p, coding, n) != 0)
			continue;
		const char *after = p + n + strspn(p + n, " \t");
		if (*after == '\0' || *after == ',')
			return true;
		if (*after != ';')
			continue;
		const char *q = after + 1 + strspn(after + 1, " \t");
		return strncasecmp(q, "q=", 2) != 0 || strtod(q + 2, NULL) > 0;
	}
	return false;
}

struct form {
	const struct web_bytes *bytes;
	const char *coding; /* NULL: plain */
	char etag[80];
};

static struct form
web_form(const struct web_file *file, const char *accept)
{
	struct form form = { .bytes = &file->plain };
	const char *suffix = "";

	if (file->br.data && accepts(accept, "br")) {
		form = (struct form){ .bytes = &file->br, .coding = "br" };
		suffix = "-br";
	} else if (file->gzip.data && accepts(accept, "gzip")) {
		form = (struct form){ .bytes = &file->gzip, .coding = "gzip" };
		suffix = "-gz";
	}
	snprintf(form.etag, sizeof form.etag, "%.*s%s\"", (int)strlen(file->etag) - 1, file->etag, suffix);
	return form;
}

static void
security_headers(struct response *rs)
{
	response_header(rs, "Content-Security-Policy", CSP);
	response_header(rs, "Referrer-Policy", "no-referrer");
	response_header(rs, "X-Frame-Options", "DENY");
	response_header(rs, "Cross-Origin-Opener-Policy", "same-origin");
}

static bool
unchanged(struct request *rq, const char *etag)
{
	const char *known = request_header(rq, "If-None-Match");

	return known && (str_eq(known, "*") || strstr(known, etag));
}

static enum status
send_file(struct request *rq, struct response *rs, const struct web_file *file)
{
	struct form form = web_form(file, request_header(rq, "Accept-Encoding"));
	bool for_ever = str_starts(file->path, "/assets/");

	security_headers(rs);
	response_header(rs, "ETag", form.etag);
	response_header(rs, "Cache-Control", for_ever ? "public, max-age=31536000, immutable" : "no-cache");
	if (file->br.data || file->gzip.data)
		response_header(rs, "Vary", "Accept-Encoding");
	if (unchanged(rq, form.etag)) {
		response_status(rs, 304);
		return OK;
	}
	if (form.coding)
		response_header(rs, "Content-Encoding", form.coding);
	response_type(rs, file->type);
	response_static(rs, form.bytes->data, form.bytes->len);
	return OK;
}

static bool
first_segment_is(const char *path, const char *name)
{
	size_t n = strlen(name);

	return path[0] == '/' && strncmp(path + 1, name, n) == 0 &&
	       (path[n + 1] == '/' || path[n + 1] == '\0');
}

/* May the UI have a page there? Names of models hold dots, so only a first segment with one is taken for a file. */
static bool
is_page(const char *path)
{
	static const char *const others[] = { "api", "ajax-api", "assets", "v1", "graphql", "get-artifact",
		"model-versions", "static-files" };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (first_segment_is(path, others[i]))
			return false;
	return memchr(path + 1, '.', strcspn(path + 1, "/")) == NULL;
}

enum status
api_web(struct request *rq, struct response *rs)
{
	const char *path = request_path(rq);
	const struct web_file *file = web_find(path);

	if (file == NULL && !is_page(path))
		return fail(request_ctx(rq), NO_ENDPOINT, "there is nothing at %s", path);
	if (file == NULL)
		file = web_find("/index.html");
	if (file != NULL)
		return send_file(rq, rs, file);
	security_headers(rs);
	response_type(rs, "text/plain; charset=utf-8");
	response_static(rs, no_ui, sizeof no_ui - 1);
	return OK;
}

/* ---- reading a folder, at start ---- */

static const char *
type_of(const char *path)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".woff2", "font/woff2" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".json", "application/json" },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_ends(path, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* False with errno set when the file cannot be read, or all of them are too large together. */
static bool
read_file(const char *name, struct web_bytes *out)
{
	FILE *f = fopen(name, "rbe");
	struct stat st;
	bool ok = false;

	if (f == NULL)
		return false;
	if (fstat(fileno(f), &st) != 0)
		goto out;
	if (st.st_size < 0 || (size_t)st.st_size > FOLDER_BYTES - folder.bytes) {
		errno = EFBIG;
		goto out;
	}
	size_t len = (size_t)st.st_size;
	unsigned char *data = mem_alloc(len + 1);
	if (fread(data, 1, len, f) != len) {
		free(data);
		errno = EIO;
		goto out;
	}
	*out = (struct web_bytes){ data, len };
	folder.bytes += len;
	ok = true;
out:
	fclose(f);
	return ok;
}

/* A packed form beside the file; its absence is fine. */
static bool
read_beside(const char *name, const char *suffix, struct web_bytes *out)
{
	char packed[PATH_MAX];

	if (snprintf(packed, sizeof packed, "%s%s", name, suffix) >= (int)sizeof packed)
		return true;
	return read_file(packed, out) || errno == ENOENT;
}

static char *
etag_of(const struct web_bytes *bytes)
{
	unsigned char digest[SHA256_BYTES];
	char *etag = mem_alloc(35);

	sha256_of(bytes->data, bytes->len, digest);
	etag[0] = '"';
	hex_encode(etag + 1, digest, 16);
	etag[33] = '"';
	return etag;
}

static bool
add_file(const char *name, const char *path)
{
	struct web_file file = { 0 };

	if (str_ends(path, ".br") || str_ends(path, ".gz") || str_eq(path, "/manifest.json"))
		return true;
	if (folder.count == FOLDER_FILES) {
		errno = EFBIG;
		return false;
	}
	if (!read_file(name, &file.plain))
		return false;
	file.path = mem_str(path);
	file.type = type_of(path);
	file.etag = etag_of(&file.plain);
	bool ok = read_beside(name, ".br", &file.br) && read_beside(name, ".gz", &file.gzip);
	folder.files = mem_resize(folder.files, folder.count + 1, sizeof *folder.files);
	folder.files[folder.count++] = file;
	return ok;
}

static bool read_folder(const char *dirname, const char *prefix, int depth);

static bool
add_entry(const char *dirname, const char *prefix, const char *entry, int depth)
{
	char name[PATH_MAX], path[PATH_MAX];
	struct stat st;

	if (snprintf(name, sizeof name, "%s/%s", dirname, entry) >= (int)sizeof name ||
		snprintf(path, sizeof path, "%s/%s", prefix, entry) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (stat(name, &st) != 0)
		return false;
	if (S_ISDIR(st.st_mode))
		return read_folder(name, path, depth + 1);
	return !S_ISREG(st.st_mode) || add_file(name, path);
}

static bool
read_folder(const char *dirname, const char *prefix, int depth)
{
	const struct dirent *entry;
	bool ok = true;
	DIR *dir;

	if (depth > FOLDER_DEPTH)
		return true;
	if ((dir = opendir(dirname)) == NULL)
		return false;
	while (ok && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			ok = add_entry(dirname, prefix, entry->d_name, depth);
	int saved = errno;
	closedir(dir);
	errno = saved;
	return ok;
}

bool
web_setup(const char *dir, char *error, size_t error_size)
{
	if (dir == NULL)
		return true;
	if (!read_folder(dir, "", 0)) {
		snprintf(
			error, error_size, "the web UI's folder %s cannot be read: %s", dir, strerror(errno));
		return false;
	}
	if (folder.count > 0 && web_find("/index.html") != NULL)
		return true;
	snprintf(error, error_size,
		"the web UI's folder %s has no index.html: build it with npm run build in web/", dir);
	return false;
}

void
web_teardown(void)
{
	for (size_t i = 0; i < folder.count; i++) {
		free((void *)folder.files[i].path);
		free((void *)folder.files[i].etag);
		free((void *)folder.files[i].plain.data);
		free((void *)folder.files[i].br.data);
		free((void *)folder.files[i].gzip.data);
	}
	free(folder.files);
	memset(&folder, 0, sizeof folder);
}
