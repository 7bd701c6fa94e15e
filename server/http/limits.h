/* The times and sizes that bound a connection. One table, so that a test can make them short before http_start(). */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct http_limits {
	int64_t headers_ms;       /* a request's headers, from the accept or from its first line */
	int64_t idle_ms;          /* a kept connection without a request */
	int64_t body_window_ms;   /* a body must bring body_rate over each of these windows */
	int64_t reader_ms;        /* a reader must take body_rate over each of these windows */
	int64_t rate;             /* bytes a second */
	int64_t sweep_ms;         /* how often deadlines are looked at */
	int64_t request_ms;       /* the deadline a WORKER, SCANNED, BINARY or INLINE request's ctx gets */
	int64_t queue_ms;         /* work that waited longer makes new work fail */
	int64_t linger_ms;        /* how long a refused upload is read and thrown away */
	size_t pipe_bytes;        /* between a stream thread and the event loop, each way */
	size_t discard_bytes;     /* of a body that is not wanted any more, before the connection is cut */
	size_t inline_scan_bytes; /* a SCANNED or BINARY body above this goes to a worker */
	size_t response_bytes;    /* of a buffered answer */
	unsigned queue_length;    /* requests waiting for a worker */
};

extern struct http_limits http_limits;

#endif
