/* A folder as an object store. Every name in it is made from a key of ours. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "blob/store.h"

#define IDENTITY "identity"

struct dir_store {
	struct blob_store base;
	int root; /* the folder */
	char path[];
};

struct dir_writer {
	struct blob_writer base;
	struct dir_store *store;
	int fd;
	char tmp[64];
	char key[BLOB_KEY_SIZE];
};

struct dir_reader {
	struct blob_reader base;
	int fd;
	int64_t left; /* -1: to the end */
};

static enum status
broken(struct ctx *cx, const char *doing)
{
	int e = errno;

	if (e == ENOSPC || e == EDQUOT)
		return fail(cx, UNAVAILABLE,
			"the disk of the blob store is full: free some space, then try again");
	log_error("blob_store", "doing=\"%s\" error=\"%s\"", doing, strerror(e));
	return fail(cx, UNAVAILABLE, "the blob store failed (%s): try again, or see the server's log", doing);
}

/* Names reach the disk with their folder. */
static bool
sync_folder(int root, const char *name)
{
	int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

static void
dir_close(struct blob_store *s)
{
	close(((struct dir_store *)s)->root);
	free(s);
}

static enum status
dir_identity(struct blob_store *s, struct ctx *cx, char out[64])
{
	int fd = openat(((struct dir_store *)s)->root, IDENTITY, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return errno == ENOENT ? OK : broken(cx, "reading its identity");
	n = read(fd, out, 63);
	close(fd);
	if (n < 0)
		return broken(cx, "reading its identity");
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return OK;
}

static enum status
dir_identify(struct blob_store *s, struct ctx *cx, const char *identity)
{
	int root = ((struct dir_store *)s)->root;
	int fd = openat(root, "tmp/identity", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = strlen(identity);
	bool good =
		fd >= 0 && write(fd, identity, n) == (ssize_t)n && write(fd, "\n", 1) == 1 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	if (!good || renameat(root, "tmp/identity", root, IDENTITY) != 0 || !sync_folder(root, "."))
		return broken(cx, "writing its identity");
	return OK;
}

static enum status
dir_write_begin(struct blob_store *s, struct ctx *cx, const char *key, struct blob_writer **out)
{
	struct dir_store *store = (struct dir_store *)s;
	struct dir_writer *w = mem_alloc(sizeof(*w));
	char random[33];

	w->store = store;
	random_hex(random, 16);
	snprintf(w->tmp, sizeof(w->tmp), "tmp/%s", random);
	snprintf(w->key, sizeof(w->key), "%s", key);
	w->fd = openat(store->root, w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		free(w);
		return broken(cx, "making an object");
	}
	*out = &w->base;
	return OK;
}

static enum status
dir_write(struct blob_writer *base, struct ctx *cx, const void *data, size_t len)
{
	struct dir_writer *w = (struct dir_writer *)base;
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return broken(cx, "writing an object");
		p += n;
		len -= (size_t)n;
	}
	return OK;
}

static void
dir_write_abort(struct blob_writer *base)
{
	struct dir_writer *w = (struct dir_writer *)base;

	close(w->fd);
	unlinkat(w->store->root, w->tmp, 0);
	free(w);
}

/* The folder "objects/ab" of a key, made when it is new. */
static bool
make_folder(int root, const char *key)
{
	char folder[BLOB_KEY_SIZE];

	snprintf(folder, sizeof(folder), "%s", key);
	*strrchr(folder, '/') = '\0';
	if (mkdirat(root, folder, 0700) == 0)
		return sync_folder(root, "objects");
	return errno == EEXIST;
}

static enum status
dir_write_end(struct blob_writer *base, struct ctx *cx)
{
	struct dir_writer *w = (struct dir_writer *)base;
	int root = w->store->root;
	char folder[BLOB_KEY_SIZE];
	enum status st = OK;

	snprintf(folder, sizeof(folder), "%s", w->key);
	*strrchr(folder, '/') = '\0';
	if (fdatasync(w->fd) != 0 || !make_folder(root, w->key) ||
		renameat(root, w->tmp, root, w->key) != 0 || !sync_folder(root, folder))
		st = broken(cx, "completing an object");
	dir_write_abort(base); /* closes it; the temporary name is gone by now unless something failed */
	return st;
}

static enum status
dir_read_begin(struct blob_store *s, struct ctx *cx, const char *key, int64_t from, int64_t length,
	struct blob_reader **out)
{
	int fd = openat(((struct dir_store *)s)->root, key, O_RDONLY | O_CLOEXEC);
	struct dir_reader *r;

	if (fd < 0)
		return errno == ENOENT ? fail(cx, NOT_FOUND,
						 "the file is known, but its bytes are not in the blob store")
				       : broken(cx, "opening an object");
	if (from > 0 && lseek(fd, from, SEEK_SET) < 0) {
		close(fd);
		return broken(cx, "seeking in an object");
	}
	posix_fadvise(fd, from, 0, POSIX_FADV_SEQUENTIAL);
	r = mem_alloc(sizeof(*r));
	r->fd = fd;
	r->left = length;
	*out = &r->base;
	return OK;
}

static enum status
dir_read(struct blob_reader *base, struct ctx *cx, void *out, size_t size, size_t *got)
{
	struct dir_reader *r = (struct dir_reader *)base;
	ssize_t n;

	if (r->left >= 0 && (int64_t)size > r->left)
		size = (size_t)r->left;
	do
		n = read(r->fd, out, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return broken(cx, "reading an object");
	if (r->left >= 0)
		r->left -= n;
	*got = (size_t)n;
	return OK;
}

static void
dir_read_end(struct blob_reader *base)
{
	close(((struct dir_reader *)base)->fd);
	free(base);
}

static enum status
dir_delete(struct blob_store *s, struct ctx *cx, const char *key)
{
	if (unlinkat(((struct dir_store *)s)->root, key, 0) != 0 && errno != ENOENT)
		return broken(cx, "deleting an object");
	return OK;
}

static const struct blob_ops dir_ops = {
	.close = dir_close,
	.identity = dir_identity,
	.identify = dir_identify,
	.write_begin = dir_write_begin,
	.write = dir_write,
	.write_end = dir_write_end,
	.write_abort = dir_write_abort,
	.read_begin = dir_read_begin,
	.read = dir_read,
	.read_end = dir_read_end,
	.delete = dir_delete,
};

/* What a crash left half-written is nobody's: its row is still pending. */
static void
empty_tmp(int root)
{
	int fd = openat(root, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlinkat(fd, e->d_name, 0);
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

static bool
make(int root, const char *name)
{
	return mkdirat(root, name, 0700) == 0 || errno == EEXIST;
}

struct blob_store *
blob_dir_open(const char *path, char *error, size_t error_size)
{
	struct dir_store *s;
	int root;

	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		snprintf(error, error_size, "the blob folder %s cannot be made: %s", path, strerror(errno));
		return NULL;
	}
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || !make(root, "tmp") || !make(root, "objects")) {
		snprintf(error, error_size, "the blob folder %s cannot be used: %s", path, strerror(errno));
		if (root >= 0)
			close(root);
		return NULL;
	}
	empty_tmp(root);
	s = mem_alloc(sizeof(*s) + strlen(path) + 1);
	s->base.ops = &dir_ops;
	s->root = root;
	memcpy(s->path, path, strlen(path));
	return &s->base;
}
