/*
 * One statement with its values. A binder that fails is reported by the final call; PGresult never leaves query.c.
 *
 *	query_init(&q, tx, &SQL_run_insert);
 *	query_int8(&q, in->experiment_id);
 *	query_text(&q, in->name);
 *	return query_one(&q, run_from_row, out);
 *
 * Text, arrays and blobs handed to a binder are borrowed until the final call. What a row reader returns lives in the arena.
 * Values are bound in the order $1, $2, …. Statements are sql/NAME.sql, made into `extern const struct statement SQL_NAME`
 * by the build ("store/sql.h"); they are prepared once a connection. A file opens with what it is for and a line a value,
 * "-- $1 bigint: run_id", which a test compares with the types that PostgreSQL finds.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "store/tx.h"

struct statement {
	const char *name; /* the file's name without .sql */
	const char *text;
};

#define QUERY_VALUES 24

struct query {
	struct tx *tx;
	const struct statement *statement;
	enum status failed; /* the first binder that failed */
	int n;
	unsigned type[QUERY_VALUES]; /* PostgreSQL's oid */
	const char *value[QUERY_VALUES];
	int length[QUERY_VALUES];
	char scratch[QUERY_VALUES][8];
};

struct row; /* borrowed for the reader's call */

void query_init(struct query *q, struct tx *tx, const struct statement *s);
void query_int8(struct query *q, int64_t v);
void query_int4(struct query *q, int32_t v);
void query_bool(struct query *q, bool v);
void query_text(struct query *q, const char *s);                 /* NULL is NULL */
void query_bytea(struct query *q, const void *data, size_t len); /* NULL data is NULL */
void query_int8_or_null(struct query *q, bool has, int64_t v);
void query_bool_or_null(struct query *q, bool has, bool v);
void query_int8s(struct query *q, const int64_t *v, size_t n);     /* bigint[] */
void query_texts(struct query *q, const char *const *v, size_t n); /* text[]; a NULL element is NULL */
void query_float8s(struct query *q, const double *v, size_t n);
struct query_blob {
	const void *data;
	size_t len;
};
void query_byteas(struct query *q, const struct query_blob *v, size_t n); /* bytea[] */
void query_json(struct query *q, const char *json);                       /* jsonb; NULL is NULL */

typedef enum status row_fn(struct row *row, void *out);

enum status query_run(struct query *q, int64_t *affected) must_check; /* affected may be NULL */
/* Exactly one row: none is NOT_FOUND with no sentence (the caller writes it), more than one is INTERNAL. */
enum status query_one(struct query *q, row_fn *read, void *out) must_check;
enum status query_maybe(struct query *q, row_fn *read, void *out, bool *found) must_check;
/* All rows into an arena array of item_size each. *items is NULL when there are none. */
enum status query_list(struct query *q, row_fn *read, size_t item_size, void *items, size_t *n) must_check;
/* Row by row as they arrive (bounded memory); a status other than OK from `read` ends it and is returned. */
enum status query_each(struct query *q, row_fn *read, void *arg) must_check;
/* COPY … FROM STDIN (FORMAT binary): the statement, then all of `rows` (header and trailer are added). */
enum status query_copy(struct query *q, const struct buf *rows) must_check;

/* Readers: by column name. A missing column or a wrong type is a bug and aborts. NULL: 0, false, NULL. */
int64_t row_int8(struct row *row, const char *column); /* int2, int4, int8 */
bool row_bool(struct row *row, const char *column);
double row_float8(struct row *row, const char *column);
const char *row_text(struct row *row, const char *column); /* copied into the arena; NULL for NULL */
const void *row_bytea(struct row *row, const char *column, size_t *len); /* copied into the arena */
const void *row_bytea_lend(
	struct row *row, const char *column, size_t *len); /* borrowed until the reader returns */
bool row_null(struct row *row, const char *column);
/* text[] and bigint[] columns, copied into the arena */
const char **row_texts(struct row *row, const char *column, size_t *n);
const int64_t *row_int8s(struct row *row, const char *column, size_t *n);
const double *row_float8s(struct row *row, const char *column, size_t *n);
struct ctx *row_ctx(struct row *row);

/* Ready readers for a single column, whatever its name */
enum status row_read_int8(struct row *row, void *int64_out);
enum status row_read_text(struct row *row, void *text_out);

#endif
