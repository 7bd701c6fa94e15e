/*
 * An answer that stays open: a worker's handler begins it, any thread writes to it as things happen, and nobody waits. What is
 * written lies in a bounded buffer until the event loop has sent it; a connection that waits for news costs no thread.
 *
 * A push is its request, held until push_end(): headers and arena live so long. The server ends all of them when it stops.
 * libmicrohttpd does not tell that the client of a quiet connection has gone: ask push_alive() now and then.
 */
#ifndef HTTP_PUSH_H
#define HTTP_PUSH_H

#include "http/route.h"

struct push;

/*
 * In the handler of a WORKER route, when status and headers are set: the answer begins as soon as the handler has returned OK,
 * which it must. `limit` bytes at most wait to be sent. Not for HEAD.
 */
struct push *push_open(struct response *rs, size_t limit) must_check;

enum push_state {
	PUSH_OPEN,
	PUSH_FULL, /* no room for this now: nothing of it was taken */
	PUSH_GONE, /* the client has gone, was too slow, or the server stops: only push_end() is left */
};
/* All of it or nothing. Any thread, never blocks. */
enum push_state push_write(struct push *p, const void *data, size_t len) must_check;
bool push_drained(struct push *p); /* all that was written has been handed to the system */
bool push_alive(struct push *p);   /* a look at the socket */
void push_end(struct push *p); /* sends what waits, then ends the answer; p is not the caller's any more */

#endif
