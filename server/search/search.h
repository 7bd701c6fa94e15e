/*
 * The filter grammar: text -> tokens -> a typed tree, evaluated on rows by one piece of code, and order_by likewise.
 * Knows nothing of tables: compile, ask which columns are needed, hand over each row's values by slot. MLflow's grammar
 * (every filter it accepts means the same), plus OR, NOT, parentheses, IS [NOT] NULL everywhere, number(params.x), and of runs min(metrics.x) and its like.
 * server/search/README.md has the grammar and what is meant to differ.
 *
 * A struct search never changes once compiled (search_scope() is part of compiling): any number of threads may match with it.
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

/* Which number of a run's metric: the latest value, or what a function names, as min(metrics.x) does. */
enum search_aggregate {
	AGGREGATE_LAST,
	AGGREGATE_FIRST,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_MEAN,
	AGGREGATE_COUNT
};

/*
 * A column that filter or order needs: entity and canonical name. The attributes:
 *   runs           run_id run_name user_id status artifact_uri: text; start_time end_time: integer
 *   experiments    name: text; experiment_id creation_time last_update_time: integer
 *   models         name: text; last_updated_timestamp: integer
 *   versions       name run_id source_path: text; version_number creation_timestamp last_updated_timestamp: integer
 *   logged models  name model_id model_type source_run_id artifact_location lifecycle_stage status_message: text;
 *                  experiment_id status (1 PENDING, 2 READY, 3 FAILED) creation_timestamp last_updated_timestamp: integer
 */
struct search_column {
	enum search_entity entity;
	const char *name;
	enum search_aggregate aggregate; /* metrics of runs */
	bool numeric;                    /* attributes: integer or text */
	int slot;                        /* its place in search_columns(): twins share one */
	/*
	 * Metrics of logged models alone. False: every value recorded, within the request's datasets (VALUE_NUMBERS).
	 * True: the latest by (time, step), of the dataset named here when it is (VALUE_NUMBER).
	 */
	bool latest;
	const char *dataset_name;   /* NULL: any */
	const char *dataset_digest; /* NULL: any */
};

enum value_kind {
	VALUE_MISSING,
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_TEXTS,  /* datasets of a run: one that matches is enough */
	VALUE_NUMBERS /* metric of a logged model: likewise */
};
struct search_value {
	enum value_kind kind;
	double number;   /* metrics: NaN and infinities as they are */
	int64_t integer; /* set with is_integer: times, ids, versions and codes, compared exactly */
	bool is_integer;
	const char *text;
	const char *const *texts;
	size_t text_count;
	const double *numbers;
	size_t number_count;
};

struct search; /* lives in cx->arena */

/*
 * filter may be NULL or ""; order_by may be empty: the target's default order and ties are added. A clause that repeats
 * a column is dropped. INVALID, with the position and what was expected.
 */
enum status search_compile(struct ctx *cx, enum search_target target, const char *filter,
	const char *const *order_by, size_t order_count, struct search **out) must_check;

/* Logged models send their order in parts. */
struct search_field {
	const char *name; /* "creation_time", "metrics.loss" */
	bool descending;
	const char *dataset_name;   /* NULL or "": any */
	const char *dataset_digest; /* NULL or "": any */
};
enum status search_compile_fields(struct ctx *cx, const char *filter, const struct search_field *order_by,
	size_t order_count, struct search **out) must_check;

/* What else the query consists of (experiment ids, view, …), in any fixed form: page tokens of another scope are refused. */
void search_scope(struct search *s, const char *scope);

/* Every column that filter and order need, by slot. */
const struct search_column *search_columns(const struct search *s, size_t *n);
/* A text that this attribute has in every row that matches (the filter says name = 'x'), to narrow a query by; or NULL. */
const char *search_equals(const struct search *s, const char *attribute);

/* A row is its values by slot. Predicate; cannot fail. Allocates nothing. */
bool search_matches(const struct search *s, const struct search_value *values);
/* <0, 0, >0: a before b. Ends in the target's ties, so that two rows are never equal. */
int search_compare(const struct search *s, const struct search_value *a, const struct search_value *b);

/* Keyset page tokens: opaque text that names the last row given (its order values) and the query it belongs to. */
const char *search_token(struct ctx *cx, const struct search *s, const struct search_value *last); /* arena */
/* Values of the token, by slot; INVALID when malformed or of another query. Then rows with search_compare(row, values) > 0 follow. */
enum status search_token_read(
	struct ctx *cx, const struct search *s, const char *token, struct search_value **values) must_check;

#endif
