#include "lib/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/str.h"
#include "base/utf8.h"

#define PATH_BYTES 1024
#define PART_BYTES 255

struct manifest_in {
	const char *schema, *model;
	int64_t version;
	bool has_version;
	struct file_in *files;
	size_t file_count;
};

struct file_in {
	const char *path, *sha256;
	int64_t size;
	bool has_size;
};

static const struct field file_fields[] = {
	FIELD_TEXT(struct file_in, path, REQUIRED),
	FIELD_TEXT(struct file_in, sha256, REQUIRED),
	FIELD_INT_HAS(struct file_in, size, REQUIRED),
	FIELD_END,
};

static const struct field manifest_fields[] = {
	FIELD_TEXT(struct manifest_in, schema, REQUIRED),
	FIELD_TEXT(struct manifest_in, model, REQUIRED),
	FIELD_INT_HAS(struct manifest_in, version, REQUIRED),
	FIELD_LIST(struct manifest_in, files, file_count, 0, file_fields, struct file_in),
	FIELD_END,
};

static int
check_parts(struct fault *f, const char *path)
{
	for (const char *part = path;; part++) {
		size_t n = strcspn(part, "/");

		if (n == 0 || n > PART_BYTES || (n == 1 && part[0] == '.') ||
			(n == 2 && part[0] == '.' && part[1] == '.'))
			return fault_set(f, CAIRN_EINTEGRITY,
				"the manifest names \"%.200s\", which is not a plain relative path", path);
		part += n;
		if (*part == '\0')
			return CAIRN_OK;
	}
}

int
manifest_check_path(struct fault *f, const char *path)
{
	size_t len = strlen(path);
	const char *s = path;

	if (len == 0 || len > PATH_BYTES || !utf8_valid(path, len))
		return fault_set(f, CAIRN_EINTEGRITY,
			"the manifest names a path that is empty, over %d bytes or not UTF-8", PATH_BYTES);
	while (s < path + len) {
		uint32_t cp = utf8_next(&s, path + len);

		if (utf8_is_control(cp) || cp == '\\')
			return fault_set(f, CAIRN_EINTEGRITY,
				"the manifest names \"%.200s\", which has a control character or a backslash "
				"in it",
				path);
	}
	return check_parts(f, path);
}

/* ---- paths that fall together ---- */

struct folded {
	char *text; /* case folded; a slash sorts before all else, so that what lies in a folder follows the folder */
	const char *path;
};

static char *
fold(struct arena *a, const char *path)
{
	size_t len = strlen(path), n = 0;
	const char *s = path;
	char *out = arena_alloc(a, len * 4 + 1);

	while (s < path + len)
		n += utf8_put(out + n, utf8_fold(utf8_next(&s, path + len)));
	for (size_t i = 0; i < n; i++)
		if (out[i] == '/')
			out[i] = '\1';
	return out;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(((const struct folded *)a)->text, ((const struct folded *)b)->text);
}

static bool
falls_on(const struct folded *a, const struct folded *b)
{
	size_t n = strlen(a->text);

	return strncmp(a->text, b->text, n) == 0 && (b->text[n] == '\0' || b->text[n] == '\1');
}

static int
check_twins(struct ctx *cx, struct fault *f, const struct manifest *m)
{
	struct folded *all = arena_array(cx->arena, m->count + 1, sizeof(*all));

	for (size_t i = 0; i < m->count; i++)
		all[i] = (struct folded){ fold(cx->arena, m->files[i].path), m->files[i].path };
	all[m->count] = (struct folded){ fold(cx->arena, PULL_MARK), PULL_MARK };
	qsort(all, m->count + 1, sizeof(*all), by_text);
	for (size_t i = 0; i < m->count; i++)
		if (falls_on(&all[i], &all[i + 1]))
			return fault_set(f, CAIRN_EINTEGRITY,
				"\"%.300s\" and \"%.300s\" cannot stand in one directory: their names fall "
				"together",
				all[i].path, all[i + 1].path);
	return CAIRN_OK;
}

/* ---- reading ---- */

static int
take_file(struct fault *f, const struct file_in *in, struct manifest *m)
{
	struct manifest_file *file = &m->files[m->count];
	int rc = manifest_check_path(f, in->path);

	if (rc != CAIRN_OK)
		return rc;
	if (in->size < 0 || m->size > INT64_MAX - in->size || strlen(in->sha256) != 64 ||
		strspn(in->sha256, "0123456789abcdef") != 64)
		return fault_set(f, CAIRN_EINTEGRITY,
			"the manifest gives no proper size and SHA-256 for \"%.300s\"", in->path);
	file->path = in->path;
	file->size = in->size;
	str_copy(file->sha256, sizeof(file->sha256), in->sha256);
	m->size += in->size;
	m->count++;
	return CAIRN_OK;
}

static int
check_digest(struct fault *f, const char *text, size_t len, const char *digest)
{
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX];

	sha256_of(text, len, sum);
	hex_encode(hex, sum, sizeof(sum));
	if (!str_starts(digest, "sha256:") || !str_eq(digest + 7, hex))
		return fault_set(f, CAIRN_EINTEGRITY,
			"the manifest is not the one promised: its digest is sha256:%s, not %s", hex, digest);
	return CAIRN_OK;
}

int
manifest_read(struct ctx *cx, struct fault *f, const char *text, size_t len, const char *digest,
	struct manifest *out)
{
	struct manifest_in in = { 0 };
	const struct json *doc;
	int rc = check_digest(f, text, len, digest);

	if (rc != CAIRN_OK)
		return rc;
	if (json_parse(cx, text, len, &doc) != OK || fields_from_json(cx, doc, manifest_fields, &in) != OK)
		return fault_set(f, CAIRN_EINTEGRITY, "the manifest cannot be read: %s", cx->message);
	if (!str_eq(in.schema, "cairn.manifest/1"))
		return fault_set(f, CAIRN_EINTEGRITY,
			"the manifest is of the form \"%.100s\": this program is too old for it", in.schema);
	*out = (struct manifest){ .model = in.model, .version = in.version };
	out->files = arena_array(cx->arena, in.file_count, sizeof(*out->files));
	for (size_t i = 0; i < in.file_count; i++)
		if ((rc = take_file(f, &in.files[i], out)) != CAIRN_OK)
			return rc;
	return check_twins(cx, f, out);
}
