/*
 * The route table as a tree of path segments, built once, read by every thread without a lock.
 * A literal segment wins over a {param}, a {param} over a {rest...}; the row "/{rest...}" is the fallback: it answers
 * what no other row's path matches, and never makes a 405.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/route.h"

struct router;

/* NULL with a sentence when a row is malformed or there twice. `routes` must outlive the router. */
struct router *router_new(const struct route *routes, size_t n, char *error, size_t error_size);
void router_free(struct router *r);

struct match {
	const struct route *route;
	struct pair *params; /* in the ctx's arena */
	size_t param_count;
	char allow[64]; /* NOT_ALLOWED: the methods there are */
};

/*
 * `path` is raw and without the query. NO_ENDPOINT, NOT_ALLOWED, or BAD_REQUEST: an escape that is malformed, a NUL,
 * what is not UTF-8, an escaped slash or backslash outside of a {rest...}, {key}, {tag_key} or {username}.
 */
enum status router_find(const struct router *r, struct ctx *cx, const char *method, const char *path,
	struct match *out) must_check;

#endif
