#include "lib/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define DEEPEST 512

int
tree_open_parent(struct fault *f, const char *directory, int *parent, char name[NAME_BYTES])
{
	size_t len = strlen(directory), at;
	char folder[PATH_MAX];

	while (len > 1 && directory[len - 1] == '/')
		len--;
	for (at = len; at > 0 && directory[at - 1] != '/'; at--)
		;
	if (len - at == 0 || len - at >= NAME_BYTES || at >= sizeof(folder))
		return fault_set(f, CAIRN_EINVAL,
			"\"%.300s\" cannot be a new directory: give a path ending in its name", directory);
	snprintf(name, NAME_BYTES, "%.*s", (int)(len - at), directory + at);
	snprintf(folder, sizeof(folder), "%.*s", at == 0 ? 1 : (int)at, at == 0 ? "." : directory);
	if (str_eq(name, ".") || str_eq(name, ".."))
		return fault_set(f, CAIRN_EINVAL,
			"\"%.300s\" cannot be a new directory: give a path ending in its name", directory);
	*parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*parent < 0)
		return fault_set(
			f, CAIRN_EIO, "the folder %.300s cannot be opened: %s", folder, strerror(errno));
	return CAIRN_OK;
}

int
tree_make_folders(struct fault *f, int root, const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdirat(root, part, 0777) != 0 && errno != EEXIST)
			return fault_set(
				f, CAIRN_EIO, "the folder %.300s cannot be made: %s", part, strerror(errno));
	}
	return CAIRN_OK;
}

static DIR *
open_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		close(fd);
	return dir;
}

static bool
is_self(const struct dirent *e)
{
	return str_eq(e->d_name, ".") || str_eq(e->d_name, "..");
}

static bool
sync_below(int parent, const char *name, int depth)
{
	DIR *dir = depth > DEEPEST ? NULL : open_folder(parent, name);
	struct dirent *e;
	bool good = dir != NULL;

	while (good && (e = readdir(dir)) != NULL) {
		struct stat st;

		if (!is_self(e) && fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISDIR(st.st_mode))
			good = sync_below(dirfd(dir), e->d_name, depth + 1);
	}
	good = good && fsync(dirfd(dir)) == 0;
	if (dir != NULL)
		closedir(dir);
	return good;
}

int
tree_sync(struct fault *f, int folder)
{
	if (!sync_below(folder, ".", 0))
		return fault_set(f, CAIRN_EIO, "the new directory could not be written to the disk: %s",
			strerror(errno));
	return CAIRN_OK;
}

static bool
remove_below(int parent, const char *name, int depth)
{
	struct dirent *e;
	bool good = true;
	DIR *dir;

	if (unlinkat(parent, name, 0) == 0)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return errno == ENOENT;
	dir = depth > DEEPEST ? NULL : open_folder(parent, name);
	if (dir == NULL)
		return false;
	while ((e = readdir(dir)) != NULL)
		if (!is_self(e))
			good = remove_below(dirfd(dir), e->d_name, depth + 1) && good;
	closedir(dir);
	return good && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

bool
tree_remove(int parent, const char *name)
{
	return remove_below(parent, name, 0);
}

struct prune {
	bool (*keep)(void *arg, const char *path, bool folder);
	void *arg;
	char path[PATH_MAX];
};

static bool prune_below(struct prune *p, int parent, const char *name, size_t len, int depth);

/* One entry; len bytes of p->path name the folder it lies in, with a slash at their end. */
static bool
prune_entry(struct prune *p, int folder, const char *name, size_t len, int depth)
{
	size_t n = strlen(name);
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || len + n + 2 > sizeof(p->path))
		return false;
	memcpy(p->path + len, name, n + 1);
	if (!(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) || !p->keep(p->arg, p->path, S_ISDIR(st.st_mode)))
		return remove_below(folder, name, depth);
	if (S_ISREG(st.st_mode))
		return true;
	p->path[len + n] = '/';
	return prune_below(p, folder, name, len + n + 1, depth + 1);
}

static bool
prune_below(struct prune *p, int parent, const char *name, size_t len, int depth)
{
	DIR *dir = depth > DEEPEST ? NULL : open_folder(parent, name);
	struct dirent *e;
	bool good = dir != NULL;

	while (good && (e = readdir(dir)) != NULL)
		if (!is_self(e))
			good = prune_entry(p, dirfd(dir), e->d_name, len, depth);
	if (dir != NULL)
		closedir(dir);
	return good;
}

int
tree_prune(struct fault *f, int root, bool (*keep)(void *arg, const char *path, bool folder), void *arg)
{
	struct prune p = { .keep = keep, .arg = arg };

	if (!prune_below(&p, root, ".", 0, 0))
		return fault_set(
			f, CAIRN_EIO, "what an earlier try left cannot be cleared away: %s", strerror(errno));
	return CAIRN_OK;
}

/* umask() can only be read by changing it, which other threads would see; the kernel shows it without that. */
unsigned
tree_folder_mode(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned mask = 022;
	char line[256];

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (str_starts(line, "Umask:"))
			mask = (unsigned)strtoul(line + 6, NULL, 8);
	if (status != NULL)
		fclose(status);
	return 0777U & ~mask;
}
