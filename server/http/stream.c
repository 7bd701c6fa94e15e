/*
 * Uploads and downloads of any size: a stream thread blocks on a bounded pipe; the event loop suspends the connection
 * when the upload's pipe is full or the download's is empty, and the stream thread resumes it.
 */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "http/internal.h"

#define BLOCK_BYTES 32768

/* ---- the pipe ---- */

size_t
pipe_put(struct pipe *p, const void *data, size_t len)
{
	size_t end, first;

	if (p->data == NULL) {
		p->size = http_limits.pipe_bytes;
		p->data = mem_resize(NULL, p->size, 1);
	}
	if (len > p->size - p->len)
		len = p->size - p->len;
	end = (p->start + p->len) % p->size;
	first = len < p->size - end ? len : p->size - end;
	memcpy(p->data + end, data, first);
	memcpy(p->data, (const char *)data + first, len - first);
	p->len += len;
	return len;
}

size_t
pipe_get(struct pipe *p, void *out, size_t size)
{
	size_t len = size < p->len ? size : p->len;
	size_t first;

	if (len == 0)
		return 0;
	first = len < p->size - p->start ? len : p->size - p->start;
	memcpy(out, p->data + p->start, first);
	memcpy((char *)out + first, p->data, len - first);
	p->len -= len;
	p->start = p->len == 0 ? 0 : (p->start + len) % p->size;
	return len;
}

void
pipe_fini(struct pipe *p)
{
	free(p->data);
	memset(p, 0, sizeof *p);
}

/* ---- on the event loop ---- */

static bool
discard(struct request *rq, size_t *len)
{
	request_watch(rq, WATCH_BODY);
	conn_moved(rq->conn, *len);
	rq->discarded += (int64_t)*len;
	*len = 0;
	return (uint64_t)rq->discarded <= http_limits.discard_bytes;
}

static enum MHD_Result
take_body(struct request *rq, const char *data, size_t *len)
{
	size_t taken;

	if (rq->body_too_large)
		return discard(rq, len) ? MHD_YES : MHD_NO;
	request_watch(rq, WATCH_BODY);
	taken = pipe_put(&rq->up, data, *len);
	conn_moved(rq->conn, taken);
	rq->received += (int64_t)taken;
	*len -= taken;
	if ((uint64_t)rq->received > rq->route->body_limit)
		rq->body_too_large = true;
	pthread_cond_signal(&rq->changed);
	return *len == 0 || request_suspend(rq) ? MHD_YES : MHD_NO;
}

/* No data came with the call: the headers are in, or the whole body is. */
static enum MHD_Result
without_data(struct request *rq)
{
	if (!rq->body_begun && rq->want_body) {
		rq->body_begun = true;
		request_watch(rq, WATCH_BODY);
		return MHD_YES;
	}
	if (rq->body_begun) {
		rq->body_ended = true;
		pthread_cond_signal(&rq->changed);
	}
	return request_suspend(rq) ? MHD_YES : MHD_NO;
}

enum MHD_Result
stream_call(struct request *rq, const char *data, size_t *len)
{
	enum MHD_Result result = MHD_YES;
	bool answer;

	pthread_mutex_lock(&rq->lock);
	answer = !rq->cut && (rq->finished || rq->streaming);
	if (rq->cut)
		result = MHD_NO;
	else if (answer && *len > 0)
		result = discard(rq, len) ? MHD_YES : MHD_NO;
	else if (!answer && *len > 0)
		result = take_body(rq, data, len);
	else if (!answer)
		result = without_data(rq);
	else
		result = MHD_YES;
	answer &= data == NULL;
	pthread_mutex_unlock(&rq->lock);
	if (!answer)
		return result;
	if (!rq->body_begun) {
		rq->close = true;
		rq->conn->linger = true;
	}
	return response_queue(rq);
}

static ssize_t
out_of_data(struct request *rq)
{
	bool whole = rq->response.stream_length < 0 || rq->response.written == rq->response.stream_length;

	if (rq->finished)
		return rq->status == OK && whole ? MHD_CONTENT_READER_END_OF_STREAM
						 : MHD_CONTENT_READER_END_WITH_ERROR;
	return request_suspend(rq) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t
read_answer(void *arg, uint64_t pos, char *out, size_t max)
{
	struct request *rq = arg;
	ssize_t n;

	(void)pos;
	pthread_mutex_lock(&rq->lock);
	n = (ssize_t)pipe_get(&rq->down, out, max);
	if (rq->cut) {
		n = MHD_CONTENT_READER_END_WITH_ERROR;
	} else if (n > 0) {
		request_watch(rq, WATCH_READER);
		conn_moved(rq->conn, (size_t)n);
		pthread_cond_signal(&rq->changed);
	} else {
		n = out_of_data(rq);
	}
	pthread_mutex_unlock(&rq->lock);
	return n;
}

struct MHD_Response *
stream_answer(struct request *rq)
{
	int64_t length = rq->response.stream_length;

	return MHD_create_response_from_callback(
		length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)length, BLOCK_BYTES, read_answer, rq, NULL);
}

/* ---- on the stream thread ---- */

/* Under the lock: what keeps us from going on with the client. */
static enum status
client_state(struct request *rq)
{
	if (rq->cut)
		return fail(&rq->ctx, UNAVAILABLE, "the server is stopping");
	if (rq->connection != NULL)
		return OK;
	if (rq->slow)
		return fail(&rq->ctx, TIMED_OUT, "the client was too slow");
	return fail(&rq->ctx, BAD_REQUEST, "the client closed the connection before the end");
}

static enum status
wait_for_body(struct request *rq)
{
	enum status st;

	while (rq->up.len == 0 && !rq->body_ended && !rq->body_too_large) {
		if ((st = client_state(rq)) != OK)
			return st;
		rq->want_body = true;
		request_wake(rq);
		pthread_cond_wait(&rq->changed, &rq->lock);
	}
	if (rq->body_too_large)
		return fail(&rq->ctx, TOO_LARGE, "the body is over the limit of %zu bytes here",
			rq->route->body_limit);
	return OK;
}

enum status
request_read(struct request *rq, void *out, size_t size, size_t *got)
{
	enum status st;

	*got = 0;
	pthread_mutex_lock(&rq->lock);
	if ((st = wait_for_body(rq)) == OK) {
		*got = pipe_get(&rq->up, out, size);
		/* not for every piece: half a pipe at a time */
		if (rq->up.len <= rq->up.size / 2 && !rq->body_ended)
			request_wake(rq);
	}
	pthread_mutex_unlock(&rq->lock);
	return st;
}

enum status
response_stream(struct response *rs, int64_t length)
{
	struct request *rq = rs->request;
	enum status st = OK;

	if (rq->route->mode != STREAMED || rq->streaming)
		return fail(&rq->ctx, INTERNAL, "an answer is streamed once, and by a STREAMED route");
	pthread_mutex_lock(&rq->lock);
	if ((st = client_state(rq)) == OK) {
		rs->stream_length = length;
		rs->status_set = true;
		rq->streaming = true;
		request_wake(rq);
	}
	pthread_mutex_unlock(&rq->lock);
	return st;
}

static enum status
write_some(struct request *rq, const char **data, size_t *len)
{
	enum status st;
	size_t n;

	while ((n = pipe_put(&rq->down, *data, *len)) == 0) {
		if ((st = client_state(rq)) != OK)
			return st;
		pthread_cond_wait(&rq->changed, &rq->lock);
	}
	rq->response.written += (int64_t)n;
	*data += n;
	*len -= n;
	request_wake(rq);
	return client_state(rq);
}

enum status
response_write(struct response *rs, const void *data, size_t len)
{
	struct request *rq = rs->request;
	const char *from = data;
	enum status st = OK;

	if (!rq->streaming)
		return fail(&rq->ctx, INTERNAL, "response_write() before response_stream()");
	if (rq->head)
		return OK;
	if (rs->stream_length >= 0 && (int64_t)len > rs->stream_length - rs->written)
		return fail(&rq->ctx, INTERNAL, "more is written than the answer's length says");
	pthread_mutex_lock(&rq->lock);
	while (len > 0 && st == OK)
		st = write_some(rq, &from, &len);
	pthread_mutex_unlock(&rq->lock);
	return st;
}
