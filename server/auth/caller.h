/*
 * Who is asking: from Authorization (Basic or Bearer), else from the session cookie; never from the query or a body.
 *
 * A verified credential is remembered for 60 s (auth/cache.h), so that the usual request costs a microsecond and is
 * answered on the event loop. A new password, a revoked token, an ended session and a disabled user count at once in this
 * process, and within 60 s in others on the same database.
 */
#ifndef AUTH_CALLER_H
#define AUTH_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/origin.h"
#include "base/ctx.h"
#include "http/route.h"

/*
 * Fills cx->actor: user_id 0 when nobody signed in, which is OK here and permission_check()'s business. Does nothing on
 * PUBLIC routes. Also refuses what another site made a browser send (DENIED).
 * NEEDS_WORKER: on the event loop, and not in the cache; call again on a worker.
 * UNAUTHENTICATED: a credential that is none (caller_challenge()). TOO_MANY: Retry-After is set.
 */
enum status caller_find(struct request *rq) must_check;

/*
 * With a 401: WWW-Authenticate, unless the UI's own code asks, or a browser's stream of events, whose user is not to see the browser's
 * own prompt.
 */
void caller_challenge(struct request *rq, struct response *rs);

/* ---- the parts, for the sign-in's handler and for tests ---- */

struct caller_input {
	struct origin origin;
	const char *authorization; /* NULL: none */
	const char *cookie;        /* NULL: none */
	const char *address;
	bool on_loop;
};

/* *retry_after_s is set with TOO_MANY. */
enum status caller_check(struct ctx *cx, const struct caller_input *in, int64_t *retry_after_s) must_check;

struct caller_password {
	const char *name;
	const char *password;
	const char *address;
};

/* Limits, gate, hash: some 30 ms. UNAUTHENTICATED with one sentence, whatever part was wrong. */
enum status caller_password(struct ctx *cx, const struct caller_password *in, struct actor *out,
	int64_t *retry_after_s) must_check;

struct origin caller_origin(struct request *rq); /* borrowed from the request */

#endif
