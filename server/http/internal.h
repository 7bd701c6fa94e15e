/*
 * What the sources of http share.
 *
 * Lifetimes. A connection (struct conn) lives from libmicrohttpd's notice of its start to that of its end. A request is
 * born with its first line and has two holders at most: the event loop, until the completion notice, and the work,
 * from the hand-over until request_finish(). The last one to let go frees it.
 *
 * Locks. request.lock guards what both holders touch (below "shared"); it may be held while a connection is suspended or
 * resumed. server.lock guards the lists; a request's lock may be taken under it, never the other way round.
 * While a request is handed over and no answer has begun, its ctx, arena and response are the work's alone.
 */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include "http/guard.h"
#include "http/limits.h"
#include "http/linger.h"
#include "http/router.h"
#include "http/server.h"
#include "http/workers.h"

#define HTTP_CONNECTION_BYTES                                                                                \
	16384 /* libmicrohttpd's memory for one: headers of a request and of its answer, a piece of a body */

#define HTTP_HEAD_BYTES 15360 /* of it for the first line and the headers; the rest is the answer's */

/* ---- connections and their deadlines: conn.c ---- */

struct conn {
	struct conn *prev, *next;
	struct http_server *server;
	int fd;
	char address[INET6_ADDRSTRLEN];
	_Atomic int64_t deadline_mono_ms; /* 0: none */
	_Atomic int64_t window_ms;        /* with `need`: another window begins when enough has moved */
	_Atomic int64_t need;             /* bytes that must move until the deadline; 0: it is absolute */
	_Atomic int64_t moved;
	atomic_bool too_slow;    /* the sweeper cut it */
	struct request *request; /* the event loop's */
	bool requested;          /* it has had a first request */
	bool linger;             /* answered before the body was read */
};

struct conn_list {
	pthread_mutex_t lock;
	struct conn *head;
};

struct conn *conn_of(struct MHD_Connection *connection);
/* Is a first line, or are all headers, too long? Then that was the answer, and the connection ends. */
bool conn_too_long(struct conn *c, size_t bytes, bool line);
/* May this address have another connection? This machine's own always may. */
enum MHD_Result conn_accept(void *server, const struct sockaddr *from, socklen_t len);
void conn_notify(void *server, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what);
/* Until window_ms from now; `need` bytes must move in it, 0: no matter what moves. window_ms 0: no deadline. */
void conn_watch(struct conn *c, int64_t window_ms, int64_t need);
void conn_moved(struct conn *c, size_t bytes);
void conn_sweep(struct conn_list *list);
void conn_cut_all(struct conn_list *list);

/* ---- a pipe between a stream thread and the event loop, under the request's lock: stream.c ---- */

struct pipe {
	char *data;
	size_t size, start, len;
};

size_t pipe_put(struct pipe *p, const void *data, size_t len); /* what fitted */
size_t pipe_get(struct pipe *p, void *out, size_t size);
void pipe_fini(struct pipe *p);

/* ---- response.c ---- */

struct response {
	struct request *request;
	int status;
	bool status_set;
	const char *type;
	struct pair *headers; /* in the arena */
	size_t header_count, header_size;
	struct buf body;
	const void *fixed; /* response_static() */
	size_t fixed_len;
	int64_t stream_length; /* -1: chunked */
	int64_t written;
};

void response_init(struct response *rs, struct request *rq);
void response_fini(struct response *rs);
void response_reset(struct response *rs);
/* Give the answer to libmicrohttpd; on the event loop. MHD_NO: cut the connection. */
enum MHD_Result response_queue(struct request *rq);

/* ---- request.c, stream.c ---- */

enum watched { WATCH_HEADERS, WATCH_NONE, WATCH_BODY, WATCH_READER, WATCH_PUSH };

struct request {
	struct work work; /* first: a worker gets it */
	struct http_server *server;
	struct request *prev, *next; /* the server's list of those handed over */
	struct ctx ctx;
	struct response response;
	const char *target, *path, *query, *method;
	const struct route *route;
	struct pair *params, *pairs, *headers;
	size_t param_count, pair_count, header_count;
	char address[INET6_ADDRSTRLEN];
	int64_t length;   /* of the body; -1: chunked */
	int64_t received; /* bytes of it that came */
	int64_t began_mono_us;
	struct buf body;
	bool head;
	bool folded; /* a header stands on two lines */

	/* the event loop's */
	struct conn *conn;
	bool begun;      /* the headers were looked at */
	bool counted;    /* among the server's active ones */
	bool listed;     /* handed over at least once */
	bool body_begun; /* STREAMED: the handler asked for the body */
	bool too_large;
	bool close; /* the answer ends the connection */
	enum watched watched;
	int64_t discarded;

	atomic_bool on_loop;

	/* shared */
	pthread_mutex_t lock;
	pthread_cond_t changed;            /* the stream thread waits for it */
	struct MHD_Connection *connection; /* NULL: gone */
	int fd;
	int holders;
	bool suspended;
	bool cut;      /* the server stops: never suspend again */
	bool finished; /* request_finish() was called: with this */
	enum status status;
	bool streaming; /* response_stream() was called */
	bool want_body, body_ended, body_too_large;
	bool slow; /* gone because of the deadline */
	struct pipe up, down;
	bool pushing;    /* push_open() was called */
	bool push_begun; /* the event loop asks for what is pushed */
	bool push_ended;
	struct buf push;
	size_t push_sent; /* bytes of it */
};

struct request *request_new(struct http_server *s, struct conn *c, const char *target);
void request_release(struct request *rq);
/* First look: headers copied, guard, route. Not OK: the refusal is to be written. */
enum status request_begin(
	struct request *rq, struct MHD_Connection *connection, const char *method, const char *version);
/* Under the lock, on the event loop. False: the server stops, cut the connection. */
bool request_suspend(struct request *rq);
void request_wake(struct request *rq); /* under the lock; any thread */
void request_watch(struct request *rq, enum watched what);

enum MHD_Result stream_call(struct request *rq, const char *data, size_t *len);
struct MHD_Response *stream_answer(struct request *rq);

/* ---- push.c ---- */

struct MHD_Response *push_answer(struct request *rq);
void push_finish(struct request *rq); /* under the lock: nothing more comes */

/* ---- server.c ---- */

struct http_server {
	struct http_options options;
	struct router *router;
	struct MHD_Daemon *daemon;
	struct workers *workers;
	struct workers *streams;
	struct lingering *linger;
	struct conn_list conns;
	_Atomic int64_t refusal_said_mono_ms; /* of a connection: in the log */
	uint16_t port;
	int listen_fd;
	uint32_t id_start;
	atomic_uint id_next;
	atomic_bool stopping;
	atomic_bool sweeper_ends;
	atomic_uint active; /* requests between their headers and their completion */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct request *handed_over; /* list */
	bool cutting;                /* no new request may be suspended */
	pthread_t sweeper;
};

#endif
