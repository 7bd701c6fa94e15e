/* What the files of webhooks share: which events there are, and an example of each. Inside of domain. */
#ifndef DOMAIN_WEBHOOK_EVENTS_H
#define DOMAIN_WEBHOOK_EVENTS_H

#include "domain/webhook.h"

/* INVALID with the actions that the entity has. */
enum status webhook_event_check(struct ctx *cx, const struct webhook_event *event) must_check;
/* "data" of a body, as JSON; the event was checked. */
const char *webhook_event_example(const struct webhook_event *event);
/* "MODEL_VERSION.CREATED" */
struct webhook_event webhook_event_from(struct ctx *cx, const char *text);

const char *webhook_uuid(struct ctx *cx); /* RFC 9562, version 4 */

#endif
