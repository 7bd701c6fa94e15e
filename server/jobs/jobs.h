/*
 * Background work: one thread that tidies up every few minutes. Any number of servers may run theirs on one database;
 * each piece of work may be done twice without harm. And the deliveries of webhooks, on threads of their own (webhooks.h).
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "base/ctx.h"

struct jobs;

struct jobs_options {
	const struct parts *parts; /* borrowed until jobs_stop */
	int64_t purge_after_ms;    /* deleted runs are removed for good so long after; 0: never */
};

struct jobs *jobs_start(const struct jobs_options *options);
void jobs_stop(struct jobs *j); /* waits for the piece of work at hand; NULL is fine */

#endif
