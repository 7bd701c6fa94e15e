/*
 * A version into a directory, whole or not at all. Files grow in ".NAME.cairn-<digest>.part" beside it, which is locked
 * while we work and found again by the next try; one rename, or one exchange, puts it in its place.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "lib/fetch.h"
#include "lib/http.h"
#include "lib/tree.h"

#define MANIFEST_LIMIT (64 * 1024 * 1024)
#define MARK_LIMIT     65536
#define SPARE_BYTES    (16 * 1024 * 1024) /* left free on the disk */

struct pull {
	struct call *call;
	const cairn_ref *ref;
	unsigned flags;
	bool changed;
	int parent;                /* the folder in which both lie */
	char name[NAME_BYTES];     /* of the directory */
	char part[NAME_BYTES * 2]; /* of the one that grows */
	struct manifest manifest;
	struct fetch fetch;
};

/* ---- what stands there already ---- */

enum standing { NOTHING, SAME, OTHER };

/* The digest in DIR/.cairn.json; "" when there is none. */
static void
read_mark(struct pull *p, char digest[72])
{
	char path[NAME_BYTES + sizeof(PULL_MARK) + 1];
	char *text = arena_alloc(p->call->arena, MARK_LIMIT);
	const struct json *doc;
	ssize_t n;
	int fd;

	digest[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", p->name, PULL_MARK);
	fd = openat(p->parent, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, MARK_LIMIT);
	close(fd);
	if (n > 0 && json_parse(&p->call->cx, text, (size_t)n, &doc) == OK &&
		json_kind(doc) == JSON_KIND_OBJECT)
		str_copy(digest, 72, text_or_empty(doc, "manifest_digest"));
}

static enum standing
what_stands(struct pull *p)
{
	char digest[72];
	struct stat st;

	if (fstatat(p->parent, p->name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return NOTHING;
	read_mark(p, digest);
	return str_eq(digest, p->ref->digest) ? SAME : OTHER;
}

/* ---- the directory that grows ---- */

static int
open_part(struct pull *p)
{
	struct fault *f = &p->call->fault;
	struct stat st, named;

	if (mkdirat(p->parent, p->part, 0700) != 0 && errno != EEXIST)
		return fault_set(
			f, CAIRN_EIO, "%s cannot be made beside the directory: %s", p->part, strerror(errno));
	p->fetch.root = openat(p->parent, p->part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->fetch.root < 0)
		return fault_set(f, CAIRN_EIO, "%s cannot be opened: %s", p->part, strerror(errno));
	if (flock(p->fetch.root, LOCK_EX | LOCK_NB) != 0)
		return fault_set(
			f, CAIRN_ECONFLICT, "another process is pulling the same version to the same place");
	/* the one who held the lock may have put the directory in its place meanwhile: then it is not ours to fill */
	if (fstat(p->fetch.root, &st) != 0 || fstatat(p->parent, p->part, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
		st.st_ino != named.st_ino || st.st_dev != named.st_dev)
		return fault_set(
			f, CAIRN_ECONFLICT, "another process has just pulled to the same place: try again");
	if (st.st_uid != geteuid())
		return fault_set(f, CAIRN_EIO, "%s belongs to another user: remove it", p->part);
	if (fchmod(p->fetch.root, 0700) != 0)
		return fault_set(f, CAIRN_EIO, "%s: %s", p->part, strerror(errno));
	return CAIRN_OK;
}

/* Left behind by tries for other versions, or by one that ended between exchange and removal. */
static void
remove_stale(const struct pull *p)
{
	char prefix[NAME_BYTES + 16];
	int fd = openat(p->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), one;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	snprintf(prefix, sizeof(prefix), ".%.200s.cairn-", p->name);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (!str_starts(e->d_name, prefix) || !str_ends(e->d_name, ".part") ||
			str_eq(e->d_name, p->part))
			continue;
		one = openat(p->parent, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (one >= 0 && fstat(one, &st) == 0 && st.st_uid == geteuid() &&
			flock(one, LOCK_EX | LOCK_NB) == 0)
			tree_remove(p->parent, e->d_name);
		if (one >= 0)
			close(one);
	}
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static int64_t
bytes_there(const struct pull *p)
{
	int64_t sum = 0;
	struct stat st;

	for (size_t i = 0; i < p->manifest.count; i++)
		if (fstatat(p->fetch.root, p->manifest.files[i].path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += st.st_size;
	return sum;
}

static int
check_space(const struct pull *p)
{
	int64_t missing = p->manifest.size - bytes_there(p);
	struct statvfs fs;
	double left;

	if (missing <= 0 || fstatvfs(p->fetch.root, &fs) != 0)
		return CAIRN_OK;
	left = (double)fs.f_bavail * (double)fs.f_frsize;
	if ((double)missing + SPARE_BYTES > left)
		return fault_set(&p->call->fault, CAIRN_EIO,
			"the disk has %.0f MB left, the version needs %.0f MB more", left / 1e6,
			(double)missing / 1e6);
	return CAIRN_OK;
}

/* ---- the manifest ---- */

static int
get_manifest(struct pull *p)
{
	struct call *k = p->call;
	struct http_request rq = { .method = "GET", .file_size = -1 };
	struct http_answer a;
	int rc;

	rq.path = arena_printf(k->arena, "/api/v1/models/%s/versions/%lld/manifest",
		url_part(k, p->ref->model), (long long)p->ref->version);
	http_answer_init(&a, MANIFEST_LIMIT);
	rc = http_call(k, &rq, &a);
	if (rc == CAIRN_OK && (a.body.overflow || a.body.len == 0))
		rc = fault_set(&k->fault, CAIRN_EINTEGRITY, "the manifest is empty, or over %d bytes",
			MANIFEST_LIMIT);
	if (rc == CAIRN_OK)
		rc = manifest_read(&k->cx, &k->fault, a.body.data, a.body.len, p->ref->digest, &p->manifest);
	http_answer_fini(&a);
	if (rc != CAIRN_OK)
		return rc;
	if (!str_eq(p->manifest.model, p->ref->model) || p->manifest.version != p->ref->version)
		return fault_set(&k->fault, CAIRN_EINTEGRITY,
			"the manifest is that of %.200s@%lld, not of %.200s@%lld", p->manifest.model,
			(long long)p->manifest.version, p->ref->model, (long long)p->ref->version);
	return CAIRN_OK;
}

/* ---- .cairn.json ---- */

static void
describe(const struct pull *p, struct buf *b)
{
	struct jsonw w;

	jw_init(&w, b);
	jw_object(&w);
	jw_text_at(&w, "schema", "cairn.pull/1");
	jw_text_at(&w, "model", p->ref->model);
	jw_int_at(&w, "version", p->ref->version);
	jw_text_at(&w, "alias", p->ref->alias[0] != '\0' ? p->ref->alias : NULL);
	if (p->ref->generation > 0)
		jw_int_at(&w, "generation", p->ref->generation);
	jw_text_at(&w, "manifest_digest", p->ref->digest);
	jw_int_at(&w, "size", p->manifest.size);
	jw_int_at(&w, "files", (int64_t)p->manifest.count);
	jw_int_at(&w, "pulled_unix_ms", clock_unix_ms());
	jw_end(&w);
	buf_char(b, '\n');
}

static int
write_mark(struct pull *p)
{
	int fd =
		openat(p->fetch.root, PULL_MARK, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	struct buf b;
	bool good;

	buf_init(&b, MARK_LIMIT);
	describe(p, &b);
	good = fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len && fsync(fd) == 0;
	if (!good)
		fault_set(&p->call->fault, CAIRN_EIO, "%s cannot be written: %s", PULL_MARK, strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_fini(&b);
	return good ? CAIRN_OK : CAIRN_EIO;
}

/* ---- into its place ---- */

static int
occupied(struct pull *p)
{
	return fault_set(&p->call->fault, CAIRN_ECONFLICT,
		"\"%s\" exists and does not hold version %lld of \"%.200s\": remove it, or replace it with "
		"--force",
		p->name, (long long)p->ref->version, p->ref->model);
}

static int
not_renamed(struct pull *p)
{
	return fault_set(
		&p->call->fault, CAIRN_EIO, "the directory cannot be put in its place: %s", strerror(errno));
}

static int
put_new(struct pull *p)
{
	struct stat st;

	if (renameat2(p->parent, p->part, p->parent, p->name, RENAME_NOREPLACE) == 0)
		return CAIRN_OK;
	if (errno == EEXIST)
		return occupied(p);
	if (errno != EINVAL && errno != ENOSYS)
		return not_renamed(p);
	/* a file system without that: rename itself refuses to replace anything but an empty directory */
	if (fstatat(p->parent, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return occupied(p);
	return renameat(p->parent, p->part, p->parent, p->name) == 0 ? CAIRN_OK : not_renamed(p);
}

static int
put_instead(struct pull *p)
{
	if (renameat2(p->parent, p->part, p->parent, p->name, RENAME_EXCHANGE) != 0)
		return errno == ENOENT ? put_new(p) : not_renamed(p);
	fsync(p->parent);
	tree_remove(p->parent, p->part); /* what remains is removed by the next pull */
	return CAIRN_OK;
}

static int
activate(struct pull *p)
{
	int rc = tree_sync(&p->call->fault, p->fetch.root);

	if (rc != CAIRN_OK)
		return rc;
	if (fchmod(p->fetch.root, tree_folder_mode()) != 0)
		return not_renamed(p);
	rc = (p->flags & CAIRN_PULL_REPLACE) != 0 ? put_instead(p) : put_new(p);
	if (rc == CAIRN_OK && fsync(p->parent) != 0)
		return not_renamed(p);
	return rc;
}

/* ---- what an earlier try left ---- */

struct names {
	const char **sorted;
	size_t count;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A file of the manifest, or a folder that leads to one. */
static bool
is_ours(void *arg, const char *path, bool folder)
{
	const struct names *names = arg;
	size_t lo = 0, hi = names->count, len = strlen(path);
	char key[PATH_MAX];

	snprintf(key, sizeof(key), "%s%s", path, folder ? "/" : "");
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(names->sorted[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < names->count && strncmp(names->sorted[lo], key, folder ? len + 1 : len + 2) == 0;
}

/* Files that the manifest does not name must not get into the new directory. */
static int
clear_part(struct pull *p)
{
	struct names names = { .count = p->manifest.count };

	names.sorted = arena_array(p->call->arena, names.count, sizeof(*names.sorted));
	for (size_t i = 0; i < names.count; i++)
		names.sorted[i] = p->manifest.files[i].path;
	if (names.count > 0)
		qsort(names.sorted, names.count, sizeof(*names.sorted), by_name);
	return tree_prune(&p->call->fault, p->fetch.root, is_ours, &names);
}

static int
fill(struct pull *p)
{
	int rc = open_part(p);

	if (rc == CAIRN_OK && what_stands(p) == SAME) { /* somebody was quicker */
		tree_remove(p->parent, p->part);
		return CAIRN_OK;
	}
	if (rc == CAIRN_OK)
		rc = clear_part(p);
	if (rc == CAIRN_OK)
		rc = check_space(p);
	p->fetch.total = p->manifest.size;
	for (size_t i = 0; rc == CAIRN_OK && i < p->manifest.count; i++)
		rc = fetch_file(&p->fetch, &p->manifest.files[i]);
	if (rc == CAIRN_OK)
		rc = write_mark(p);
	if (rc == CAIRN_OK)
		rc = activate(p);
	p->changed = rc == CAIRN_OK;
	return rc;
}

static int
pull(struct pull *p, const char *directory, cairn_pull_result *result)
{
	enum standing standing;
	int rc = tree_open_parent(&p->call->fault, directory, &p->parent, p->name);

	if (rc != CAIRN_OK)
		return rc;
	snprintf(p->part, sizeof(p->part), ".%.200s.cairn-%.16s.part", p->name, p->ref->digest + 7);
	remove_stale(p);
	standing = what_stands(p);
	result->files = p->ref->files;
	if (standing == SAME)
		return CAIRN_OK;
	if (standing == OTHER && (p->flags & CAIRN_PULL_REPLACE) == 0)
		return occupied(p);
	if ((rc = get_manifest(p)) == CAIRN_OK)
		rc = fill(p);
	*result = (cairn_pull_result){
		.changed = p->changed,
		.bytes_fetched = p->fetch.fetched,
		.bytes_reused = p->fetch.reused,
		.files = (int64_t)p->manifest.count,
	};
	return rc;
}

int
cairn_pull(cairn_client *c, const cairn_ref *ref, const char *directory, const cairn_pull_options *options,
	cairn_pull_result *result)
{
	struct pull p = { .ref = ref, .parent = -1 };
	cairn_pull_result mine = { 0 };
	struct call k;
	int rc;

	if (!client_usable(c) || ref == NULL || str_empty(directory) || strlen(ref->digest) != 71)
		return CAIRN_EINVAL;
	call_init(&k, c);
	p.call = &k;
	p.flags = options == NULL ? 0 : options->flags;
	p.fetch = (struct fetch){ .call = &k, .ref = ref, .root = -1 };
	if (options != NULL) {
		p.fetch.progress = options->progress;
		p.fetch.progress_arg = options->progress_arg;
	}
	rc = pull(&p, directory, &mine);
	if (p.fetch.root >= 0)
		close(p.fetch.root);
	if (p.parent >= 0)
		close(p.parent);
	if (result != NULL)
		*result = mine;
	return call_end(&k, rc, NULL);
}
