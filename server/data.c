/* See data.h. */
#include "data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct sentence {
	char *text;
	size_t size;
};

static enum status say(const struct sentence *s, enum status st, const char *fmt, ...) printf_like(3, 4);

static enum status
say(const struct sentence *s, enum status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->text, s->size, fmt, ap);
	va_end(ap);
	return st;
}

/* Started by root, PostgreSQL's user must be able to pass through; what lies inside has its own permissions. */
static mode_t
folder_mode(void)
{
	return geteuid() == 0 ? 0711 : 0700;
}

static int
make_folders(const char *folder)
{
	char part[PATH_MAX];
	size_t len = strlen(folder);

	if (len == 0 || len >= sizeof(part)) {
		errno = len == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	for (size_t i = 1; i <= len; i++) {
		if (folder[i] != '/' && folder[i] != '\0')
			continue;
		memcpy(part, folder, i);
		part[i] = '\0';
		if (mkdir(part, 0755) == 0) {
			if (i == len && chmod(part, folder_mode()) != 0)
				return -1;
		} else if (errno != EEXIST) {
			return -1;
		}
	}
	return 0;
}

enum status
data_open(struct data *d, const char *folder, char *error, size_t error_size)
{
	const struct sentence s = { error, error_size };
	char whole[PATH_MAX];
	struct stat st;

	d->lock_fd = -1;
	if (make_folders(folder) != 0)
		return say(&s, UNAVAILABLE, "the data folder %s cannot be made: %s", folder, strerror(errno));
	if (realpath(folder, whole) == NULL || stat(whole, &st) != 0)
		return say(&s, UNAVAILABLE, "the data folder %s cannot be read: %s", folder, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return say(&s, UNAVAILABLE, "the data folder %s is no folder", folder);
	if (access(whole, R_OK | W_OK | X_OK) != 0)
		return say(&s, UNAVAILABLE, "the data folder %s cannot be used: %s", folder, strerror(errno));
	memcpy(d->path, whole, strlen(whole) + 1);
	return OK;
}

static int
inside(const struct data *d, const char *name, char path[PATH_MAX])
{
	if ((size_t)snprintf(path, PATH_MAX, "%s/%s", d->path, name) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static enum status
locked_by_other(int fd, const struct data *d, const struct sentence *s)
{
	char pid[32] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return say(s, CONFLICT,
		"another cairnd (pid %s) uses the data folder %s: stop it first, or choose another --data",
		pid[0] != '\0' ? pid : "unknown", d->path);
}

enum status
data_lock(struct data *d, char *error, size_t error_size)
{
	const struct sentence s = { error, error_size };
	char path[PATH_MAX], pid[32];
	int fd, len;

	if (inside(d, "lock", path) != 0 ||
		(fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)) < 0)
		return say(
			&s, UNAVAILABLE, "the lock %s/lock cannot be opened: %s", d->path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		enum status st = errno == EWOULDBLOCK ? locked_by_other(fd, d, &s)
						      : say(&s, UNAVAILABLE, "%s cannot be locked: %s", path,
								strerror(errno));
		close(fd);
		return st;
	}
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
		enum status st = say(&s, UNAVAILABLE, "%s cannot be written: %s", path, strerror(errno));

		close(fd);
		return st;
	}
	d->lock_fd = fd;
	return OK;
}

void
data_close(struct data *d)
{
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	d->lock_fd = -1;
}

static int
write_whole(const char *path, const char *text, mode_t mode)
{
	size_t len = strlen(text);
	int fd, failed;

	(void)unlink(path); /* of an earlier, interrupted one */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	failed = write(fd, text, len) != (ssize_t)len || fchmod(fd, mode) != 0 || fsync(fd) != 0;
	if (failed) {
		int why = errno;

		close(fd);
		(void)unlink(path);
		errno = why;
		return -1;
	}
	return close(fd);
}

enum status
data_write(
	const struct data *d, const char *name, const char *text, mode_t mode, char *error, size_t error_size)
{
	const struct sentence s = { error, error_size };
	char path[PATH_MAX], fresh[PATH_MAX + 8];

	if (inside(d, name, path) == 0) {
		(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
		if (write_whole(fresh, text, mode) == 0 && rename(fresh, path) == 0)
			return OK;
	}
	return say(&s, UNAVAILABLE, "%s/%s cannot be written: %s", d->path, name, strerror(errno));
}

void
data_remove(const struct data *d, const char *name)
{
	char path[PATH_MAX];

	if (inside(d, name, path) == 0)
		(void)unlink(path);
}
