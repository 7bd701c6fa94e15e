/*
 * Runs that were there and active when metrics were last logged to them: what the writer guesses, and the transaction decides. Bounded:
 * when full it forgets everything. One thread.
 */
#ifndef INGEST_KNOWN_H
#define INGEST_KNOWN_H

#include <stddef.h>
#include <stdint.h>

struct known;

struct known_run {
	char *uuid;     /* owned; NULL: a free place */
	int64_t run_id; /* 0: forgotten */
	int64_t experiment_id;
};

struct known *known_new(size_t most); /* runs */
void known_free(struct known *k);     /* NULL is fine */
/* NULL: not known. Lives until the next change. */
const struct known_run *known_find(const struct known *k, const char *uuid);
void known_add(struct known *k, const char *uuid, int64_t run_id, int64_t experiment_id);
void known_forget(struct known *k, const char *uuid);

#endif
