#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/decode.h"
#include "http/internal.h"

/* ---- birth and death ---- */

struct request *
request_new(struct http_server *s, struct conn *c, const char *target)
{
	struct request *rq = mem_alloc(sizeof *rq);

	ctx_init(&rq->ctx, arena_new(), s->options.parts);
	snprintf(rq->ctx.request_id, sizeof rq->ctx.request_id, "%08x%08x", s->id_start,
		atomic_fetch_add(&s->id_next, 1));
	rq->server = s;
	rq->conn = c;
	rq->fd = c->fd;
	rq->target = arena_str(rq->ctx.arena, target);
	rq->began_mono_us = clock_mono_us();
	rq->holders = 1;
	memcpy(rq->address, c->address, sizeof rq->address);
	pthread_mutex_init(&rq->lock, NULL);
	pthread_cond_init(&rq->changed, NULL);
	response_init(&rq->response, rq);
	return rq;
}

static void
request_free(struct request *rq)
{
	pipe_fini(&rq->up);
	pipe_fini(&rq->down);
	buf_fini(&rq->push);
	buf_fini(&rq->body);
	response_fini(&rq->response);
	arena_free(rq->ctx.arena);
	pthread_cond_destroy(&rq->changed);
	pthread_mutex_destroy(&rq->lock);
	free(rq);
}

void
request_release(struct request *rq)
{
	bool last;

	pthread_mutex_lock(&rq->lock);
	last = --rq->holders == 0;
	pthread_mutex_unlock(&rq->lock);
	if (last)
		request_free(rq);
}

/* ---- the first look ---- */

/*
 * libmicrohttpd glues the second line of a folded header to the header's name, which may make a name that nobody else
 * on the way has seen. The glued name is a copy, so its value does not stand behind it in the request as sent.
 */
static bool
is_folded(const char *name, size_t name_len, const char *value)
{
	uintptr_t end = (uintptr_t)(name + name_len);

	if ((uintptr_t)value <= end || (uintptr_t)value - end > HTTP_CONNECTION_BYTES)
		return true;
	return strspn(name + name_len + 1, " \t") < (uintptr_t)value - end - 1;
}

static enum MHD_Result
copy_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
	size_t value_len)
{
	struct request *rq = arg;
	struct pair *h = &rq->headers[rq->header_count++];

	(void)kind;
	if (value == NULL || is_folded(name, name_len, value))
		rq->folded = true;
	h->name = arena_strn(rq->ctx.arena, name, name_len);
	h->value = value != NULL ? arena_strn(rq->ctx.arena, value, value_len) : "";
	return MHD_YES;
}

static void
copy_headers(struct request *rq, struct MHD_Connection *connection)
{
	int n = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);

	rq->headers = arena_array(rq->ctx.arena, n > 0 ? (size_t)n : 1, sizeof *rq->headers);
	if (n > 0)
		MHD_get_connection_values_n(connection, MHD_HEADER_KIND, copy_header, rq);
}

static enum status
run_guard(struct request *rq, const char *version)
{
	struct guard_input in = { rq->target, version, rq->headers, rq->header_count,
		rq->server->options.allow_hosts };
	struct guard_body body;
	enum status st;

	if (rq->folded)
		return fail(
			&rq->ctx, BAD_REQUEST, "a header is folded over two lines; each must stand on one");
	if ((st = guard_check(&rq->ctx, &in, &body)) != OK)
		return st;
	rq->length = body.length;
	return OK;
}

static enum status
find_route(struct request *rq)
{
	struct match match;
	enum status st;

	st = router_find(rq->server->router, &rq->ctx, rq->method, rq->path, &match);
	if (st == NOT_ALLOWED)
		response_header(&rq->response, "Allow", match.allow);
	if (st != OK)
		return st;
	rq->route = match.route;
	rq->params = match.params;
	rq->param_count = match.param_count;
	if (!decode_query(rq->ctx.arena, rq->query, &rq->pairs, &rq->pair_count))
		return fail(&rq->ctx, BAD_REQUEST,
			"the query holds a malformed escape, a NUL or bytes that are not UTF-8");
	return OK;
}

static enum status
check_body_limit(struct request *rq)
{
	if (rq->length <= 0 || (uint64_t)rq->length <= rq->route->body_limit)
		return OK;
	if (rq->route->body_limit == 0)
		return fail(&rq->ctx, TOO_LARGE, "%s %.200s takes no body", rq->method, rq->path);
	return fail(&rq->ctx, TOO_LARGE, "a body of %lld bytes is over the limit of %zu here",
		(long long)rq->length, rq->route->body_limit);
}

static enum status
check_accepting(struct request *rq)
{
	if (atomic_load(&rq->server->stopping))
		return fail(&rq->ctx, UNAVAILABLE, "the server is stopping");
	if (rq->route->mode != INLINE && rq->server->options.accepting != NULL &&
		!rq->server->options.accepting())
		return fail(&rq->ctx, UNAVAILABLE, "the server is starting or stopping, try again");
	return OK;
}

static void
split_target(struct request *rq)
{
	size_t len = strcspn(rq->target, "?");

	rq->path = arena_strn(rq->ctx.arena, rq->target, len);
	rq->query = rq->target[len] == '?' ? rq->target + len + 1 : "";
}

enum status
request_begin(struct request *rq, struct MHD_Connection *connection, const char *method, const char *version)
{
	enum status st;

	rq->begun = true;
	rq->connection = connection;
	rq->method = arena_str(rq->ctx.arena, method);
	rq->head = str_eq(method, "HEAD");
	rq->close = !str_eq(version, "HTTP/1.1");
	split_target(rq);
	copy_headers(rq, connection);
	if ((st = run_guard(rq, version)) != OK) {
		rq->close = true;
		return st;
	}
	if ((st = find_route(rq)) != OK || (st = check_body_limit(rq)) != OK)
		return st;
	if ((st = check_accepting(rq)) != OK)
		return st;
	buf_init(&rq->body, rq->route->body_limit);
	if (rq->route->mode != STREAMED)
		rq->ctx.deadline_mono_ms = clock_mono_ms() + http_limits.request_ms;
	return OK;
}

/* ---- suspending and resuming ---- */

bool
request_suspend(struct request *rq)
{
	if (rq->cut)
		return false;
	request_watch(rq, WATCH_NONE);
	rq->suspended = true;
	MHD_suspend_connection(rq->connection);
	return true;
}

void
request_wake(struct request *rq)
{
	if (!rq->suspended || rq->connection == NULL)
		return;
	rq->suspended = false;
	MHD_resume_connection(rq->connection);
}

void
request_watch(struct request *rq, enum watched what)
{
	if (rq->watched == what)
		return;
	rq->watched = what;
	if (what == WATCH_NONE)
		conn_watch(rq->conn, 0, 0);
	else if (what == WATCH_PUSH) /* what was sent must leave, however slowly */
		conn_watch(rq->conn, http_limits.reader_ms, 1);
	else if (what == WATCH_BODY)
		conn_watch(rq->conn, http_limits.body_window_ms,
			http_limits.rate * http_limits.body_window_ms / 1000);
	else
		conn_watch(rq->conn, http_limits.reader_ms, http_limits.rate * http_limits.reader_ms / 1000);
}

/* The event loop writes what the status asks for when it finds the request finished. */
void
request_finish(struct request *rq, enum status st)
{
	pthread_mutex_lock(&rq->lock);
	rq->finished = true;
	rq->status = st;
	request_wake(rq);
	pthread_mutex_unlock(&rq->lock);
	request_release(rq);
}

/* ---- what a handler may ask ---- */

struct ctx *
request_ctx(struct request *rq)
{
	return &rq->ctx;
}

const struct route *
request_route(const struct request *rq)
{
	return rq->route;
}

const char *
request_method(const struct request *rq)
{
	return rq->method;
}

const char *
request_path(const struct request *rq)
{
	return rq->path;
}

static const char *
find_pair(const struct pair *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(pairs[i].name, name))
			return pairs[i].value;
	return NULL;
}

const char *
request_param(const struct request *rq, const char *name)
{
	return find_pair(rq->params, rq->param_count, name);
}

const struct pair *
request_query(const struct request *rq, size_t *n)
{
	*n = rq->pair_count;
	return rq->pairs;
}

const char *
request_query_one(const struct request *rq, const char *name)
{
	return find_pair(rq->pairs, rq->pair_count, name);
}

const char *
request_header(const struct request *rq, const char *name)
{
	for (size_t i = 0; i < rq->header_count; i++)
		if (str_eq_nocase(rq->headers[i].name, name))
			return rq->headers[i].value;
	return NULL;
}

const char *
request_address(const struct request *rq)
{
	return rq->address;
}

bool
request_on_loop(const struct request *rq)
{
	return atomic_load(&rq->on_loop);
}

const char *
request_body(const struct request *rq, size_t *len)
{
	*len = rq->body.len;
	return rq->body.data != NULL ? rq->body.data : "";
}

void
request_body_drop(struct request *rq)
{
	buf_fini(&rq->body);
}

int64_t
request_body_length(const struct request *rq)
{
	return rq->length;
}

bool
request_client_gone(struct request *rq)
{
	bool gone = true;
	ssize_t n;
	char c;

	pthread_mutex_lock(&rq->lock);
	if (rq->connection != NULL && !rq->cut) {
		n = recv(rq->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
		gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	}
	pthread_mutex_unlock(&rq->lock);
	return gone;
}

struct response *
request_response(struct request *rq)
{
	return &rq->response;
}
