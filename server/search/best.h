/*
 * One page of a search over rows that come one by one, in any order and any number: filter, order, token. Takes memory for the
 * rows of the page and one more, and of these only for what the order needs. One thread.
 */
#ifndef SEARCH_BEST_H
#define SEARCH_BEST_H

#include "search/search.h"

struct best;

/* The first `limit` rows, at least 1; with `after`, of those that follow it. All of it must outlive what is returned. */
struct best *best_new(const struct search *s, const struct search_value *after, size_t limit);
void best_free(struct best *b); /* NULL is fine */
/* A row by its values, which are lent for the call. */
void best_offer(struct best *b, int64_t id, const struct search_value *values);
/* The page in order, in cx->arena; *next_token NULL on the last page. Nothing more can be offered. */
void best_end(struct best *b, struct ctx *cx, int64_t **ids, size_t *n, const char **next_token);

#endif
