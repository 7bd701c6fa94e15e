/*
 * What one piece of work carries: its memory, its deadline, on whose behalf it runs, the parts of the server
 * it may call, and the sentence that says what went wrong. A request has one, a job has one. One thread at a time.
 */
#ifndef BASE_CTX_H
#define BASE_CTX_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

struct pool;       /* store/pool.h */
struct blob_store; /* blob/blob.h */
struct ingest;     /* ingest/ingest.h */
struct columns;    /* search/columns.h */
struct live;       /* ingest/live.h */
struct outbound;   /* outbound/outbound.h */
struct box;        /* base/box.h */

/* Who did it, as rows record it. Zero: nobody signed in (--auth off), or the server itself. */
struct actor {
	int64_t user_id;
	int64_t token_id;      /* zero: by password or session */
	const char *user_name; /* "" without a user */
	bool is_admin;
};

struct parts {
	struct pool *pool;
	struct blob_store *blobs;
	struct ingest *ingest;
	struct columns *columns; /* NULL: searches read the database */
	struct live *live;
	const struct outbound *outbound;
	const struct box *box; /* for secrets at rest */
};

struct ctx {
	struct arena *arena;
	const struct parts *parts;
	struct actor actor;
	int64_t deadline_mono_ms; /* 0: none */
	char request_id[24];
	enum status status; /* the last failure */
	char message[1024]; /* its sentence */
};

void ctx_init(struct ctx *cx, struct arena *arena, const struct parts *parts);

/*
 * Write the sentence and hand back the status: return fail(cx, NOT_FOUND, "run \"%s\" does not exist", id);
 * A user's text inside is cut to fit and kept to one line.
 */
enum status fail(struct ctx *cx, enum status st, const char *fmt, ...) printf_like(3, 4);

#endif
