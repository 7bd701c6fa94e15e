#include <string.h>
#include "base/log.h"
#include "base/clock.h"
#include "base/str.h"
#include "http/internal.h"

void
response_init(struct response *rs, struct request *rq)
{
	memset(rs, 0, sizeof *rs);
	rs->request = rq;
	rs->status = 200;
	rs->type = "application/json";
	buf_init(&rs->body, http_limits.response_bytes);
}

void
response_fini(struct response *rs)
{
	buf_fini(&rs->body);
}

void
response_reset(struct response *rs)
{
	buf_fini(&rs->body);
	response_init(rs, rs->request);
}

struct buf *
response_body(struct response *rs)
{
	return &rs->body;
}

void
response_status(struct response *rs, int http_status)
{
	rs->status = http_status;
	rs->status_set = true;
}

static bool
is_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

void
response_type(struct response *rs, const char *content_type)
{
	if (is_clean(content_type))
		rs->type = arena_str(rs->request->ctx.arena, content_type);
}

void
response_header(struct response *rs, const char *name, const char *value)
{
	struct arena *arena = rs->request->ctx.arena;

	if (!is_clean(name) || !is_clean(value))
		return;
	if (rs->header_count == rs->header_size) {
		struct pair *more = arena_array(arena, rs->header_size * 2 + 4, sizeof *more);

		if (rs->header_count > 0)
			memcpy(more, rs->headers, rs->header_count * sizeof *more);
		rs->headers = more;
		rs->header_size = rs->header_size * 2 + 4;
	}
	rs->headers[rs->header_count].name = arena_str(arena, name);
	rs->headers[rs->header_count++].value = arena_str(arena, value);
}

void
response_static(struct response *rs, const void *data, size_t len)
{
	rs->fixed = data;
	rs->fixed_len = len;
}

bool
response_is_head(const struct response *rs)
{
	return rs->request->head;
}

/* ---- on the event loop ---- */

static bool
has_header(const struct response *rs, const char *name)
{
	for (size_t i = 0; i < rs->header_count; i++)
		if (str_eq_nocase(rs->headers[i].name, name))
			return true;
	return false;
}

static void
add_headers(const struct request *rq, struct MHD_Response *out)
{
	const struct response *rs = &rq->response;

	for (size_t i = 0; i < rs->header_count; i++)
		MHD_add_response_header(out, rs->headers[i].name, rs->headers[i].value);
	if (rs->status != 204 && rs->status != 304)
		MHD_add_response_header(out, "Content-Type", rs->type);
	MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(out, "X-Request-Id", rq->ctx.request_id);
	if (!has_header(rs, "Cache-Control"))
		MHD_add_response_header(out, "Cache-Control", "no-store");
	if ((rs->status == 503 || rs->status == 429) && !has_header(rs, "Retry-After"))
		MHD_add_response_header(out, "Retry-After", "1");
	if (rq->close)
		MHD_add_response_header(out, "Connection", "close");
}

static struct MHD_Response *
buffered_answer(const struct request *rq)
{
	const struct response *rs = &rq->response;

	if (rs->fixed != NULL)
		return MHD_create_response_from_buffer(
			rs->fixed_len, (void *)(uintptr_t)rs->fixed, MHD_RESPMEM_PERSISTENT);
	return MHD_create_response_from_buffer(rs->body.len, rs->body.data, MHD_RESPMEM_PERSISTENT);
}

static void
log_answer(const struct request *rq)
{
	long long us = clock_mono_us() - rq->began_mono_us;

	/* once it streams, the ctx is the stream thread's */
	if (rq->response.status >= 500)
		log_warn("answer", "request=%s method=%s path=\"%s\" status=%d us=%lld message=\"%s\"",
			rq->ctx.request_id, rq->method, rq->path, rq->response.status, us,
			rq->streaming ? "" : rq->ctx.message);
	else
		log_debug("answer", "request=%s method=%s path=\"%s\" status=%d us=%lld", rq->ctx.request_id,
			rq->method, rq->path, rq->response.status, us);
}

/* What the handler left unsaid: the error it returned without writing it, or an answer over the limit. */
static void
settle(struct request *rq)
{
	struct response *rs = &rq->response;

	if (rs->body.overflow) {
		rq->status = fail(&rq->ctx, INVALID,
			"the answer would be over %zu MiB: ask for less at a time (max_results)",
			rs->body.limit >> 20);
		response_reset(rs);
	}
	if (rq->status != OK && !rs->status_set)
		rq->server->options.refuse(rq, rs, rq->status);
}

/* A reader gets the first window, and for a large body the time that the least rate allows it. */
static void
watch_answer(struct request *rq)
{
	size_t len = rq->response.fixed != NULL ? rq->response.fixed_len : rq->response.body.len;

	if (rq->streaming || rq->pushing) {
		request_watch(rq, rq->streaming ? WATCH_READER : WATCH_PUSH);
		return;
	}
	rq->watched = WATCH_READER;
	conn_watch(rq->conn, http_limits.reader_ms + (int64_t)len * 1000 / http_limits.rate, 0);
}

enum MHD_Result
response_queue(struct request *rq)
{
	struct MHD_Response *out;
	enum MHD_Result queued;

	if (!rq->streaming)
		settle(rq);
	if (atomic_load(&rq->server->stopping))
		rq->close = true;
	out = rq->streaming ? stream_answer(rq) : rq->pushing ? push_answer(rq) : buffered_answer(rq);
	if (out == NULL)
		return MHD_NO;
	add_headers(rq, out);
	log_answer(rq);
	watch_answer(rq);
	queued = MHD_queue_response(rq->connection, (unsigned)rq->response.status, out);
	MHD_destroy_response(out);
	return queued;
}
