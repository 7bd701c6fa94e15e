/*
 * What a row of the API table is, and what a handler gets. http knows only this; api/routes.c holds the rows.
 *
 * Modes say where the handler runs:
 *   INLINE    on the event loop, from memory; must not block.
 *   WORKER    on a worker thread once the whole body is in; may block on PostgreSQL. Its answer may stay open (http/push.h).
 *   SCANNED   first on the event loop with the whole body in. It returns LATER after handing the request on
 *             (request_finish() is called by whoever answers), or NEEDS_WORKER to be called again on a worker.
 *             A body of over 100 kB goes to a worker at once.
 *   BINARY    as SCANNED, and the body is no JSON: the handler looks at its Content-Type.
 *   STREAMED  on a stream thread as soon as the headers are in; it reads the body with request_read() and may
 *             write its answer with response_write(), both blocking, with bounded memory.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/ctx.h"
#include "base/fields.h"

struct request;
struct response;

enum route_mode { INLINE = 1, WORKER, SCANNED, STREAMED, BINARY };

typedef enum status handler_fn(struct request *rq, struct response *rs);

/* How the object that a request is about is found; its meaning is auth's (auth/permission.h). */
struct resolver;

struct route {
	const char *method; /* "GET" also answers HEAD */
	const char *path;   /* "/api/v1/models/{name}"; a last "{path...}" takes the rest, slashes and all */
	const char *operation;         /* operationId in openapi.yaml */
	int needs;                     /* enum permission of auth/permission.h; never 0 */
	const struct resolver *object; /* never NULL */
	size_t body_limit;             /* bytes; 0: no body is expected and any is refused */
	enum route_mode mode;
	handler_fn *handler;
};

/* ---- the request: borrowed for the call, except that LATER keeps it until request_finish() ---- */

struct ctx *request_ctx(struct request *rq);
const struct route *request_route(const struct request *rq);
const char *request_method(const struct request *rq);
const char *request_path(const struct request *rq); /* raw, without the query */
const char *request_param(
	const struct request *rq, const char *name); /* a {name} of the path, decoded once; NULL: none */
const struct pair *request_query(const struct request *rq, size_t *n);     /* decoded, in order */
const char *request_query_one(const struct request *rq, const char *name); /* the first; NULL: absent */
const char *request_header(const struct request *rq, const char *name);
const char *request_address(const struct request *rq); /* the peer's address as text, without port */
bool request_on_loop(const struct request *rq);        /* true: must not block */
const char *request_body(const struct request *rq, size_t *len); /* not for STREAMED; NUL-terminated */
/* STREAMED: the next piece of the body; *got 0 at its end. TIMED_OUT or BAD_REQUEST when the client is gone or too slow. */
enum status request_read(struct request *rq, void *out, size_t size, size_t *got) must_check;
/* The body is of no more use: its memory is given back, long before the answer when that comes LATER. Not for STREAMED. */
void request_body_drop(struct request *rq);
int64_t request_body_length(const struct request *rq); /* Content-Length; -1: chunked */
bool request_client_gone(struct request *rq);          /* a peek; before expensive work */
/* After LATER: answer now. Any thread; the request is not the caller's any more. */
void request_finish(struct request *rq, enum status st);
struct response *request_response(struct request *rq);

/* ---- the response: empty, 200, JSON unless said otherwise ---- */

struct buf *response_body(struct response *rs); /* what it says so far */
void response_status(struct response *rs, int http_status);
void response_type(struct response *rs, const char *content_type);
/* The value is copied. Refuses control characters by leaving the header out. */
void response_header(struct response *rs, const char *name, const char *value);
/*
 * STREAMED: begin an answer of `length` bytes (-1: chunked), then write. After the first byte nothing can be changed:
 * a failure then closes the connection, so that the client sees a short body.
 */
enum status response_stream(struct response *rs, int64_t length) must_check;
enum status response_write(struct response *rs, const void *data, size_t len) must_check;
bool response_is_head(const struct response *rs); /* HEAD: headers and length only */
/* Bytes that outlive the response (embedded files): sent without a copy. */
void response_static(struct response *rs, const void *data, size_t len);

#endif
