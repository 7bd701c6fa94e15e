/*
 * The HTTP server: libmicrohttpd's epoll threads, the guard, workers and stream threads.
 *
 * It calls `answer` for each request that matched a route and passed the guard: on the event loop (INLINE; SCANNED's
 * first call), on a worker or on a stream thread. answer() asks who is calling, calls route->handler, and writes errors
 * into the response itself; it may return LATER and NEEDS_WORKER as the handler did. `refuse` writes the body of an
 * error that http noticed itself (404, 405, 413, 400 of the guard, 503 while stopping).
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/route.h"

struct http_options {
	const char *address;   /* "127.0.0.1", "::1", "0.0.0.0" */
	uint16_t port;         /* 0: any free one */
	int listen_fd;         /* -1: open our own */
	unsigned loop_threads; /* epoll threads, 1..16 */
	unsigned workers;      /* threads for WORKER, 1..256 */
	unsigned streams;      /* most STREAMED requests at once; more get 503 with Retry-After */
	unsigned connection_limit;
	unsigned connections_per_address; /* but loopback's; 0: no limit */
	const char *const *allow_hosts;   /* names beyond loopback; NULL-terminated; without port */
	const struct route *routes;
	size_t route_count;
	const struct parts *parts; /* for each request's ctx */
	enum status (*answer)(struct request *rq, struct response *rs);
	void (*refuse)(struct request *rq, struct response *rs, enum status st);
	bool (*accepting)(void); /* false: 503 on all but INLINE routes; may be NULL */
};

struct http_server;

/* On failure: NULL and one sentence in `error` ("port 5000 on 127.0.0.1 is in use …"). */
struct http_server *http_start(const struct http_options *options, char *error, size_t error_size);
uint16_t http_port(const struct http_server *s);
/*
 * Stop: no new connections, 503 with Connection: close for new requests, finish what was accepted within grace_ms, then cut.
 * Resumes every suspended connection, waits for all completions, joins all threads. The caller's handlers may still run until it returns.
 */
void http_stop(struct http_server *s, int64_t grace_ms);

#endif
