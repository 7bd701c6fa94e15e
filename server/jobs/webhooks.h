/*
 * Deliveries of webhooks: one thread looks for them each second, and for each that is due starts a thread of its own that
 * sends it; SENDERS of them at most, one for a webhook, over all servers of a database. Nothing is in memory alone: what a
 * server does not finish, another one does, or the same one after its next start.
 */
#ifndef JOBS_WEBHOOKS_H
#define JOBS_WEBHOOKS_H

#include "base/ctx.h"

struct webhooks;

struct webhooks *webhooks_start(const struct parts *parts); /* borrowed until webhooks_stop */
void webhooks_stop(struct webhooks *w); /* breaks off what is being sent, a second or two; NULL is fine */

#endif
