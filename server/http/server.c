/*
 * One request's way through libmicrohttpd: on_first_line() makes it, on_request() sees its headers, then its body, then
 * answers; on_completed() lets it go. A request that waits for another thread is suspended first and handed over then,
 * so that nobody can resume what is not suspended yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/internal.h"
#include "http/listen.h"

#define SPARE_FDS     256
#define BODY_RESERVED (256 << 10) /* bytes that a client gets for announcing them */

struct http_limits http_limits = {
	.headers_ms = 15000,
	.idle_ms = 75000,
	.body_window_ms = 30000,
	.reader_ms = 60000,
	.rate = 10240,
	.sweep_ms = 1000,
	.request_ms = 60000,
	.queue_ms = 5000,
	.linger_ms = 2000,
	.pipe_bytes = 256 << 10,
	.discard_bytes = 64 << 20,
	.inline_scan_bytes = 100000,
	.response_bytes = 64 << 20,
	.queue_length = 2048,
};

/* ---- handing over ---- */

static void
list_request(struct request *rq)
{
	struct http_server *s = rq->server;

	if (rq->listed)
		return;
	rq->listed = true;
	pthread_mutex_lock(&s->lock);
	rq->next = s->handed_over;
	if (rq->next != NULL)
		rq->next->prev = rq;
	s->handed_over = rq;
	pthread_mutex_lock(&rq->lock);
	rq->cut = s->cutting;
	pthread_mutex_unlock(&rq->lock);
	pthread_mutex_unlock(&s->lock);
}

static void
unlist_request(struct request *rq)
{
	struct http_server *s = rq->server;

	if (!rq->listed)
		return;
	pthread_mutex_lock(&s->lock);
	if (rq->next != NULL)
		rq->next->prev = rq->prev;
	if (rq->prev != NULL)
		rq->prev->next = rq->next;
	else
		s->handed_over = rq->next;
	pthread_mutex_unlock(&s->lock);
}

static enum MHD_Result
hand_over(struct request *rq, struct workers *to)
{
	bool suspended;

	list_request(rq);
	atomic_store(&rq->on_loop, false);
	pthread_mutex_lock(&rq->lock);
	suspended = request_suspend(rq);
	rq->holders += suspended;
	pthread_mutex_unlock(&rq->lock);
	if (!suspended)
		return MHD_NO;
	if (!workers_submit(to, &rq->work))
		request_finish(rq, fail(&rq->ctx, UNAVAILABLE, "the server is busy, try again"));
	return MHD_YES;
}

/* On a worker or a stream thread. */
static void
run_work(struct work *w)
{
	struct request *rq = (struct request *)w;
	bool late = clock_mono_ms() - w->queued_mono_ms > 1000;
	enum status st;
	bool cut;

	pthread_mutex_lock(&rq->lock);
	cut = rq->cut;
	pthread_mutex_unlock(&rq->lock);
	if (cut || (late && request_client_gone(rq)))
		st = fail(&rq->ctx, UNAVAILABLE, "nobody waits for the answer any more");
	else
		st = rq->server->options.answer(rq, &rq->response);
	if (st == LATER)
		return;
	if (st == NEEDS_WORKER)
		st = fail(&rq->ctx, INTERNAL, "a handler asked for a worker on a worker");
	request_finish(rq, st);
}

/* ---- on the event loop ---- */

static enum MHD_Result
answer_status(struct request *rq, enum status st)
{
	rq->finished = true;
	rq->status = st;
	return response_queue(rq);
}

/* The handler said LATER: wait, unless request_finish() was faster. */
static enum MHD_Result
wait_for_finish(struct request *rq)
{
	bool finished, going_on;

	list_request(rq);
	pthread_mutex_lock(&rq->lock);
	finished = rq->finished;
	going_on = finished || request_suspend(rq);
	pthread_mutex_unlock(&rq->lock);
	if (!going_on)
		return MHD_NO;
	return finished ? response_queue(rq) : MHD_YES;
}

static enum MHD_Result
run_on_loop(struct request *rq)
{
	enum status st;

	rq->holders++; /* nobody else has it yet */
	st = rq->server->options.answer(rq, &rq->response);
	if (st == LATER)
		return wait_for_finish(rq);
	rq->holders--;
	if (st != NEEDS_WORKER)
		return answer_status(rq, st);
	response_reset(&rq->response);
	return hand_over(rq, rq->server->workers);
}

static enum status
check_body(struct request *rq)
{
	bool good = rq->method[0] != 'P' || strcmp(rq->method, "PATCH") == 0 || rq->route->mode == BINARY ||
		    guard_is_json(request_header(rq, "Content-Type"));

	if (rq->too_large)
		return fail(&rq->ctx, TOO_LARGE, "the body is over the limit of %zu bytes here",
			rq->route->body_limit);
	if (rq->body.len > 0 && !good)
		return fail(&rq->ctx, BAD_REQUEST, "Content-Type must be application/json");
	return OK;
}

static bool
wants_worker(const struct request *rq)
{
	enum route_mode mode = rq->route->mode;

	return mode == WORKER ||
	       ((mode == SCANNED || mode == BINARY) && rq->body.len > http_limits.inline_scan_bytes);
}

static enum MHD_Result
dispatch(struct request *rq)
{
	enum status st;

	if (rq->finished) /* refused at its headers */
		return response_queue(rq);
	if (rq->route->mode == STREAMED) {
		rq->body_begun = rq->body_ended = true; /* there is none */
		return hand_over(rq, rq->server->streams);
	}
	if ((st = check_body(rq)) != OK)
		return answer_status(rq, st);
	if (wants_worker(rq))
		return hand_over(rq, rq->server->workers);
	return run_on_loop(rq);
}

/* A buffered request that was handed over was resumed: it is finished, or the server stops. */
static enum MHD_Result
resumed(struct request *rq)
{
	bool finished, going_on;

	pthread_mutex_lock(&rq->lock);
	finished = rq->finished && !rq->cut;
	going_on = finished || request_suspend(rq);
	pthread_mutex_unlock(&rq->lock);
	if (!going_on)
		return MHD_NO;
	return finished ? response_queue(rq) : MHD_YES;
}

/* Room for all that is announced, within reason, so that it need not grow. */
static void
reserve_body(struct request *rq)
{
	if (rq->body.data == NULL && rq->length > 0)
		(void)buf_room(&rq->body, (size_t)(rq->length < BODY_RESERVED ? rq->length : BODY_RESERVED));
}

static enum MHD_Result
take_body(struct request *rq, const char *data, size_t *len)
{
	conn_moved(rq->conn, *len);
	rq->received += (int64_t)*len;
	if ((uint64_t)rq->received > rq->route->body_limit) {
		rq->too_large = true;
		buf_fini(&rq->body);
		rq->discarded += (int64_t)*len;
	} else {
		reserve_body(rq);
		buf_add(&rq->body, data, *len);
	}
	*len = 0;
	return (uint64_t)rq->discarded <= http_limits.discard_bytes ? MHD_YES : MHD_NO;
}

/* With a body on its way the refusal must go out now, and ends the connection; without one it keeps. */
static enum MHD_Result
refuse_headers(struct request *rq, enum status st)
{
	if (rq->length != 0 || rq->close) {
		rq->close = true;
		rq->conn->linger = true;
		return answer_status(rq, st);
	}
	rq->finished = true;
	rq->status = st;
	return MHD_YES;
}

static enum MHD_Result
first_call(struct request *rq, struct MHD_Connection *connection, const char *method, const char *version)
{
	enum status st;

	rq->counted = true;
	atomic_fetch_add(&rq->server->active, 1);
	atomic_store(&rq->on_loop, true);
	if ((st = request_begin(rq, connection, method, version)) != OK)
		return refuse_headers(rq, st);
	if (rq->length == 0)
		return MHD_YES;
	if (rq->route->mode == STREAMED)
		return hand_over(rq, rq->server->streams);
	request_watch(rq, WATCH_BODY);
	return MHD_YES;
}

static size_t
header_bytes(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
}

static enum MHD_Result
on_request(void *server, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *len, void **context)
{
	struct request *rq = *context;

	(void)server;
	(void)url;
	if (rq == NULL)
		return MHD_NO;
	if (!rq->begun && conn_too_long(rq->conn, header_bytes(connection), false))
		return MHD_NO;
	if (!rq->begun)
		return first_call(rq, connection, method, version);
	if (rq->listed)
		return rq->route->mode == STREAMED ? stream_call(rq, data, len) : resumed(rq);
	return *len > 0 ? take_body(rq, data, len) : dispatch(rq);
}

/*
 * The query is read by decode.c alone. libmicrohttpd would make a record of each argument too, and hang up without an
 * answer when there is no room for all: in its buffer, which is not const, they become one.
 */
static void
join_arguments(const char *target)
{
	char *p = strchr(target, '?');

	while (p != NULL && (p = strchr(p, '&')) != NULL)
		*p = '+';
}

/* The URL as it came; libmicrohttpd's own copy is cut at the query. */
static void *
on_first_line(void *server, const char *target, struct MHD_Connection *connection)
{
	struct conn *c = conn_of(connection);

	if (c == NULL || c->request != NULL)
		return NULL;
	if (c->requested)
		conn_watch(c, http_limits.headers_ms, 0);
	c->requested = true;
	if (conn_too_long(c, strlen(target), true))
		return NULL;
	c->request = request_new(server, c, target);
	join_arguments(target);
	return c->request;
}

static void
count_down(struct http_server *s)
{
	if (atomic_fetch_sub(&s->active, 1) != 1 || !atomic_load(&s->stopping))
		return;
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void
on_completed(
	void *server, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how)
{
	struct request *rq = *context;
	bool counted;

	(void)connection;
	(void)how;
	if (rq == NULL)
		return;
	*context = NULL;
	rq->conn->request = NULL;
	conn_watch(rq->conn, http_limits.idle_ms, 0);
	unlist_request(rq);
	counted = rq->counted;
	pthread_mutex_lock(&rq->lock);
	rq->slow = atomic_load(&rq->conn->too_slow);
	rq->connection = NULL;
	pthread_cond_broadcast(&rq->changed);
	pthread_mutex_unlock(&rq->lock);
	request_release(rq);
	if (counted)
		count_down(server);
}

/* Decoding is ours: libmicrohttpd would cut the text at %00. */
static size_t
on_unescape(void *server, struct MHD_Connection *connection, char *text)
{
	(void)server;
	(void)connection;
	return strlen(text);
}

static void
on_message(void *server, const char *format, va_list args)
{
	char text[256];

	(void)server;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(text, sizeof text, format, args);
#pragma GCC diagnostic pop
	text[strcspn(text, "\r\n")] = '\0';
	log_debug("libmicrohttpd", "message=\"%s\"", text);
}

static void
on_panic(void *arg, const char *file, unsigned line, const char *reason)
{
	(void)arg;
	log_error(
		"libmicrohttpd", "file=%s line=%u message=\"%s\"", file, line, reason != NULL ? reason : "");
	abort();
}

/* ---- start and stop ---- */

static void *
sweep_loop(void *arg)
{
	struct http_server *s = arg;
	int64_t next = clock_mono_ms() + http_limits.sweep_ms;

	while (!atomic_load(&s->sweeper_ends)) {
		int64_t now = clock_mono_ms();

		if (now >= next) {
			conn_sweep(&s->conns);
			next = now + http_limits.sweep_ms;
		}
		linger_run(s->linger, next > now ? next - now : 0);
	}
	return NULL;
}

static void
raise_fd_limit(unsigned connections)
{
	rlim_t want = (rlim_t)connections + SPARE_FDS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < want)
		log_warn("few descriptors", "limit=%llu wanted=%llu", (unsigned long long)limit.rlim_cur,
			(unsigned long long)want);
}

static struct MHD_Daemon *
start_daemon(struct http_server *s)
{
	const struct http_options *o = &s->options;
	struct MHD_OptionItem more[] = {
		{ MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)o->loop_threads, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	/* a pool of one is no pool */
	if (o->loop_threads < 2)
		more[0].option = MHD_OPTION_END;
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
		s->port, conn_accept, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_message, s,
		MHD_OPTION_LISTEN_SOCKET, s->listen_fd, MHD_OPTION_CONNECTION_LIMIT, o->connection_limit,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 0,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, conn_notify, s,
		MHD_OPTION_URI_LOG_CALLBACK, on_first_line, s, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, s,
		MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

static void
init_locks(struct http_server *s)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->conns.lock, NULL);
}

static void
server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	workers_free(s->streams);
	workers_free(s->workers);
	linger_free(s->linger);
	router_free(s->router);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->conns.lock);
	free(s);
}

static bool
start_parts(struct http_server *s, char *error, size_t size)
{
	const struct http_options *o = &s->options;

	s->router = router_new(o->routes, o->route_count, error, size);
	if (s->router == NULL)
		return false;
	if (s->listen_fd >= 0)
		fcntl(s->listen_fd, F_SETFL, O_NONBLOCK); /* several threads accept from it */
	else
		s->listen_fd = listen_open(o->address, o->port, error, size);
	if (s->listen_fd < 0)
		return false;
	s->port = listen_port(s->listen_fd);
	s->linger = linger_new();
	s->workers = workers_new(o->workers, http_limits.queue_length, http_limits.queue_ms, run_work);
	/* a finished download's thread may need a moment to come back */
	s->streams = workers_new(o->streams, 2, http_limits.sweep_ms, run_work);
	MHD_set_panic_func(on_panic, NULL);
	s->daemon = start_daemon(s);
	if (s->daemon == NULL || !thread_start(&s->sweeper, sweep_loop, s)) {
		snprintf(error, size, "the HTTP server does not start: %s", strerror(errno));
		return false;
	}
	return true;
}

struct http_server *
http_start(const struct http_options *options, char *error, size_t error_size)
{
	struct http_server *s = mem_alloc(sizeof *s);

	s->options = *options;
	s->listen_fd = options->listen_fd;
	random_bytes(&s->id_start, sizeof s->id_start);
	init_locks(s);
	raise_fd_limit(options->connection_limit);
	if (start_parts(s, error, error_size))
		return s;
	if (s->daemon != NULL) {
		MHD_stop_daemon(s->daemon);
		s->listen_fd = -1;
	}
	server_free(s);
	return NULL;
}

uint16_t
http_port(const struct http_server *s)
{
	return s->port;
}

static void
wait_idle(struct http_server *s, int64_t for_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += for_ms / 1000;
	until.tv_nsec += for_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&s->lock);
	while (atomic_load(&s->active) > 0 && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&s->lock);
}

/* Answers that stay open would last as long as the grace does. */
static void
end_pushes(struct http_server *s)
{
	pthread_mutex_lock(&s->lock);
	for (struct request *rq = s->handed_over; rq != NULL; rq = rq->next) {
		pthread_mutex_lock(&rq->lock);
		if (rq->pushing)
			push_finish(rq);
		pthread_mutex_unlock(&rq->lock);
	}
	pthread_mutex_unlock(&s->lock);
}

/* Resume every suspended connection; from now on none is suspended again. */
static void
cut_requests(struct http_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->cutting = true;
	for (struct request *rq = s->handed_over; rq != NULL; rq = rq->next) {
		pthread_mutex_lock(&rq->lock);
		rq->cut = true;
		request_wake(rq);
		pthread_cond_broadcast(&rq->changed);
		pthread_mutex_unlock(&rq->lock);
	}
	pthread_mutex_unlock(&s->lock);
	conn_cut_all(&s->conns);
}

void
http_stop(struct http_server *s, int64_t grace_ms)
{
	if (s == NULL)
		return;
	atomic_store(&s->stopping, true);
	MHD_quiesce_daemon(s->daemon);
	end_pushes(s);
	wait_idle(s, grace_ms);
	cut_requests(s);
	workers_stop(s->streams);
	workers_stop(s->workers);
	while (atomic_load(&s->active) > 0) {
		wait_idle(s, 50);
		conn_cut_all(&s->conns);
	}
	atomic_store(&s->sweeper_ends, true);
	linger_wake(s->linger);
	pthread_join(s->sweeper, NULL);
	MHD_stop_daemon(s->daemon);
	server_free(s);
}
