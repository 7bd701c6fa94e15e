#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "http/limits.h"
#include "http/push.h"
#include "http/server.h"
#include "cm.h"
#include "toy.h"

#undef fail /* base/ctx.h has one too */

struct toy_counts toy;
atomic_bool toy_accepting = true;

static pthread_mutex_t parked_lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *parked[1000];
static size_t parked_count;

/* ---- handlers ---- */

static enum status
hello(struct request *rq, struct response *rs)
{
	atomic_fetch_add(&toy.called, 1);
	response_type(rs, "text/plain");
	buf_printf(response_body(rs), "hello from %s, %s", request_on_loop(rq) ? "the loop" : "a worker",
		request_address(rq));
	return OK;
}

static enum status
slow(struct request *rq, struct response *rs)
{
	atomic_fetch_add(&toy.called, 1);
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	if (request_client_gone(rq))
		atomic_fetch_add(&toy.gone, 1);
	buf_str(response_body(rs), "{}");
	return OK;
}

static enum status
echo(struct request *rq, struct response *rs)
{
	size_t len;
	const char *body = request_body(rq, &len);

	atomic_fetch_add(&toy.called, 1);
	buf_add(response_body(rs), body, len);
	return OK;
}

static enum status
query(struct request *rq, struct response *rs)
{
	const struct pair *pairs;
	size_t n;

	pairs = request_query(rq, &n);
	buf_printf(response_body(rs), "%s:", request_param(rq, "id"));
	for (size_t i = 0; i < n; i++)
		buf_printf(response_body(rs), "[%s=%s]", pairs[i].name, pairs[i].value);
	response_header(rs, "X-Good", "yes");
	response_header(rs, "X-Split", "no\r\nX-Evil: yes");
	return OK;
}

static void *
finish_soon(void *arg)
{
	struct request *rq = arg;

	buf_str(response_body(request_response(rq)), "later");
	request_finish(rq, OK);
	return NULL;
}

static enum status
scan(struct request *rq, struct response *rs)
{
	pthread_t thread;
	size_t len;
	const char *body = request_body(rq, &len);

	if (str_eq(body, "\"later\"")) {
		assert_int_equal(pthread_create(&thread, NULL, finish_soon, rq), 0);
		pthread_detach(thread);
		return LATER;
	}
	if (str_eq(body, "\"fail later\"")) {
		request_finish(rq, fail(request_ctx(rq), CONFLICT, "failed later"));
		return LATER;
	}
	if (str_eq(body, "\"worker\"") && request_on_loop(rq)) {
		buf_str(response_body(rs), "must not be seen");
		return NEEDS_WORKER;
	}
	buf_printf(response_body(rs), "%zu on %s", len, request_on_loop(rq) ? "the loop" : "a worker");
	return OK;
}

static enum status
park(struct request *rq, struct response *rs)
{
	(void)rs;
	pthread_mutex_lock(&parked_lock);
	assert_true(parked_count < 1000);
	parked[parked_count++] = rq;
	pthread_mutex_unlock(&parked_lock);
	atomic_fetch_add(&toy.parked, 1);
	return LATER;
}

void
toy_finish_parked(enum status st)
{
	pthread_mutex_lock(&parked_lock);
	for (size_t i = 0; i < parked_count; i++)
		request_finish(parked[i], st);
	parked_count = 0;
	pthread_mutex_unlock(&parked_lock);
}

static struct push *pushes[TOY_PUSHES];

static enum status
push(struct request *rq, struct response *rs)
{
	int64_t limit;

	if (!str_int64(request_query_one(rq, "limit"), &limit))
		return fail(request_ctx(rq), INVALID, "limit must be a number");
	response_type(rs, "text/event-stream");
	pthread_mutex_lock(&parked_lock);
	pushes[atomic_load(&toy.pushes) % TOY_PUSHES] = push_open(rs, (size_t)limit);
	atomic_fetch_add(&toy.pushes, 1);
	pthread_mutex_unlock(&parked_lock);
	return OK;
}

struct push *
toy_push(unsigned i)
{
	struct push *p;

	while (atomic_load(&toy.pushes) <= i)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	pthread_mutex_lock(&parked_lock);
	p = pushes[i % TOY_PUSHES];
	pthread_mutex_unlock(&parked_lock);
	return p;
}

static enum status
upload(struct request *rq, struct response *rs)
{
	static _Thread_local char piece[65536];
	uint64_t total = 0, sum = 0;
	enum status st;
	size_t n;

	atomic_fetch_add(&toy.called, 1);
	while ((st = request_read(rq, piece, sizeof piece, &n)) == OK && n > 0) {
		total += n;
		for (size_t i = 0; i < n; i += 997)
			sum += (unsigned char)piece[i] * (total + i);
	}
	atomic_store(&toy.uploaded, total);
	atomic_store(&toy.upload_end, (int)st);
	if (st != OK)
		return st;
	buf_printf(response_body(rs), "%s %llu", request_param(rq, "path"), (unsigned long long)total);
	return sum == 1 ? INTERNAL : OK;
}

static enum status
refused_upload(struct request *rq, struct response *rs)
{
	(void)rs;
	return fail(request_ctx(rq), UNAUTHENTICATED, "sign in first");
}

/* Reads a little, then gives up. */
static enum status
half_upload(struct request *rq, struct response *rs)
{
	char piece[1000];
	enum status st;
	size_t n;

	(void)rs;
	if ((st = request_read(rq, piece, sizeof piece, &n)) != OK)
		return st;
	return fail(request_ctx(rq), CONFLICT, "changed my mind");
}

static enum status
download(struct request *rq, struct response *rs)
{
	static _Thread_local char piece[50000];
	int64_t size, written = 0;
	bool chunked = request_query_one(rq, "chunked") != NULL;
	bool lies = request_query_one(rq, "fails") != NULL;
	enum status st;

	if (!str_int64(request_query_one(rq, "size"), &size))
		return fail(request_ctx(rq), INVALID, "size must be a number");
	response_type(rs, "application/octet-stream");
	if ((st = response_stream(rs, chunked ? -1 : size)) != OK)
		return st;
	while (written < size) {
		size_t n = size - written < 50000 ? (size_t)(size - written) : 50000;

		if (lies && written > size / 2)
			return fail(request_ctx(rq), UNAVAILABLE, "the disk is gone");
		for (size_t i = 0; i < n; i++)
			piece[i] = (char)((uint64_t)written + i);
		if ((st = response_write(rs, piece, n)) != OK)
			return st;
		written += (int64_t)n;
	}
	return OK;
}

static enum status
fixed(struct request *rq, struct response *rs)
{
	static const char text[] = "<!doctype html>";

	(void)rq;
	response_type(rs, "text/html");
	response_header(rs, "Cache-Control", "public, immutable");
	response_static(rs, text, sizeof text - 1);
	return OK;
}

#define ROW(m, p, limit, mode, h)                                                                            \
	{                                                                                                    \
		m, p, #h, 1, NULL, limit, mode, h                                                            \
	}

static const struct route routes[] = {
	ROW("GET", "/hello", 0, INLINE, hello),
	ROW("GET", "/worker", 0, WORKER, hello),
	ROW("GET", "/slow", 0, WORKER, slow),
	ROW("POST", "/echo", 1000, WORKER, echo),
	ROW("PATCH", "/echo", 1000, WORKER, echo),
	ROW("DELETE", "/echo", 1000, INLINE, echo),
	ROW("GET", "/items/{id}", 0, INLINE, query),
	ROW("POST", "/scan", 1 << 20, SCANNED, scan),
	ROW("GET", "/park", 0, SCANNED, park),
	ROW("GET", "/push", 0, WORKER, push),
	ROW("PUT", "/files/{path...}", (size_t)1 << 30, STREAMED, upload),
	ROW("GET", "/files/{path...}", 0, STREAMED, download),
	ROW("PUT", "/small", 100000, STREAMED, upload),
	ROW("PUT", "/refused", (size_t)1 << 30, STREAMED, refused_upload),
	ROW("PUT", "/half", (size_t)1 << 30, STREAMED, half_upload),
	ROW("GET", "/{path...}", 0, INLINE, fixed),
};

/* ---- the server ---- */

static void
refuse(struct request *rq, struct response *rs, enum status st)
{
	static const int codes[] = { [INVALID] = 400,
		[BAD_REQUEST] = 400,
		[UNAUTHENTICATED] = 401,
		[DENIED] = 403,
		[NO_ENDPOINT] = 404,
		[NOT_ALLOWED] = 405,
		[CONFLICT] = 409,
		[TOO_LARGE] = 413,
		[UNAVAILABLE] = 503,
		[TIMED_OUT] = 504,
		[INTERNAL] = 500 };

	response_status(rs, codes[st] != 0 ? codes[st] : 500);
	buf_printf(response_body(rs), "{\"message\":\"%s\"}", request_ctx(rq)->message);
}

static enum status
answer(struct request *rq, struct response *rs)
{
	return request_route(rq)->handler(rq, rs);
}

static bool
accepting(void)
{
	return atomic_load(&toy_accepting);
}

struct http_server *
toy_start(unsigned workers, unsigned streams)
{
	static const char *const allow[] = { "cairn.test", NULL };
	struct http_options o = { .address = "127.0.0.1",
		.listen_fd = -1,
		.loop_threads = 2,
		.workers = workers,
		.streams = streams,
		.connection_limit = 1000,
		.allow_hosts = allow,
		.routes = routes,
		.route_count = sizeof routes / sizeof routes[0],
		.answer = answer,
		.refuse = refuse,
		.accepting = accepting };
	char error[200] = "";
	struct http_server *s;

	signal(SIGPIPE, SIG_IGN);
	assert_true(hash_setup());
	log_setup(LOG_LEVEL_ERROR, false);
	memset(&toy, 0, sizeof toy);
	atomic_store(&toy.upload_end, -1);
	s = http_start(&o, error, sizeof error);
	assert_string_equal(error, "");
	assert_non_null(s);
	return s;
}

int
toy_set_up(void **state)
{
	*state = toy_start(4, 4);
	return 0;
}

int
toy_tear_down(void **state)
{
	http_stop(*state, 5000);
	return 0;
}

/* ---- the client ---- */

int
dial(const struct http_server *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(http_port(s)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval wait = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

bool
say_bytes(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void
say(int fd, const char *text)
{
	assert_true(say_bytes(fd, text, strlen(text)));
}

static bool
hear_head(int fd, struct reply *r)
{
	size_t n = 0;

	while (n < sizeof r->head - 1) {
		if (recv(fd, r->head + n, 1, 0) != 1)
			return false;
		n++;
		if (n >= 4 && memcmp(r->head + n - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static bool
hear_bytes(int fd, struct reply *r, size_t n)
{
	r->body = realloc(r->body, r->len + n + 1);
	assert_non_null(r->body);
	while (n > 0) {
		ssize_t got = recv(fd, r->body + r->len, n, 0);

		if (got <= 0) {
			r->cut = r->closed = true;
			return false;
		}
		r->len += (size_t)got;
		n -= (size_t)got;
	}
	r->body[r->len] = '\0';
	return true;
}

static void
hear_chunks(int fd, struct reply *r)
{
	char line[32], crlf[2];
	size_t n, size;

	do {
		for (n = 0; n < sizeof line - 1 && recv(fd, line + n, 1, 0) == 1 && line[n] != '\n'; n++)
			continue;
		line[n] = '\0';
		if (n == 0) {
			r->cut = r->closed = true;
			return;
		}
		size = strtoul(line, NULL, 16);
		if (!hear_bytes(fd, r, size) || recv(fd, crlf, 2, MSG_WAITALL) != 2)
			r->cut = r->closed = true;
	} while (size > 0 && !r->cut);
}

void
hear(int fd, bool head, struct reply *out)
{
	const char *length;

	memset(out, 0, sizeof *out);
	if (!hear_head(fd, out)) {
		out->closed = true;
		return;
	}
	assert_int_equal(sscanf(out->head, "HTTP/1.1 %d", &out->status), 1);
	hear_bytes(fd, out, 0);
	if (head || out->status == 100)
		return;
	if (reply_header(out, "Transfer-Encoding") != NULL)
		hear_chunks(fd, out);
	else if ((length = reply_header(out, "Content-Length")) != NULL)
		hear_bytes(fd, out, strtoul(length, NULL, 10));
}

void
reply_free(struct reply *r)
{
	free(r->body);
	r->body = NULL;
}

const char *
reply_header(const struct reply *r, const char *name)
{
	static _Thread_local char value[512];
	size_t n = strlen(name);

	for (const char *p = strstr(r->head, "\r\n"); p != NULL; p = strstr(p + 2, "\r\n"))
		if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':') {
			const char *from = p + 3 + n + strspn(p + 3 + n, " ");

			snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r\n"), from);
			return value;
		}
	return NULL;
}

int
ask(const struct http_server *s, const char *text, struct reply *out)
{
	int fd = dial(s);

	say(fd, text);
	hear(fd, strncmp(text, "HEAD ", 5) == 0, out);
	if (out->status != 0 && !out->closed && reply_header(out, "Connection") != NULL &&
		strcasecmp(reply_header(out, "Connection"), "close") == 0)
		out->closed = ends_within(fd, 2000);
	close(fd);
	return out->status;
}

bool
ends_within(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&p, 1, ms) == 1 && recv(fd, &c, 1, 0) <= 0;
}

long
resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0, resident = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}
