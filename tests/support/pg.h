/*
 * A private PostgreSQL for tests: a cluster in a temporary directory, on a Unix socket, without fsync, as an
 * unprivileged user when the tests run as root. The template database is migrated once; each test has a clone of it,
 * a pool on it, and a ctx. PostgreSQL's log of a failed test is printed.
 *
 *	static void
 *	a_deleted_run_takes_no_metrics(void **state)
 *	{
 *		struct pg_test *t = *state;
 *		… tx_begin(&t->cx, &tx) …
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		const struct CMUnitTest tests[] = {
 *			pg_test(a_deleted_run_takes_no_metrics),
 *		};
 *		return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
 *	}
 *
 * Link with LIBS base store support. Include this header instead of cmocka.h.
 */
#ifndef SUPPORT_PG_H
#define SUPPORT_PG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/ctx.h"
#include "store/pool.h"
#include <cmocka.h>
/* our fail() writes the sentence of a ctx; cmocka's macro of that name would hide it */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error("ERROR: " __VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

typedef void pg_test_fn(void **state);

struct pg_test {
	struct ctx cx;      /* with the arena, and the parts below */
	struct parts parts; /* its pool is this test's; a test may add its own others */
	struct arena *arena;
	struct pool *pool;  /* of four connections, statement timeout 5 s */
	char conninfo[256]; /* of this test's database */
	pg_test_fn *run;
	long log_start;
	bool failed;
	struct pg_test *before; /* a failed one: it is kept, for connections of it may still be lent */
};

struct pg_case {
	pg_test_fn *run;
	bool empty; /* a database without our schema */
};

#define pg_test_with(f, e)                                                                                   \
	{                                                                                                    \
#f, pg_run, pg_setup, pg_teardown, &(struct pg_case)                                         \
		{                                                                                            \
			f, e                                                                                 \
		}                                                                                            \
	}
#define pg_test(f)       pg_test_with(f, false)
#define pg_test_empty(f) pg_test_with(f, true)

int pg_group_setup(void **state);
int pg_group_teardown(void **state);
int pg_setup(void **state);
int pg_teardown(void **state);
void pg_run(void **state);

/* Another pool on this test's database; the caller frees it and puts it into t->parts if it likes. */
struct pool *pg_pool(
	struct pg_test *t, unsigned size, int64_t acquire_timeout_ms, int64_t statement_timeout_ms);
/* Run SQL on a connection of its own; a failure fails the test. The first column of the first row, or "", lives in t->arena. */
const char *pg_sql(struct pg_test *t, const char *sql);
/* Stop PostgreSQL (immediate: like a crash), start it again. */
void pg_stop_server(bool immediate);
void pg_start_server(void);
const char *pg_directory(void); /* the socket is in it */

#endif
