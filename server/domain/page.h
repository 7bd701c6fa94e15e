/*
 * One page of a search over rows in memory: filter, order, token. The rows are an array; a function gives the value of a
 * column of a row (left MISSING when it has none). Used by every resource that is searched.
 */
#ifndef DOMAIN_PAGE_H
#define DOMAIN_PAGE_H

#include "base/ctx.h"
#include "base/fields.h"
#include "domain/experiment.h"
#include "search/search.h"

struct page {
	void (*value)(const void *row, const struct search_column *column, struct search_value *out);
	size_t size;           /* of a row */
	struct search *search; /* set by page_open */
	/* set by page_begin: */
	size_t limit;
	struct search_value *after; /* NULL: the first page */
};

/* Compiles filter and order, then page_begin. `scope` is what else the query consists of: its tokens serve no other. */
enum status page_open(struct ctx *cx, enum search_target target, const struct search_in *in, int64_t most,
	const char *scope, struct page *page) must_check;
/* page->search is compiled: checks max_results (1..most) and reads the token. */
enum status page_begin(struct ctx *cx, const struct search_in *in, int64_t most, const char *scope,
	struct page *page) must_check;
/* The rows of this page, in order, in a new arena array; *next_token NULL on the last page. */
enum status page_take(struct ctx *cx, const struct page *page, const void *rows, size_t n, void **out,
	size_t *taken, const char **next_token) must_check;

void page_text(struct search_value *v, const char *text); /* NULL: missing */
void page_int(struct search_value *v, int64_t i);
void page_number(struct search_value *v, double d);
/* "1,5,7": experiment ids as a scope. */
const char *page_scope(struct ctx *cx, const int64_t *ids, size_t n, enum view view);
/* The value of a key among pairs sorted by key. */
void page_pair(const struct key_value *pairs, size_t n, const char *key, struct search_value *v);

#endif
