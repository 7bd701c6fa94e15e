/* What others will want to hear of: written to the outbox in the transaction of the change itself, after it. */
#ifndef DOMAIN_EVENT_H
#define DOMAIN_EVENT_H

#include "domain/registry.h"

struct tx;

enum status event_model_created(struct tx *tx, const struct model *m) must_check;
/* Tags of a registered model are events of prompts alone. value NULL: deleted. */
enum status event_model_tag(struct tx *tx, const char *model, const char *key, const char *value) must_check;
enum status event_version_created(struct tx *tx, const struct version *v) must_check;
enum status event_version_tag(struct tx *tx, const struct version *v, const char *key,
	const char *value) must_check; /* NULL: deleted */
enum status event_alias(
	struct tx *tx, const char *model, const char *alias, int64_t version) must_check; /* 0: deleted */

#endif
