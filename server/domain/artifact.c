#include "domain/artifact.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "blob/blob.h"
#include "store/artifacts.h"

#define PATH_BYTES     1024
#define ENCODED_LONGER 4 /* times: each byte may come as %XX */
#define PIECE_BYTES    (128 * 1024)
/* an upload that has not ended after a day never will */
#define PENDING_MS    (24LL * 3600 * 1000)
#define SWEEP_AT_ONCE 200

/* ---- paths ---- */

static int
hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Decode %XX once, in place; false when there was none. */
static bool
decode_once(char *s)
{
	char *to = s;
	bool changed = false;

	for (; *s != '\0'; s++) {
		if (*s == '%' && hex_value(s[1]) >= 0 && hex_value(s[2]) >= 0 &&
			(s[1] != '0' || s[2] != '0')) {
			*to++ = (char)(hex_value(s[1]) * 16 + hex_value(s[2]));
			s += 2;
			changed = true;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
	return changed;
}

static bool
has_dotdot(const char *s)
{
	for (const char *p = s; p != NULL; p = strchr(p, '/'), p = p != NULL ? p + 1 : NULL)
		if (str_starts(p, "..") && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

/* What leads out of its folder, or ends the path of a URI. */
static bool
escapes(const char *s)
{
	if (*s == '/' || strpbrk(s, "\\#") != NULL || has_dotdot(s))
		return true;
	return s[0] != '\0' && s[1] == ':' && (s[0] | 32) >= 'a' && (s[0] | 32) <= 'z'; /* a drive */
}

/* Decoded until nothing is left to decode, in the arena; NULL when a decoding on the way escapes. */
static char *
decode_wholly(struct ctx *cx, const char *text)
{
	char *s = arena_str(cx->arena, text);

	do
		if (escapes(s))
			return NULL;
	while (decode_once(s));
	return s;
}

/* Bytes of the valid character at s, 0 when there is none. */
static size_t
character_bytes(const char *s)
{
	size_t left = strlen(s);

	for (size_t n = 1; n <= 4 && n <= left; n++)
		if (utf8_valid(s, n))
			return n;
	return 0;
}

/* Control characters become %17 and the like again, and what is no character U+FFFD. */
static char *
presentable(struct ctx *cx, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	char *out = arena_alloc(cx->arena, 3 * strlen(s) + 1), *to = out;

	while (*s != '\0') {
		size_t n = character_bytes(s);

		if (n == 1 && ((unsigned char)*s < ' ' || *s == 0x7f)) {
			*to++ = '%';
			*to++ = hex[*s >> 4];
			*to++ = hex[*s & 15];
		} else if (n == 0) {
			to += utf8_put(to, 0xfffd);
		} else {
			memcpy(to, s, n);
			to += n;
		}
		s += n > 0 ? n : 1;
	}
	*to = '\0';
	return out;
}

static bool
unprintable(const char *s)
{
	if (!utf8_valid(s, strlen(s)))
		return true;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

/* Empty and "." parts mean nothing. */
static char *
normal(struct ctx *cx, const char *text)
{
	char *out = arena_alloc(cx->arena, strlen(text) + 1), *to = out;

	while (*text != '\0') {
		size_t n = strcspn(text, "/");

		if (n > 0 && !(n == 1 && text[0] == '.')) {
			if (to > out)
				*to++ = '/';
			memcpy(to, text, n);
			to += n;
		}
		text += n;
		text += *text == '/';
	}
	*to = '\0';
	return out;
}

enum status
artifact_path(struct ctx *cx, const char *text, bool empty_ok, const char **out)
{
	char *decoded, *path;

	/* before decoding: a text encoded a million times over would take a million rounds */
	if (strlen(text) > PATH_BYTES * ENCODED_LONGER)
		return fail(cx, INVALID, "Invalid path: it is longer than %d bytes", PATH_BYTES);
	decoded = unprintable(text) ? NULL : decode_wholly(cx, text);
	if (decoded == NULL)
		return fail(cx, INVALID,
			"Invalid path: %.300s. It must be relative, without \"..\", backslashes, '#' and "
			"control characters",
			text);
	path = normal(cx, presentable(cx, decoded));
	if (strlen(path) > PATH_BYTES)
		return fail(cx, INVALID, "Invalid path: it is longer than %d bytes", PATH_BYTES);
	if (*path == '\0' && !empty_ok)
		return fail(cx, INVALID, "Invalid path: it is empty");
	*out = path;
	return OK;
}

enum status
artifact_path_of_uri(struct ctx *cx, const char *uri, const char **out)
{
	const char *p = uri;

	if (!str_starts(uri, ARTIFACT_SCHEME))
		return fail(cx, INVALID,
			"the files at \"%.300s\" are not kept by this server: fetch them from there", uri);
	for (p += strlen(ARTIFACT_SCHEME); *p == '/'; p++)
		;
	return artifact_path(cx, p, true, out);
}

const char *
artifact_join(struct ctx *cx, const char *folder, const char *path)
{
	if (*folder == '\0' || *path == '\0')
		return *folder == '\0' ? path : folder;
	return arena_printf(cx->arena, "%s/%s", folder, path);
}

/* ---- writing ---- */

static enum status
reserve(struct ctx *cx, const char *key, int64_t *blob_id)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK &&
		(st = store_blob_insert(tx, key, clock_unix_ms(), blob_id)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

static enum status
copy_in(struct ctx *cx, const char *key, artifact_source_fn *source, void *arg, struct blob_sum *sum)
{
	char *piece = arena_alloc(cx->arena, PIECE_BYTES);
	struct blob_writer *w = NULL;
	size_t got;
	enum status st;

	if ((st = blob_write_begin(cx->parts->blobs, cx, key, &w)) != OK)
		return st;
	while ((st = source(arg, piece, PIECE_BYTES, &got)) == OK && got > 0)
		if ((st = blob_write(w, cx, piece, got)) != OK)
			break;
	if (st == OK)
		return blob_write_end(&w, cx, sum);
	blob_write_abort(&w);
	return st;
}

static enum status
name_it(struct ctx *cx, const char *path, int64_t blob_id, const struct blob_sum *sum)
{
	struct tx *tx = NULL;
	const char *clash;
	bool settled;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK || (st = store_artifact_clash(tx, path, &clash)) != OK)
		goto out;
	if (clash != NULL) {
		st = fail(cx, INVALID,
			"\"%.200s\" cannot be written: \"%.200s\" is there, and a path is a file or a "
			"folder, not both",
			path, clash);
		goto out;
	}
	if ((st = store_blob_commit(tx, blob_id, sum->size_bytes, sum->sha256, &settled)) != OK)
		goto out;
	if (!settled) {
		st = fail(cx, UNAVAILABLE, "the upload took so long that it was cleared away: send it again");
		goto out;
	}
	if ((st = store_artifact_put(tx, path, blob_id, clock_unix_ms())) == OK)
		st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

/* The object of a failed upload; what cannot be cleared now is swept later. */
static void
clear(struct ctx *cx, const char *key, int64_t blob_id)
{
	struct ctx aside;
	struct tx *tx = NULL;

	ctx_init(&aside, cx->arena, cx->parts); /* keeps the sentence of the failure */
	if (blob_delete(aside.parts->blobs, &aside, key) == OK && tx_auto(&aside, &tx) == OK &&
		store_blob_delete(tx, blob_id) != OK)
		log_warn("blob_left", "key=%s", key);
	tx_rollback(&tx);
}

enum status
artifact_put(struct ctx *cx, const char *path, artifact_source_fn *source, void *arg)
{
	char key[BLOB_KEY_SIZE];
	struct blob_sum sum;
	int64_t blob_id;
	enum status st;

	blob_key(key);
	if ((st = reserve(cx, key, &blob_id)) != OK)
		return st;
	if ((st = copy_in(cx, key, source, arg, &sum)) == OK)
		st = name_it(cx, path, blob_id, &sum);
	/* UNAVAILABLE may mean that the commit is in doubt: then the row decides, and the sweep asks it */
	if (st != OK && st != UNAVAILABLE)
		clear(cx, key, blob_id);
	return st;
}

enum status
artifact_delete(struct ctx *cx, const char *path)
{
	struct ctx aside;
	struct tx *tx = NULL;
	size_t n;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = store_artifact_delete(tx, path)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	if (st == OK) { /* the paths are gone; objects that stay now are swept later */
		ctx_init(&aside, cx->arena, cx->parts);
		if (artifact_sweep(&aside, &n) != OK)
			log_warn("sweep", "message=\"%s\"", aside.message);
	}
	return st;
}

/* ---- reading ---- */

enum status
artifact_get(struct ctx *cx, const char *path, struct artifact *out)
{
	struct artifact *below;
	struct tx *tx = NULL;
	bool found = false;
	size_t n = 0;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK && (st = store_artifact_get(tx, path, out, &found)) == OK && !found)
		st = store_artifact_list(tx, path, &below, &n);
	tx_rollback(&tx);
	if (st != OK || found)
		return st;
	if (n > 0)
		return fail(cx, INVALID, "\"%.300s\" is a folder: name a file in it", path);
	return fail(cx, NOT_FOUND, "No such artifact: '%.300s'", path);
}

enum status
artifact_list(struct ctx *cx, const char *folder, struct artifact **out, size_t *n)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_artifact_list(tx, folder, out, n);
	tx_rollback(&tx);
	return st;
}

enum status
artifact_tree(struct ctx *cx, const char *folder, struct artifact **out, size_t *n)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_artifact_tree(tx, folder, out, n);
	tx_rollback(&tx);
	return st;
}

enum status
artifact_by_digest(struct ctx *cx, const char *folder, const uint8_t sha256[32], struct artifact *out)
{
	struct tx *tx = NULL;
	bool found = false;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_artifact_by_digest(tx, folder, sha256, out, &found);
	tx_rollback(&tx);
	return st == OK && !found ? NOT_FOUND : st;
}

enum status
artifact_read(struct ctx *cx, const struct artifact *a, int64_t from, int64_t length,
	enum status (*begin)(void *arg, int64_t length), artifact_sink_fn *sink, void *arg)
{
	char *piece = arena_alloc(cx->arena, PIECE_BYTES);
	struct blob_reader *r = NULL;
	size_t got;
	enum status st;

	if ((st = blob_read_begin(cx->parts->blobs, cx, a->key, from, length, &r)) != OK)
		return st;
	st = begin(arg, length);
	while (st == OK && (st = blob_read(r, cx, piece, PIECE_BYTES, &got)) == OK && got > 0)
		st = sink(arg, piece, got);
	blob_read_end(&r);
	return st;
}

/* ---- sweeping ---- */

static enum status
sweep_one(struct ctx *cx, const struct blob_row *row)
{
	struct tx *tx = NULL;
	bool discarded = false;
	enum status st;

	/* a pending row is given up first, so that a late upload finds it gone */
	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_blob_discard(tx, row->blob_id, &discarded);
	tx_rollback(&tx);
	if (st != OK || !discarded || (st = blob_delete(cx->parts->blobs, cx, row->key)) != OK)
		return st;
	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_blob_delete(tx, row->blob_id);
	tx_rollback(&tx);
	return st;
}

enum status
artifact_sweep(struct ctx *cx, size_t *n)
{
	struct blob_row *rows;
	struct tx *tx = NULL;
	enum status st, one;

	*n = 0;
	if ((st = tx_auto(cx, &tx)) == OK)
		st = store_blob_leftovers(tx, clock_unix_ms() - PENDING_MS, SWEEP_AT_ONCE, &rows, n);
	tx_rollback(&tx);
	if (st != OK)
		return st;
	for (size_t i = 0; i < *n; i++) /* one that stays does not keep the others */
		if ((one = sweep_one(cx, &rows[i])) != OK)
			st = one;
	return st;
}
