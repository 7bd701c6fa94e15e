/*
 * Closing a connection while its client still sends an upload that was refused: closing at once would reset it, and the
 * client would never see the answer. The socket is kept by a second descriptor, read and thrown away until
 * the client has closed or the time is up.
 */
#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

#include <stdint.h>

struct lingering;

struct lingering *linger_new(void);
void linger_free(struct lingering *l); /* closes what is left; NULL is fine */
/* Keeps a copy of fd; nothing happens when too many linger already. Any thread. */
void linger_add(struct lingering *l, int fd, int64_t for_ms);
/* Read what there is, waiting for at most wait_ms for more. One thread. */
void linger_run(struct lingering *l, int64_t wait_ms);
void linger_wake(struct lingering *l); /* end linger_run's waiting */

#endif
