/*
 * What another site may have made a browser send. The browser's own word (Sec-Fetch-Site) comes first, Origin second.
 * SameSite of the cookie is only the second layer: it takes another port of this host for the same site.
 */
#ifndef AUTH_ORIGIN_H
#define AUTH_ORIGIN_H

#include <stdbool.h>
#include "base/ctx.h"

/* How a browser would have come by the credentials. */
enum origin_rule {
	ORIGIN_STRICT, /* a cookie, or a sign-in: the request must show that it is ours */
	ORIGIN_LOOSE, /* Basic, or none with --auth off: must not show that it is another's; other programs show nothing */
};

struct origin {
	const char *method;
	const char *host;       /* the Host header; NULL: none */
	const char *origin;     /* NULL: none */
	const char *fetch_site; /* Sec-Fetch-Site; NULL: none */
	const char *fetch_mode; /* Sec-Fetch-Mode; NULL: none */
};

/* DENIED with a sentence. GET and HEAD pass, except that LOOSE ones from other sites must be navigations. */
enum status origin_check(struct ctx *cx, enum origin_rule rule, const struct origin *o) must_check;
/* May a browser sign in under this Host? DENIED unless it is loopback or there is a public URL. */
enum status origin_signin(struct ctx *cx, const char *host) must_check;
bool origin_is_loopback(const char *host); /* of a Host header, with or without port */

#endif
