/* The parts of this folder, for each other. */
#ifndef POSTGRES_PARTS_H
#define POSTGRES_PARTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/status.h"

#define OLDEST_VERSION 13

/* Where the sentence of a failure goes. */
struct reason {
	char *text;
	size_t size;
};
enum status refuse(const struct reason *why, const char *fmt, ...) printf_like(2, 3); /* UNAVAILABLE */
void nap(int64_t ms);

/* ---- owner.c: as whom PostgreSQL runs ---- */
struct owner {
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	size_t group_count;
	bool drop; /* we are root and must become somebody else */
	char name[64];
};
enum status owner_choose(const char *cluster, struct owner *out, const struct reason *why) must_check;
bool owner_become(const struct owner *o) must_check; /* safe between fork and exec */
/* Can the owner reach the folder? Adds the x to the folder itself, names the one above that lacks it. */
enum status owner_reach(const struct owner *o, const char *folder, const struct reason *why) must_check;
/* A 0700 folder that belongs to the owner; fine when it is there already. */
enum status owner_folder(const struct owner *o, const char *path, const struct reason *why) must_check;

/* ---- spawn.c: children ---- */
struct spawn {
	const char *program;
	char *const *argv;
	const struct owner *owner;
	int log_fd;
	int death_signal; /* when we die */
};
pid_t spawn_child(const struct spawn *s); /* -1: errno */
/* Wait for its end; -1 and TIMED_OUT's meaning when cancelled: then it has been killed. */
int spawn_wait(pid_t pid, bool (*cancelled)(void)); /* wait status, -1: cancelled */
void spawn_describe(
	int wait_status, char *out, size_t size); /* "ended with code 1", "was killed by signal 9" */

/* ---- programs.c: which PostgreSQL ---- */
struct programs {
	char initdb[PATH_MAX];
	char postgres[PATH_MAX];
	int version; /* major */
};
/* version 0: the newest. */
enum status programs_find(const char *search, int version, const char *cluster, struct programs *out,
	const struct reason *why) must_check;

/* ---- cluster.c: the folder that initdb makes ---- */
enum status cluster_version(
	const char *cluster, int *version, const struct reason *why) must_check; /* 0: no cluster yet */
struct cluster {
	const char *folder; /* DIR */
	const char *path;   /* DIR/postgres */
	const struct owner *owner;
	const struct programs *programs;
	bool (*cancelled)(void);
};
enum status cluster_make(const struct cluster *c, const struct reason *why) must_check;
void cluster_sweep(const char *folder, const struct owner *owner); /* what an interrupted initdb left */

/* ---- pidfile.c: postmaster.pid ---- */
struct pidfile {
	pid_t pid;
	char socket_folder[PATH_MAX];
	bool ready, stopping;
};
bool pidfile_read(const char *cluster, struct pidfile *out);
bool pidfile_alive(const char *cluster, pid_t pid); /* a live PostgreSQL on this folder */

/* ---- socket.c ---- */
/* Where the socket goes: DIR/run when the address fits, else a private folder elsewhere. Made, 0700, the owner's. */
enum status socket_folder(const char *folder, const struct owner *owner, char *out, size_t size,
	const struct reason *why) must_check;
void socket_conninfo(const char *socket_folder, char *out, size_t size);

/* ---- logfile.c: DIR/postgres.log ---- */
struct logfile {
	char path[PATH_MAX];
	int fd;
	int64_t start; /* where this start's lines begin */
};
enum status logfile_open(struct logfile *l, const char *folder, const struct reason *why) must_check;
void logfile_close(struct logfile *l);
void logfile_bound(struct logfile *l); /* empties it when it has grown large */
void logfile_tail(
	const struct logfile *l, char *out, size_t size); /* what went wrong since the start, one line */

#endif
