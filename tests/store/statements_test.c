/*
 * Every file of store/sql is prepared against the fresh schema, and the types of its values are compared with its
 * opening comment: "-- $1 bigint: run_id", one line a value, in their order.
 */
#include "support/pg.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <libpq-fe.h>
#include "store/query.h"
#include "store/sql.h"

static const char *
next_line(const char *at)
{
	at += strcspn(at, "\n");
	return *at == '\n' ? at + 1 : at;
}

static const char *
body_of(const struct statement *s)
{
	const char *at = s->text;

	while (strncmp(at, "--", 2) == 0 || *at == '\n')
		at = next_line(at);
	return at;
}

/* The type that the comment gives $n: "bigint[]"; false when there is no such line. */
static bool
said_type(const struct statement *s, int n, char *out, size_t size)
{
	char start[24];
	const char *end = body_of(s);

	(void)snprintf(start, sizeof(start), "-- $%d ", n);
	for (const char *at = s->text; at < end; at = next_line(at))
		if (strncmp(at, start, strlen(start)) == 0) {
			at += strlen(start);
			(void)snprintf(out, size, "%.*s", (int)strcspn(at, ":\n"), at);
			return true;
		}
	return false;
}

static bool
same_type(PGconn *pg, Oid oid, const char *said)
{
	char number[16];
	const char *values[2] = { number, said };
	PGresult *res;
	bool same;

	(void)snprintf(number, sizeof(number), "%u", oid);
	res = PQexecParams(pg, "SELECT $1::oid = to_regtype($2)", 2, NULL, values, NULL, NULL, 0);
	same = PQresultStatus(res) == PGRES_TUPLES_OK && strcmp(PQgetvalue(res, 0, 0), "t") == 0;
	PQclear(res);
	return same;
}

static int
complain(const struct statement *s, const char *what)
{
	print_error("%s.sql: %s\n", s->name, what);
	return 1;
}

static int
check_types(PGconn *pg, const struct statement *s, const PGresult *description)
{
	char said[64], more[64];
	int n = PQnparams(description), wrong = 0;

	for (int i = 0; i < n; i++) {
		if (!said_type(s, i + 1, said, sizeof(said))) {
			(void)snprintf(more, sizeof(more), "the comment does not name $%d", i + 1);
			wrong += complain(s, more);
		} else if (!same_type(pg, PQparamtype(description, i), said)) {
			(void)snprintf(more, sizeof(more), "$%d is of oid %u, not %.20s", i + 1,
				PQparamtype(description, i), said);
			wrong += complain(s, more);
		}
	}
	if (said_type(s, n + 1, said, sizeof(said)))
		wrong += complain(s, "the comment names a value that the statement does not have");
	return wrong;
}

static int
check(PGconn *pg, const struct statement *s)
{
	PGresult *res;
	int wrong = 0;

	if (strncmp(s->text, "-- ", 3) != 0)
		wrong += complain(s, "does not open with what it is for");
	if (strncmp(body_of(s), "COPY ", 5) == 0)
		return wrong;
	res = PQprepare(pg, s->name, s->text, 0, NULL);
	if (PQresultStatus(res) != PGRES_COMMAND_OK) {
		wrong += complain(s, PQerrorMessage(pg));
		PQclear(res);
		return wrong;
	}
	PQclear(res);
	res = PQdescribePrepared(pg, s->name);
	wrong += check_types(pg, s, res);
	PQclear(res);
	return wrong;
}

static void
every_statement_fits_the_schema_and_its_comment(void **state)
{
	struct pg_test *t = *state;
	PGconn *pg = PQconnectdb(pool_conninfo(t->pool));
	int wrong = 0, n = 0;

	assert_int_equal(PQstatus(pg), CONNECTION_OK);
	for (; sql_statements[n] != NULL; n++)
		wrong += check(pg, sql_statements[n]);
	PQfinish(pg);
	print_message("%d statements\n", n);
	assert_true(n >= 5);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(every_statement_fits_the_schema_and_its_comment),
	};

	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
