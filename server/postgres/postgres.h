/*
 * Our own PostgreSQL: made once by initdb, run as a child on a Unix socket, without TCP.
 *
 * In the folder DIR: postgres/ is the cluster, postgres.log what it says, run/ holds its socket (a private folder
 * under XDG_RUNTIME_DIR or /tmp when DIR is too deep for a socket's address). Started by root it runs as the owner
 * of the cluster: the user "postgres", or "nobody" where there is none.
 *
 * Thread: all calls from the main thread, because the child is told to end when the thread that forked it ends.
 * The caller holds the lock on DIR.
 */
#ifndef POSTGRES_POSTGRES_H
#define POSTGRES_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/status.h"

struct postgres;

struct postgres_options {
	const char *folder;   /* DIR, absolute; exists */
	unsigned connections; /* how many it shall take */
	const char *
		programs; /* folders with initdb and postgres, "a:b"; NULL: where packages put them, then PATH */
	bool (*cancelled)(void); /* asked while waiting: true gives up; may be NULL */
};

/*
 * Make the cluster if there is none, wait for an earlier postmaster that is still finishing, start, wait until it takes
 * connections. On failure nothing runs, and `error` holds one sentence. TIMED_OUT: cancelled.
 */
enum status postgres_start(const struct postgres_options *options, struct postgres **out, char *error,
	size_t error_size) must_check;
const char *postgres_conninfo(const struct postgres *p); /* for libpq; lives as long as p */
pid_t postgres_pid(const struct postgres *p);            /* of the postmaster; 0: between two of them */
int postgres_version(const struct postgres *p);          /* major */

/* Call at SIGCHLD and about each second: starts it again when it ended, keeps its log small. Does not block. */
void postgres_watch(struct postgres *p);

/* Fast shutdown; after grace_ms an immediate one. Frees p; NULL is fine. */
void postgres_stop(struct postgres *p, int64_t grace_ms);

/* The conninfo of the one that somebody else (a running cairnd) keeps in DIR; NOT_FOUND when none takes connections. */
enum status postgres_find(const char *folder, char *conninfo, size_t size) must_check;

#endif
