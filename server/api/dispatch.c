/* The way of a request: who is calling, may they, the handler of the row, and what a status becomes on the wire. */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/web.h"
#include "auth/caller.h"
#include "auth/permission.h"
#include "base/jsonw.h"
#include "base/log.h"

static struct api_options options;

bool
api_setup(const struct api_options *in, char *error, size_t error_size)
{
	options = *in;
	return web_setup(in->web_folder, error, error_size);
}

void
api_teardown(void)
{
	web_teardown();
}

const struct api_options *
api_options(void)
{
	return &options;
}

enum status
api_answer(struct request *rq, struct response *rs)
{
	const struct route *route = request_route(rq);
	enum status st;

	if ((st = caller_find(rq)) != OK || (st = permission_check(rq, route)) != OK)
		return st;
	return route->handler(rq, rs);
}

/* One table: status to HTTP and to the protocol's error code. */
static const struct {
	int http;
	const char *code;
} wire[] = {
	[OK] = { 200, NULL },
	[INVALID] = { 400, "INVALID_PARAMETER_VALUE" },
	[BAD_REQUEST] = { 400, "BAD_REQUEST" },
	[ALREADY_EXISTS] = { 400, "RESOURCE_ALREADY_EXISTS" },
	[UNAUTHENTICATED] = { 401, "UNAUTHENTICATED" },
	[DENIED] = { 403, "PERMISSION_DENIED" },
	[NOT_FOUND] = { 404, "RESOURCE_DOES_NOT_EXIST" },
	[NO_ENDPOINT] = { 404, "ENDPOINT_NOT_FOUND" },
	[NOT_ALLOWED] = { 405, "BAD_REQUEST" },
	[CONFLICT] = { 409, "RESOURCE_CONFLICT" },
	[PRECONDITION] = { 412, "ABORTED" },
	[TOO_LARGE] = { 413, "BAD_REQUEST" },
	[BAD_MEDIA_TYPE] = { 415, "BAD_REQUEST" },
	[BAD_RANGE] = { 416, "BAD_REQUEST" },
	[TOO_MANY] = { 429, "REQUEST_LIMIT_EXCEEDED" },
	[NOT_IMPLEMENTED] = { 501, "NOT_IMPLEMENTED" },
	[UNAVAILABLE] = { 503, "TEMPORARILY_UNAVAILABLE" },
	[TIMED_OUT] = { 504, "DEADLINE_EXCEEDED" },
	[INTERNAL] = { 500, "INTERNAL_ERROR" },
};

/* An unknown route is answered in plain text: clients fall back on that, whatever they asked for. */
static void
refuse_route(struct request *rq, struct response *rs)
{
	response_type(rs, "text/plain; charset=utf-8");
	buf_printf(response_body(rs), "Not Found: %s %.500s is no route of this server\n", request_method(rq),
		request_path(rq));
}

void
api_refuse(struct request *rq, struct response *rs, enum status st)
{
	struct ctx *cx = request_ctx(rq);
	struct jsonw w;

	if (st >= sizeof(wire) / sizeof(wire[0]) || wire[st].code == NULL)
		st = INTERNAL;
	buf_clear(response_body(rs));
	response_status(rs, wire[st].http);
	if (st == UNAUTHENTICATED)
		caller_challenge(rq, rs);
	if (st == NO_ENDPOINT) {
		refuse_route(rq, rs);
		return;
	}
	if (st == INTERNAL) {
		log_error("internal", "request=%s route=%s message=\"%s\"", cx->request_id, request_path(rq),
			cx->message);
		snprintf(cx->message, sizeof(cx->message),
			"the server failed; its log says why, under request %s", cx->request_id);
	}
	response_type(rs, "application/json");
	jw_init(&w, response_body(rs));
	jw_object(&w);
	jw_text_at(&w, "error_code", wire[st].code);
	jw_text_at(&w, "message", cx->message);
	jw_end(&w);
}
