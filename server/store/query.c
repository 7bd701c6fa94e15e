/*
 * Values go to PostgreSQL and come back in its binary forms (big-endian), except jsonb, which is sent as text.
 * A statement is prepared on a connection when it is first used there, under its file's name.
 */
#include "store/query.h"

#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/internal.h"

enum type {
	BOOL = 16,
	BYTEA = 17,
	CHAR_1 = 18,
	NAME = 19,
	INT8 = 20,
	INT2 = 21,
	INT4 = 23,
	TEXT = 25,
	OID_TYPE = 26,
	JSON = 114,
	FLOAT4 = 700,
	FLOAT8 = 701,
	UNKNOWN = 705,
	BYTEAS = 1001,
	INT4S = 1007,
	TEXTS = 1009,
	VARCHARS = 1015,
	INT8S = 1016,
	FLOAT8S = 1022,
	VARCHAR = 1043,
	JSONB = 3802,
};

/* one value may be as large as PostgreSQL's own limit of a message allows */
#define VALUE_LIMIT (INT_MAX / 2)

/* ---- binding ---- */

void
query_init(struct query *q, struct tx *tx, const struct statement *s)
{
	q->tx = tx;
	q->statement = s;
	q->failed = OK;
	q->n = 0;
}

/* The place of the next value, or -1. `data` NULL is NULL. */
static int
bind(struct query *q, unsigned type, const void *data, size_t length)
{
	int i = q->n;

	if (i >= QUERY_VALUES || length > VALUE_LIMIT) {
		if (q->failed == OK)
			q->failed = i >= QUERY_VALUES
					    ? fail(q->tx->cx, INTERNAL, "statement %s has too many values",
						      q->statement->name)
					    : fail(q->tx->cx, TOO_LARGE, "a value is larger than 1 GB");
		return -1;
	}
	q->type[i] = type;
	q->value[i] = data;
	q->length[i] = (int)length;
	q->n++;
	return i;
}

static void
bind_scratch(struct query *q, unsigned type, const void *bytes, size_t n)
{
	int i = bind(q, type, "", n);

	if (i < 0)
		return;
	memcpy(q->scratch[i], bytes, n);
	q->value[i] = q->scratch[i];
}

void
query_int8(struct query *q, int64_t v)
{
	uint64_t wire = htobe64((uint64_t)v);

	bind_scratch(q, INT8, &wire, sizeof(wire));
}

void
query_int4(struct query *q, int32_t v)
{
	uint32_t wire = htobe32((uint32_t)v);

	bind_scratch(q, INT4, &wire, sizeof(wire));
}

void
query_bool(struct query *q, bool v)
{
	uint8_t wire = v;

	bind_scratch(q, BOOL, &wire, sizeof(wire));
}

static uint64_t
wire_of_double(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return htobe64(bits);
}

void
query_text(struct query *q, const char *s)
{
	(void)bind(q, TEXT, s, s == NULL ? 0 : strlen(s));
}

void
query_bytea(struct query *q, const void *data, size_t len)
{
	(void)bind(q, BYTEA, data, len);
}

void
query_int8_or_null(struct query *q, bool has, int64_t v)
{
	if (has)
		query_int8(q, v);
	else
		(void)bind(q, INT8, NULL, 0);
}

void
query_bool_or_null(struct query *q, bool has, bool v)
{
	if (has)
		query_bool(q, v);
	else
		(void)bind(q, BOOL, NULL, 0);
}

void
query_json(struct query *q, const char *json)
{
	(void)bind(q, JSONB, json, json == NULL ? 0 : strlen(json));
}

static unsigned char *
put4(unsigned char *at, uint32_t v)
{
	v = htobe32(v);
	memcpy(at, &v, sizeof(v));
	return at + sizeof(v);
}

/* The head of an array of n elements in `size` bytes of elements and their lengths; NULL when it is too large or empty. */
static unsigned char *
array_head(struct query *q, unsigned type, unsigned element, size_t n, size_t size, bool nulls)
{
	size_t length = n == 0 ? 12 : 20 + size;
	unsigned char *at;
	int i = bind(q, type, "", length);

	if (i < 0)
		return NULL;
	q->value[i] = arena_alloc(q->tx->cx->arena, length);
	at = (unsigned char *)q->value[i];
	at = put4(at, n > 0);
	at = put4(at, nulls);
	at = put4(at, element);
	if (n == 0)
		return NULL;
	at = put4(at, (uint32_t)n);
	return put4(at, 1);
}

void
query_int8s(struct query *q, const int64_t *v, size_t n)
{
	unsigned char *at = array_head(q, INT8S, INT8, n, n * 12, false);

	for (size_t i = 0; at != NULL && i < n; i++) {
		uint64_t wire = htobe64((uint64_t)v[i]);

		at = put4(at, 8);
		memcpy(at, &wire, 8);
		at += 8;
	}
}

void
query_float8s(struct query *q, const double *v, size_t n)
{
	unsigned char *at = array_head(q, FLOAT8S, FLOAT8, n, n * 12, false);

	for (size_t i = 0; at != NULL && i < n; i++) {
		uint64_t wire = wire_of_double(v[i]);

		at = put4(at, 8);
		memcpy(at, &wire, 8);
		at += 8;
	}
}

void
query_byteas(struct query *q, const struct query_blob *v, size_t n)
{
	unsigned char *at;
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += 4 + v[i].len;
	at = array_head(q, BYTEAS, BYTEA, n, size, false);
	for (size_t i = 0; at != NULL && i < n; i++) {
		at = put4(at, (uint32_t)v[i].len);
		memcpy(at, v[i].data, v[i].len);
		at += v[i].len;
	}
}

void
query_texts(struct query *q, const char *const *v, size_t n)
{
	unsigned char *at;
	size_t size = 0;
	bool nulls = false;

	for (size_t i = 0; i < n; i++) {
		size += 4 + (v[i] == NULL ? 0 : strlen(v[i]));
		nulls = nulls || v[i] == NULL;
	}
	at = array_head(q, TEXTS, TEXT, n, size, nulls);
	for (size_t i = 0; at != NULL && i < n; i++) {
		size_t len = v[i] == NULL ? 0 : strlen(v[i]);

		at = put4(at, v[i] == NULL ? UINT32_MAX : (uint32_t)len);
		if (len > 0)
			memcpy(at, v[i], len);
		at += len;
	}
}

/* ---- sending ---- */

static bool
is_prepared(const struct connection *c, const struct statement *s)
{
	for (size_t i = 0; i < c->prepared_count; i++)
		if (c->prepared[i] == s)
			return true;
	return false;
}

static enum status
prepare(struct query *q)
{
	const struct statement *s = q->statement;
	struct connection *c = q->tx->c;
	struct ctx *cx = q->tx->cx;
	enum status st;

	if (is_prepared(c, s))
		return OK;
	if (PQsendPrepare(c->pg, s->name, s->text, q->n, q->type) == 0)
		return connection_lost(c, cx);
	if ((st = connection_flush(c, cx)) != OK || (st = connection_finish(c, cx, s)) != OK)
		return st;
	if (c->prepared_count % 32 == 0)
		c->prepared = mem_resize(c->prepared, c->prepared_count + 32, sizeof(*c->prepared));
	c->prepared[c->prepared_count++] = s;
	return OK;
}

static enum status
send(struct query *q, bool rows_as_they_come)
{
	struct connection *c = q->tx->c;
	int format[QUERY_VALUES];

	for (int i = 0; i < q->n; i++)
		format[i] = q->type[i] != JSONB;
	if (PQsendQueryPrepared(c->pg, q->statement->name, q->n, q->value, q->length, format, 1) == 0)
		return connection_lost(c, q->tx->cx);
	if (rows_as_they_come && PQsetSingleRowMode(c->pg) == 0)
		return connection_lost(c, q->tx->cx);
	return connection_flush(c, q->tx->cx);
}

/* What may be lost with the connection and said again without harm, even when it had been sent: reads. */
static bool
is_read(const struct statement *s)
{
	const char *at = s->text;

	while (strncmp(at, "--", 2) == 0 || *at == '\n')
		at += strcspn(at, "\n") + (strchr(at, '\n') != NULL);
	return strncmp(at, "SELECT", 6) == 0;
}

/* After a failure: read to the end of the answer. The sentence of the failure stays. */
static void
drop_rest(struct query *q)
{
	struct ctx rest = *q->tx->cx;

	if (connection_finish(q->tx->c, &rest, q->statement) != OK)
		return; /* a broken connection is known as such */
}

/* A connection that was lost does not tell what became of a change that is its own transaction. */
static enum status
or_unknown(struct query *q, enum status st)
{
	return st != OK && q->tx->change && q->tx->c->broken ? tx_unknown(q->tx) : st;
}

static enum status
try_once(struct query *q, bool rows_as_they_come, bool *again, PGresult **out)
{
	struct connection *c = q->tx->c;
	struct ctx *cx = q->tx->cx;
	enum status st;

	*again = true;
	if ((st = prepare(q)) != OK)
		return st;
	*again = is_read(q->statement);
	if ((st = send(q, rows_as_they_come)) != OK)
		return or_unknown(q, st);
	if ((st = connection_result(c, cx, q->statement, out)) == OK)
		return OK;
	drop_rest(q);
	return or_unknown(q, st);
}

/* The first result; the rest is left for connection_finish(). */
static enum status
start(struct query *q, bool rows_as_they_come, PGresult **out)
{
	struct tx *t = q->tx;
	bool again = false;
	enum status st;

	*out = NULL;
	if (q->failed != OK)
		return q->failed;
	if (t->c == NULL || t->c->broken)
		return fail(t->cx, UNAVAILABLE, "the connection to PostgreSQL was lost; try again");
	if (t->cx->deadline_mono_ms > 0 && clock_mono_ms() >= t->cx->deadline_mono_ms)
		return fail(t->cx, TIMED_OUT, "the request took too long");
	st = try_once(q, rows_as_they_come, &again, out);
	if (st == OK || !again || !t->single || t->own || !t->c->lost)
		return st;
	if ((st = tx_renew(t)) != OK)
		return st;
	return try_once(q, rows_as_they_come, &again, out);
}

/* A change has as long as a COMMIT would. */
static void
put_off_deadline(struct tx *t)
{
	int64_t now = clock_mono_ms(), *deadline = &t->cx->deadline_mono_ms;

	if (t->change && *deadline > now && *deadline < now + COMMIT_MS)
		*deadline = now + COMMIT_MS;
}

static enum status
whole(struct query *q, PGresult **out)
{
	int64_t deadline = q->tx->cx->deadline_mono_ms;
	enum status st;

	put_off_deadline(q->tx);
	st = start(q, false, out);
	if (st == OK)
		st = or_unknown(q, connection_finish(q->tx->c, q->tx->cx, q->statement));
	q->tx->cx->deadline_mono_ms = deadline;
	if (st != OK) {
		PQclear(*out);
		*out = NULL;
	}
	return st;
}

/* ---- reading ---- */

struct row {
	struct ctx *cx;
	const PGresult *res;
	const struct statement *statement;
	int at;
	int next; /* columns are mostly read in their order */
};

__attribute__((noreturn)) static void
wrong(const struct row *row, const char *column, const char *what)
{
	log_error("store_bug", "statement=%s column=%s message=\"%s\"", row->statement->name, column, what);
	abort();
}

static int
find_column(struct row *row, const char *column)
{
	int n = PQnfields(row->res);

	for (int i = 0; i < n; i++) {
		int at = (row->next + i) % n;

		if (strcmp(PQfname(row->res, at), column) == 0) {
			row->next = at + 1;
			return at;
		}
	}
	wrong(row, column, "no such column");
}

struct value {
	enum type type;
	const unsigned char *data; /* NULL for NULL */
	size_t len;
};

static struct value
value_at(struct row *row, int column)
{
	struct value v = { .type = (enum type)PQftype(row->res, column) };

	if (PQgetisnull(row->res, row->at, column))
		return v;
	v.data = (const unsigned char *)PQgetvalue(row->res, row->at, column);
	v.len = (size_t)PQgetlength(row->res, row->at, column);
	return v;
}

static struct value
value_of(struct row *row, const char *column)
{
	return value_at(row, find_column(row, column));
}

static uint64_t
get8(const unsigned char *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return be64toh(v);
}

static uint32_t
get4(const unsigned char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return be32toh(v);
}

static uint16_t
get2(const unsigned char *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return be16toh(v);
}

static double
get_double(const unsigned char *at)
{
	uint64_t bits = get8(at);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static int64_t
int8_of(const struct row *row, const char *column, struct value v)
{
	switch (v.type) {
	case INT8:
		return v.data == NULL ? 0 : (int64_t)get8(v.data);
	case INT4:
		return v.data == NULL ? 0 : (int32_t)get4(v.data);
	case INT2:
		return v.data == NULL ? 0 : (int16_t)get2(v.data);
	default:
		wrong(row, column, "not an integer");
	}
}

int64_t
row_int8(struct row *row, const char *column)
{
	return int8_of(row, column, value_of(row, column));
}

bool
row_bool(struct row *row, const char *column)
{
	struct value v = value_of(row, column);

	if (v.type != BOOL)
		wrong(row, column, "not a boolean");
	return v.data != NULL && v.data[0] != 0;
}

double
row_float8(struct row *row, const char *column)
{
	struct value v = value_of(row, column);

	if (v.type != FLOAT8)
		wrong(row, column, "not double precision");
	return v.data == NULL ? 0.0 : get_double(v.data);
}

static const char *
text_of(const struct row *row, const char *column, struct value v)
{
	switch (v.type) {
	case JSONB: /* a version byte, then the text */
		return v.data == NULL ? NULL
				      : arena_strn(row->cx->arena, (const char *)v.data + 1, v.len - 1);
	case TEXT:
	case VARCHAR:
	case NAME:
	case JSON:
	case UNKNOWN:
		return v.data == NULL ? NULL : arena_strn(row->cx->arena, (const char *)v.data, v.len);
	default:
		wrong(row, column, "not text");
	}
}

const char *
row_text(struct row *row, const char *column)
{
	return text_of(row, column, value_of(row, column));
}

const void *
row_bytea_lend(struct row *row, const char *column, size_t *len)
{
	struct value v = value_of(row, column);

	if (v.type != BYTEA)
		wrong(row, column, "not bytea");
	*len = v.len;
	return v.data;
}

const void *
row_bytea(struct row *row, const char *column, size_t *len)
{
	const void *data = row_bytea_lend(row, column, len);

	return data == NULL ? NULL : arena_copy(row->cx->arena, data, *len);
}

bool
row_null(struct row *row, const char *column)
{
	return value_of(row, column).data == NULL;
}

/* The first element of an array of one dimension, and how many there are; NULL for none. */
static const unsigned char *
elements_of(struct row *row, const char *column, enum type a, enum type b, size_t *n)
{
	struct value v = value_of(row, column);

	*n = 0;
	if (v.type != a && v.type != b)
		wrong(row, column, "not an array of the type asked for");
	if (v.data == NULL || get4(v.data) == 0)
		return NULL;
	if (get4(v.data) != 1)
		wrong(row, column, "an array of more than one dimension");
	*n = get4(v.data + 12);
	return v.data + 20;
}

const char **
row_texts(struct row *row, const char *column, size_t *n)
{
	const unsigned char *at = elements_of(row, column, TEXTS, VARCHARS, n);
	const char **out;

	if (at == NULL)
		return NULL;
	out = arena_array(row->cx->arena, *n, sizeof(*out));
	for (size_t i = 0; i < *n; i++) {
		uint32_t len = get4(at);

		at += 4;
		if (len == UINT32_MAX)
			continue;
		out[i] = arena_strn(row->cx->arena, (const char *)at, len);
		at += len;
	}
	return out;
}

const int64_t *
row_int8s(struct row *row, const char *column, size_t *n)
{
	const unsigned char *at = elements_of(row, column, INT8S, INT4S, n);
	int64_t *out;

	if (at == NULL)
		return NULL;
	out = arena_array(row->cx->arena, *n, sizeof(*out));
	for (size_t i = 0; i < *n; i++) {
		uint32_t len = get4(at);

		at += 4;
		if (len == UINT32_MAX)
			continue;
		out[i] = len == 8 ? (int64_t)get8(at) : (int32_t)get4(at);
		at += len;
	}
	return out;
}

const double *
row_float8s(struct row *row, const char *column, size_t *n)
{
	const unsigned char *at = elements_of(row, column, FLOAT8S, FLOAT8S, n);
	double *out;

	if (at == NULL)
		return NULL;
	out = arena_array(row->cx->arena, *n, sizeof(*out));
	for (size_t i = 0; i < *n; i++) {
		uint32_t len = get4(at);

		at += 4;
		if (len == UINT32_MAX)
			continue;
		out[i] = get_double(at);
		at += len;
	}
	return out;
}

struct ctx *
row_ctx(struct row *row)
{
	return row->cx;
}

enum status
row_read_int8(struct row *row, void *int64_out)
{
	*(int64_t *)int64_out = int8_of(row, PQfname(row->res, 0), value_at(row, 0));
	return OK;
}

enum status
row_read_text(struct row *row, void *text_out)
{
	*(const char **)text_out = text_of(row, PQfname(row->res, 0), value_at(row, 0));
	return OK;
}

/* ---- the final calls ---- */

static struct row
row_of(const struct query *q, const PGresult *res, int at)
{
	return (struct row){ .cx = q->tx->cx, .res = res, .statement = q->statement, .at = at };
}

enum status
query_run(struct query *q, int64_t *affected)
{
	PGresult *res;
	enum status st = whole(q, &res);

	if (st == OK && affected != NULL)
		*affected = strtoll(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return st;
}

enum status
query_maybe(struct query *q, row_fn *read, void *out, bool *found)
{
	PGresult *res;
	enum status st = whole(q, &res);

	*found = false;
	if (st == OK && PQntuples(res) > 1)
		st = fail(q->tx->cx, INTERNAL, "statement %s gave more than one row", q->statement->name);
	if (st == OK && PQntuples(res) == 1) {
		struct row row = row_of(q, res, 0);

		*found = true;
		st = read(&row, out);
	}
	PQclear(res);
	return st;
}

enum status
query_one(struct query *q, row_fn *read, void *out)
{
	bool found;
	enum status st = query_maybe(q, read, out, &found);

	if (st != OK || found)
		return st;
	q->tx->cx->message[0] = '\0';
	q->tx->cx->status = NOT_FOUND;
	return NOT_FOUND;
}

enum status
query_list(struct query *q, row_fn *read, size_t item_size, void *items, size_t *n)
{
	PGresult *res;
	enum status st = whole(q, &res);
	int rows = st == OK ? PQntuples(res) : 0;
	char *list = rows == 0 ? NULL : arena_array(q->tx->cx->arena, (size_t)rows, item_size);
	struct row row = row_of(q, res, 0);

	for (; st == OK && row.at < rows; row.at++) {
		row.next = 0;
		st = read(&row, list + (size_t)row.at * item_size);
	}
	*(void **)items = st == OK ? list : NULL;
	*n = st == OK ? (size_t)rows : 0;
	PQclear(res);
	return st;
}

enum status
query_each(struct query *q, row_fn *read, void *arg)
{
	struct connection *c;
	PGresult *res;
	enum status st = start(q, true, &res);

	if (st != OK)
		return st;
	c = q->tx->c;
	while (st == OK && res != NULL) {
		struct row row = row_of(q, res, 0);

		if (PQntuples(res) > 0)
			st = read(&row, arg);
		PQclear(res);
		res = NULL;
		if (st == OK && (st = connection_result(c, q->tx->cx, q->statement, &res)) == OK &&
			res == NULL)
			return OK;
	}
	drop_rest(q);
	return st;
}

/* ---- COPY ---- */

#define COPY_CHUNK 65536

static enum status
copy_bytes(struct query *q, const char *data, size_t len)
{
	struct connection *c = q->tx->c;
	enum status st = OK;

	while (st == OK && len > 0) {
		size_t n = len < COPY_CHUNK ? len : COPY_CHUNK;
		int done = PQputCopyData(c->pg, data, (int)n);

		if (done < 0)
			return connection_lost(c, q->tx->cx);
		if (done > 0) {
			data += n;
			len -= n;
		}
		st = connection_flush(c, q->tx->cx);
	}
	return st;
}

static enum status
copy_all(struct query *q, const struct buf *rows)
{
	static const char head[19] = "PGCOPY\n\377\r\n";
	static const char tail[2] = "\377\377";
	struct connection *c = q->tx->c;
	enum status st;

	if ((st = copy_bytes(q, head, sizeof(head))) != OK ||
		(st = copy_bytes(q, rows->data, rows->len)) != OK ||
		(st = copy_bytes(q, tail, sizeof(tail))) != OK)
		return st;
	if (PQputCopyEnd(c->pg, NULL) < 0)
		return connection_lost(c, q->tx->cx);
	if ((st = connection_flush(c, q->tx->cx)) != OK)
		return st;
	return connection_finish(c, q->tx->cx, q->statement);
}

enum status
query_copy(struct query *q, const struct buf *rows)
{
	struct connection *c = q->tx->c;
	struct ctx *cx = q->tx->cx;
	PGresult *res = NULL;
	enum status st;

	if (rows->overflow)
		return fail(cx, TOO_LARGE, "too many rows for one COPY");
	if (c == NULL || c->broken)
		return fail(cx, UNAVAILABLE, "the connection to PostgreSQL was lost; try again");
	if (PQsendQuery(c->pg, q->statement->text) == 0)
		return connection_lost(c, cx);
	if ((st = connection_flush(c, cx)) != OK)
		return st;
	if ((st = connection_result(c, cx, q->statement, &res)) != OK) {
		drop_rest(q);
		return st;
	}
	if (PQresultStatus(res) != PGRES_COPY_IN) {
		c->broken = true;
		st = fail(cx, INTERNAL, "statement %s is no COPY FROM STDIN", q->statement->name);
	}
	PQclear(res);
	return st == OK ? copy_all(q, rows) : st;
}
