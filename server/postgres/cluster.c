/* The cluster is made beside its place and renamed into it: an interrupted initdb leaves nothing that looks finished. */
#include "postgres/parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/log.h"
#include "base/str.h"

#define UNFINISHED "postgres.new-"

enum status
cluster_version(const char *cluster, int *version, const struct reason *why)
{
	char path[PATH_MAX], line[32] = "";
	struct stat st;
	FILE *f;

	*version = 0;
	if (stat(cluster, &st) != 0) {
		if (errno == ENOENT)
			return OK;
		return refuse(why, "the folder %s cannot be read: %s", cluster, strerror(errno));
	}
	(void)snprintf(path, sizeof(path), "%s/PG_VERSION", cluster);
	f = fopen(path, "re");
	if (f == NULL && errno == EACCES)
		return refuse(why, "%s cannot be read: %s", path, strerror(errno));
	if (f != NULL) {
		if (fgets(line, sizeof(line), f) == NULL)
			line[0] = '\0';
		(void)fclose(f);
	}
	*version = (int)strtol(line, NULL, 10);
	if (*version <= 0)
		return refuse(why,
			"%s holds no PostgreSQL database (no readable PG_VERSION in it): move it away to "
			"start a new one",
			cluster);
	return OK;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	/* the top belongs to a folder that may not be the owner's: the caller takes it */
	if (at->level > 0)
		(void)remove(path);
	return 0;
}

static void
empty_folder(const char *path, const struct owner *owner)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (owner_become(owner))
			(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		_exit(0);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

static void
remove_folder(const char *path, const struct owner *owner)
{
	/* a killed initdb's own child may write for a moment longer */
	for (int tries = 0; tries < 10; tries++) {
		empty_folder(path, owner);
		if (rmdir(path) == 0 || errno == ENOENT)
			return;
		nap(20);
	}
	log_warn("left_behind", "path=\"%s\" message=\"%s\"", path, strerror(errno));
}

void
cluster_sweep(const char *folder, const struct owner *owner)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;
	char path[PATH_MAX];

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		if (!str_starts(entry->d_name, UNFINISHED))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < sizeof(path))
			remove_folder(path, owner);
	}
	(void)closedir(d);
}

static enum status
run_initdb(const struct cluster *c, char *folder, const struct reason *why)
{
	/* by its whole path: initdb looks for postgres beside itself */
	char initdb[PATH_MAX], at[] = "-D", sums[] = "-k", utf8[] = "--encoding=UTF8",
			       locale[] = "--locale=C", user[] = "--username=cairn",
			       local[] = "--auth-local=trust", host[] = "--auth-host=reject",
			       quiet[] = "--no-instructions";
	char *argv[] = { initdb, at, folder, sums, utf8, locale, user, local, host,
		c->programs->version >= 14 ? quiet : NULL, NULL };
	char said[1024], how[64];
	struct logfile log;
	enum status st;
	pid_t pid;
	int ended;

	if ((st = logfile_open(&log, c->folder, why)) != OK)
		return st;
	(void)snprintf(initdb, sizeof(initdb), "%s", c->programs->initdb);
	pid = spawn_child(&(struct spawn){ c->programs->initdb, argv, c->owner, log.fd, SIGKILL });
	ended = pid > 0 ? spawn_wait(pid, c->cancelled) : -1;
	if (pid < 0) {
		st = refuse(why, "initdb could not be started: %s", strerror(errno));
	} else if (ended < 0) {
		(void)refuse(why, "stopped while the database was being made");
		st = TIMED_OUT;
	} else if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
		spawn_describe(ended, how, sizeof(how));
		logfile_tail(&log, said, sizeof(said));
		st = refuse(why, "the database could not be made, initdb %s: %s (more in %s)", how, said,
			log.path);
	}
	logfile_close(&log);
	return st;
}

static enum status
put_in_place(const struct cluster *c, const char *made, const struct reason *why)
{
	int fd;

	if (rename(made, c->path) != 0)
		return refuse(why, "%s cannot be renamed to %s: %s", made, c->path, strerror(errno));
	fd = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	return OK;
}

enum status
cluster_make(const struct cluster *c, const struct reason *why)
{
	char made[PATH_MAX];
	enum status st;

	if ((size_t)snprintf(made, sizeof(made), "%s/" UNFINISHED "XXXXXX", c->folder) >= sizeof(made))
		return refuse(why, "the path of the folder %s is too long", c->folder);
	if (mkdtemp(made) == NULL)
		return refuse(why, "no folder can be made in %s: %s", c->folder, strerror(errno));
	if ((st = owner_folder(c->owner, made, why)) == OK && (st = run_initdb(c, made, why)) == OK)
		st = put_in_place(c, made, why);
	if (st != OK)
		remove_folder(made, c->owner);
	return st;
}
