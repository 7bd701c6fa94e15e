/*
 * A group of requests in one transaction. Inside ingest only; one thread.
 *
 * The short way is one statement, when memory knows all of the group's runs and names: it locks the runs, looks whether they are all
 * there and active, and writes, or does nothing. The long way finds out: lock, number new names, COPY, COMMIT.
 */
#ifndef INGEST_COMMIT_H
#define INGEST_COMMIT_H

#include <stdatomic.h>
#include "ingest/ingest.h"
#include "ingest/known.h"
#include "ingest/rows.h"

struct request {
	struct request *next;
	struct ctx *cx;
	ingest_done_fn *done;
	void *arg;
	size_t bytes;
	enum status status; /* with cx->message: what writer_commit() made of it */
	int64_t run_id, experiment_id;
	size_t from; /* of its points in the rows */
	const char *run_uuid;
	const struct point *points;
	size_t n;
};

struct group {
	struct request **items; /* sorted by run */
	size_t n;
};

struct writer {
	struct ctx cx;
	struct rows rows;
	struct known *runs;
	const atomic_bool
		*stopping; /* a commit whose outcome is not known is looked into for a shorter time */
};

void writer_init(struct writer *w, const struct parts *parts, struct keys *keys, struct seqs *seqs,
	const atomic_bool *stopping);
void writer_fini(struct writer *w);
/* Each request of the group gets its status; those of one run must stand together. */
void writer_commit(struct writer *w, struct group g);

#endif
