/* Where a version's files come from: the protocol's rules for `source`, and what it means for us. */
#ifndef DOMAIN_SOURCE_H
#define DOMAIN_SOURCE_H

#include "domain/registry.h"

struct tx;

/* Checks v->source against run and logged model, and sets storage_location (and run_uuid from a logged model). */
enum status source_resolve(struct tx *tx, struct version *v) must_check;
/* A version made from a logged model is noted on it (tag mlflow.modelVersions). v->version is set. */
enum status source_mark(struct tx *tx, const char *model, const struct version *v) must_check;

#endif
