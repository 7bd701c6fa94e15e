/*
 * Threads that take work from a queue. Threads are made when work waits and none is idle, up to the limit, and stay.
 */
#ifndef HTTP_WORKERS_H
#define HTTP_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Inside of what is queued. */
struct work {
	struct work *next;
	int64_t queued_mono_ms;
};

struct workers;

struct workers *workers_new(
	unsigned threads, size_t queue_limit, int64_t oldest_ms, void (*run)(struct work *));
/*
 * False: all threads are busy and the queue is full, or its head has waited for longer than oldest_ms, so that what
 * comes now would be answered too late anyway. The work stays the caller's.
 */
bool workers_submit(struct workers *p, struct work *w);
/* Run what is queued, then end the threads; what is submitted from now on is refused. */
void workers_stop(struct workers *p);
void workers_free(struct workers *p); /* stops first; NULL is fine */

/* A thread that takes no signals. False when the system has none left. */
bool thread_start(pthread_t *out, void *(*run)(void *), void *arg);

#endif
