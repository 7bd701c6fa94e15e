/*
 * The filter grammar: text -> tokens -> a typed tree, evaluated on rows by one piece of code, and order_by likewise.
 * Knows nothing of tables: the caller says which identifiers exist (struct search_schema) and hands over a row's values
 * through a callback. MLflow's grammar, plus OR, NOT and parentheses, and IS [NOT] NULL everywhere.
 */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

/* Which resource is searched: identifiers, comparators and messages differ (search/schema.c, one table each). */
enum search_target { SEARCH_RUNS, SEARCH_EXPERIMENTS, SEARCH_MODELS, SEARCH_VERSIONS, SEARCH_LOGGED_MODELS };

enum search_entity { ENTITY_ATTRIBUTE, ENTITY_METRIC, ENTITY_PARAM, ENTITY_TAG, ENTITY_DATASET };

/* An identifier as the tree and the order hold it: entity and canonical name ("start_time", "run_name", a metric's key). */
struct search_column {
	enum search_entity entity;
	const char *name;
	bool numeric; /* attributes: number or text */
	int slot;     /* its place in search_columns(): twins share one */
};

enum value_kind { VALUE_MISSING, VALUE_NUMBER, VALUE_TEXT, VALUE_TEXTS /* datasets: several */ };
struct search_value {
	enum value_kind kind;
	double number;
	int64_t integer;  /* set with is_integer: times and versions, compared exactly */
	bool is_integer;
	const char *text;
	const char *const *texts;
	size_t text_count;
};

struct search; /* lives in cx->arena */

/* filter may be NULL or ""; order_by may be empty: the target's default order and ties are added. INVALID with a position. */
enum status search_compile(struct ctx *cx, enum search_target target, const char *filter,
	const char *const *order_by, size_t order_count, struct search **out) must_check;

/* Every column that filter and order need, by slot. */
const struct search_column *search_columns(const struct search *s, size_t *n);
bool search_is_trivial(const struct search *s); /* no filter */

/* A row is its values by slot. Predicate; cannot fail. */
bool search_matches(const struct search *s, const struct search_value *values);
/* <0, 0, >0: a before b. Ends in the target's ties, so that two rows are never equal. */
int search_compare(const struct search *s, const struct search_value *a, const struct search_value *b);

/* Keyset page tokens: opaque text that names the last row given (its order values) and the query it belongs to. */
const char *search_token(struct ctx *cx, const struct search *s, const struct search_value *last); /* arena */
/* Values of the token, by slot; INVALID when malformed or of another query. Then rows with search_compare(row, values) > 0 follow. */
enum status search_token_read(struct ctx *cx, const struct search *s, const char *token, struct search_value **values) must_check;

#endif
