/*
 * Requests to the world, through one check of addresses. The check looks at the very address that is being connected to,
 * after the name was resolved, so that a name which changes its mind gains nothing. No redirects, no proxy, no cookies.
 *
 * Which addresses: public ones by https; those that --outgoing-allow covers by https or plain http.
 */
#ifndef OUTBOUND_OUTBOUND_H
#define OUTBOUND_OUTBOUND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

#define OUTBOUND_BODY 4096 /* of an answer, kept */

struct address;
struct outbound;

/* allow: "10.0.0.0/8", "fd00::/8" or single addresses; NULL when one is none, with a sentence in `error`. */
struct outbound *outbound_new(const char *const *allow, size_t n, char *error, size_t error_size);
void outbound_free(struct outbound *o); /* NULL is fine; every call must be over */
/* May we connect to that address, by https or by plain http? */
bool outbound_may_reach(const struct outbound *o, const struct address *a, bool https);

/*
 * Is this a URL that we would send to? INVALID with a sentence about `what` ("webhook URL"). The name is resolved,
 * for at most 5 s; an https URL whose name cannot be resolved just now is taken, for every connection is checked anyway.
 */
enum status outbound_check(struct ctx *cx, const char *what, const char *url) must_check;

struct outbound_post {
	const char *url;
	const char *const *headers; /* "Name: value" */
	size_t header_count;
	const void *body;
	size_t len;
	int64_t timeout_ms;      /* for all of it; connecting has 5 s of it */
	const atomic_bool *stop; /* give up when it becomes true; NULL: none */
};

struct outbound_answer {
	int status;            /* 0: no answer, and `error` says why */
	int64_t retry_after_s; /* 0: not asked for */
	bool refused; /* no answer, because of the check of addresses or the URL: trying again is of no use */
	bool stopped;
	char error[400];
	char body[OUTBOUND_BODY + 1]; /* the beginning, valid UTF-8 */
};

/* One POST; blocks. Any thread. */
void outbound_post(const struct outbound *o, const struct outbound_post *p, struct outbound_answer *out);

#endif
