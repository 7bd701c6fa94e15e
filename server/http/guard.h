/*
 * What a request must look like before anybody acts on it. libmicrohttpd is lenient where a proxy in front may read
 * the same bytes differently, so everything that frames a request is checked again here. Pure functions.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"
#include "base/fields.h"

struct guard_input {
	const char *target;  /* as it came: path and query */
	const char *version; /* "HTTP/1.1" */
	const struct pair *headers;
	size_t header_count;
	const char *const *allow_hosts; /* beyond loopback; NULL-terminated, or NULL */
};

/* How the body is framed. */
struct guard_body {
	int64_t length; /* -1: chunked; 0: none */
};

/* BAD_REQUEST, DENIED (a host that is not served here) or TOO_LARGE, with a sentence. */
enum status guard_check(struct ctx *cx, const struct guard_input *in, struct guard_body *out) must_check;

/* A Host header's value: localhost, 127.x.x.x or [::1] with any port, or one of `allow_hosts`. */
bool guard_host_allowed(const char *host, const char *const *allow_hosts);

/* "application/json", with or without parameters. */
bool guard_is_json(const char *content_type);

#endif
