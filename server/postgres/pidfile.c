/*
 * postmaster.pid, PostgreSQL's own lock file. Its lines: pid, data folder, start time, port, socket folder, listen address,
 * shared memory, state. We only read it; PostgreSQL handles a stale one.
 */
#include "postgres/parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/str.h"

bool
pidfile_read(const char *cluster, struct pidfile *out)
{
	char path[PATH_MAX], line[PATH_MAX];
	FILE *f;

	memset(out, 0, sizeof(*out));
	if ((size_t)snprintf(path, sizeof(path), "%s/postmaster.pid", cluster) >= sizeof(path))
		return false;
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	for (int n = 1; fgets(line, sizeof(line), f) != NULL; n++) {
		line[strcspn(line, "\n")] = '\0';
		if (n == 1)
			out->pid = (pid_t)strtol(line, NULL, 10);
		else if (n == 5)
			(void)str_copy(out->socket_folder, sizeof(out->socket_folder), line);
		else if (n == 8) {
			out->ready = str_starts(line, "ready");
			out->stopping = str_starts(line, "stopping");
		}
	}
	(void)fclose(f);
	return out->pid > 0;
}

bool
pidfile_alive(const char *cluster, pid_t pid)
{
	struct stat works_in, here;
	char path[64];

	if (kill(pid, 0) != 0 && errno == ESRCH)
		return false;
	/* a postmaster works in its data folder; the number may since have gone to somebody else */
	(void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	return stat(path, &works_in) == 0 && stat(cluster, &here) == 0 && works_in.st_dev == here.st_dev &&
	       works_in.st_ino == here.st_ino;
}
