#include "http/push.h"

#include <string.h>
#include "http/internal.h"

#define BLOCK_BYTES 4096 /* libmicrohttpd's, for each */

/* So that http_stop() and push_open() cannot miss each other: one of them sees what the other wrote. */
struct push *
push_open(struct response *rs, size_t limit)
{
	struct request *rq = rs->request;

	pthread_mutex_lock(&rq->lock);
	rq->pushing = true;
	rq->push_ended = atomic_load(&rq->server->stopping);
	buf_init(&rq->push, limit);
	rq->holders++;
	pthread_mutex_unlock(&rq->lock);
	return (struct push *)rq;
}

static struct request *
request_of(struct push *p)
{
	return (struct request *)p;
}

/* Under the lock. */
static bool
is_gone(const struct request *rq)
{
	return rq->connection == NULL || rq->cut || rq->push_ended;
}

static void
append(struct request *rq, const void *data, size_t len)
{
	struct buf *b = &rq->push;

	if (rq->push_sent > 0) {
		b->len -= rq->push_sent;
		memmove(b->data, b->data + rq->push_sent, b->len);
		rq->push_sent = 0;
	}
	buf_add(b, data, len);
}

enum push_state
push_write(struct push *p, const void *data, size_t len)
{
	struct request *rq = request_of(p);
	enum push_state state = PUSH_OPEN;

	pthread_mutex_lock(&rq->lock);
	if (is_gone(rq)) {
		state = PUSH_GONE;
	} else if (len > rq->push.limit - (rq->push.len - rq->push_sent)) {
		state = PUSH_FULL;
	} else {
		append(rq, data, len);
		if (rq->push_begun)
			request_wake(rq);
	}
	pthread_mutex_unlock(&rq->lock);
	return state;
}

bool
push_drained(struct push *p)
{
	struct request *rq = request_of(p);
	bool drained;

	pthread_mutex_lock(&rq->lock);
	drained = rq->push.len == rq->push_sent;
	pthread_mutex_unlock(&rq->lock);
	return drained;
}

bool
push_alive(struct push *p)
{
	struct request *rq = request_of(p);
	bool gone;

	pthread_mutex_lock(&rq->lock);
	gone = is_gone(rq);
	pthread_mutex_unlock(&rq->lock);
	return !gone && !request_client_gone(rq);
}

/* Under the lock. */
void
push_finish(struct request *rq)
{
	rq->push_ended = true;
	if (rq->push_begun)
		request_wake(rq);
}

void
push_end(struct push *p)
{
	struct request *rq = request_of(p);

	pthread_mutex_lock(&rq->lock);
	push_finish(rq);
	pthread_mutex_unlock(&rq->lock);
	request_release(rq);
}

/* ---- on the event loop ---- */

static ssize_t
take_some(struct request *rq, char *out, size_t max)
{
	size_t waiting = rq->push.len - rq->push_sent;
	size_t n = waiting < max ? waiting : max;

	request_watch(rq, WATCH_PUSH);
	conn_moved(rq->conn, n);
	memcpy(out, rq->push.data + rq->push_sent, n);
	rq->push_sent += n;
	if (n == waiting) {
		buf_fini(&rq->push); /* most of the time nothing waits: it costs no memory then */
		rq->push_sent = 0;
	}
	return (ssize_t)n;
}

static ssize_t
read_push(void *arg, uint64_t pos, char *out, size_t max)
{
	struct request *rq = arg;
	ssize_t n = MHD_CONTENT_READER_END_WITH_ERROR;

	(void)pos;
	pthread_mutex_lock(&rq->lock);
	rq->push_begun = true;
	if (rq->cut)
		n = MHD_CONTENT_READER_END_WITH_ERROR;
	else if (rq->push.len > rq->push_sent)
		n = take_some(rq, out, max);
	else if (rq->push_ended)
		n = MHD_CONTENT_READER_END_OF_STREAM;
	else if (request_suspend(rq))
		n = 0;
	pthread_mutex_unlock(&rq->lock);
	return n;
}

struct MHD_Response *
push_answer(struct request *rq)
{
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_push, rq, NULL);
}
