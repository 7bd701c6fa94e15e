/* initdb and postgres refuse to run as root: who they run as, and whether that user can reach the folder. */
#include "postgres/parts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/str.h"

static enum status
take_account(const struct passwd *pw, struct owner *out, const struct reason *why)
{
	int n = (int)(sizeof(out->groups) / sizeof(out->groups[0]));

	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	out->drop = true;
	(void)str_copy(out->name, sizeof(out->name), pw->pw_name);
	if (getgrouplist(pw->pw_name, pw->pw_gid, out->groups, &n) < 0)
		return refuse(why,
			"the user \"%s\" is in more than 64 groups: PostgreSQL cannot be started as that "
			"user",
			pw->pw_name);
	out->group_count = (size_t)n;
	return OK;
}

enum status
owner_choose(const char *cluster, struct owner *out, const struct reason *why)
{
	const struct passwd *pw;
	struct stat st;
	bool exists = stat(cluster, &st) == 0;

	memset(out, 0, sizeof(*out));
	if (geteuid() != 0) {
		out->uid = geteuid();
		out->gid = getegid();
		pw = getpwuid(out->uid);
		(void)str_copy(out->name, sizeof(out->name), pw != NULL ? pw->pw_name : "this user");
		if (exists && st.st_uid != out->uid)
			return refuse(why,
				"%s belongs to another user (uid %u): start cairnd as that user, or as root",
				cluster, (unsigned)st.st_uid);
		return OK;
	}
	if (exists) {
		if (st.st_uid == 0)
			return refuse(why,
				"%s belongs to root, and PostgreSQL does not run as root: give it to an "
				"ordinary user (chown -R)",
				cluster);
		pw = getpwuid(st.st_uid);
		if (pw == NULL)
			return refuse(why,
				"%s belongs to uid %u, which is no user of this machine: chown it to one",
				cluster, (unsigned)st.st_uid);
		return take_account(pw, out, why);
	}
	pw = getpwnam("postgres");
	if (pw == NULL || pw->pw_uid == 0)
		pw = getpwnam("nobody");
	if (pw == NULL || pw->pw_uid == 0)
		return refuse(why, "started as root, and there is neither a user \"postgres\" nor \"nobody\" "
				   "to run PostgreSQL as");
	return take_account(pw, out, why);
}

bool
owner_become(const struct owner *o)
{
	if (!o->drop)
		return true;
	return setgroups(o->group_count, o->groups) == 0 && setresgid(o->gid, o->gid, o->gid) == 0 &&
	       setresuid(o->uid, o->uid, o->uid) == 0;
}

/* In a child that has become the owner: the length of the first part of the path that cannot be entered, 0 when all can. */
static size_t
first_closed(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (access(part, X_OK) != 0)
			return i;
	}
	return 0;
}

static int
try_reach(const struct owner *o, const char *folder, size_t *closed)
{
	int fd[2], status = 0;
	pid_t pid;

	*closed = 0;
	if (pipe(fd) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		size_t at = owner_become(o) ? first_closed(folder) : 1;
		_exit(write(fd[1], &at, sizeof(at)) == (ssize_t)sizeof(at) ? 0 : 1);
	}
	close(fd[1]);
	if (pid < 0 || read(fd[0], closed, sizeof(*closed)) != (ssize_t)sizeof(*closed))
		status = -1;
	close(fd[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return status;
}

enum status
owner_reach(const struct owner *o, const char *folder, const struct reason *why)
{
	struct stat st;
	size_t closed;

	if (!o->drop || strlen(folder) >= PATH_MAX)
		return OK;
	if (stat(folder, &st) == 0 && st.st_uid == 0 && (st.st_mode & 0011) != 0011)
		(void)chmod(folder, (st.st_mode & 07777) | 0011);
	if (try_reach(o, folder, &closed) != 0)
		return refuse(why, "a helper process could not be started: %s", strerror(errno));
	if (closed == 0)
		return OK;
	return refuse(why,
		"PostgreSQL runs as the user \"%s\", which may not enter %.*s: choose another --data folder, "
		"or allow it "
		"(chmod o+x %.*s)",
		o->name, (int)closed, folder, (int)closed, folder);
}

enum status
owner_folder(const struct owner *o, const char *path, const struct reason *why)
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return refuse(why, "the folder %s cannot be made: %s", path, strerror(errno));
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return refuse(why, "%s is in the way: it is no folder", path);
	if (o->drop && st.st_uid != o->uid && (st.st_uid != 0 || lchown(path, o->uid, o->gid) != 0))
		return refuse(why, "%s belongs to another user than \"%s\"", path, o->name);
	if (!o->drop && st.st_uid != o->uid)
		return refuse(why, "%s belongs to another user than \"%s\"", path, o->name);
	if ((st.st_mode & 07777) != 0700 && chmod(path, 0700) != 0)
		return refuse(why, "the permissions of %s cannot be set to 0700: %s", path, strerror(errno));
	return OK;
}
