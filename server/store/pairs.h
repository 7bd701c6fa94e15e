/* Keys and values that lie in two array columns, or go into two array parameters. */
#ifndef STORE_PAIRS_H
#define STORE_PAIRS_H

#include "base/fields.h"
#include "store/query.h"

struct key_value *row_pairs(struct row *row, const char *keys, const char *values, size_t *n);
/* Binds two text[]: of twins the last wins. */
void query_pairs(struct query *q, const struct key_value *pairs, size_t n);

/* Who does it, as two parameters: user_id, token_id; NULL for none. */
void query_actor(struct query *q);

#endif
