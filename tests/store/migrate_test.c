#include "support/pg.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "store/migrate.h"

static enum schema_state
state_now(struct pg_test *t)
{
	enum schema_state s = SCHEMA_STRANGE;

	t->cx.message[0] = '\0';
	assert_int_equal(migrate_state(&t->cx, &s), OK);
	return s;
}

static void
an_empty_database_becomes_ours_once(void **state)
{
	struct pg_test *t = *state;
	int applied = -1;

	assert_int_equal(state_now(t), SCHEMA_EMPTY);
	assert_non_null(strstr(t->cx.message, "cairnd migrate"));
	assert_int_equal(migrate_run(&t->cx, &applied), OK);
	assert_true(applied >= 1);
	assert_int_equal(state_now(t), SCHEMA_CURRENT);
	assert_string_equal(t->cx.message, "");
	assert_int_equal(migrate_run(&t->cx, &applied), OK);
	assert_int_equal(applied, 0);
	assert_string_equal(pg_sql(t, "SELECT count(*) FROM cairn.instance"), "1");
	assert_string_equal(
		pg_sql(t, "SELECT name FROM cairn.migration WHERE number = 1"), "0001_foundation");
	assert_string_equal(pg_sql(t, "SELECT bool_and(length(sha256) = 32 AND applied_unix_ms > "
				      "1700000000000) FROM cairn.migration"),
		"t");
	assert_string_equal(pg_sql(t, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

static void
an_empty_schema_made_by_the_administrator_is_used(void **state)
{
	struct pg_test *t = *state;
	int applied = -1;

	(void)pg_sql(t, "CREATE SCHEMA cairn");
	assert_int_equal(state_now(t), SCHEMA_EMPTY);
	assert_int_equal(migrate_run(&t->cx, &applied), OK);
	assert_int_equal(state_now(t), SCHEMA_CURRENT);
}

static void
a_newer_schema_is_refused(void **state)
{
	struct pg_test *t = *state;
	int applied = -1;

	(void)pg_sql(t, "INSERT INTO cairn.migration VALUES (900, '0900_future', '\\x00', 1)");
	assert_int_equal(state_now(t), SCHEMA_AHEAD);
	assert_non_null(strstr(t->cx.message, "schema 900"));
	assert_non_null(strstr(t->cx.message, "newer"));
	assert_int_equal(migrate_run(&t->cx, &applied), CONFLICT);
	assert_int_equal(applied, 0);
	assert_non_null(strstr(t->cx.message, "newer"));
}

static void
a_migration_that_is_not_ours_is_refused(void **state)
{
	struct pg_test *t = *state;
	int applied = -1;

	(void)pg_sql(t, "UPDATE cairn.migration SET sha256 = sha256('other'::bytea) WHERE number = 1");
	assert_int_equal(state_now(t), SCHEMA_STRANGE);
	assert_non_null(strstr(t->cx.message, "0001_foundation"));
	assert_int_equal(migrate_run(&t->cx, &applied), CONFLICT);
	assert_int_equal(applied, 0);
}

static void
a_migration_that_fails_leaves_nothing(void **state)
{
	struct pg_test *t = *state;
	int applied = -1;

	(void)pg_sql(t, "CREATE SCHEMA cairn; CREATE TABLE cairn.outbox (in_the_way int)");
	assert_int_equal(migrate_run(&t->cx, &applied), INTERNAL);
	assert_int_equal(applied, 0);
	assert_int_equal(state_now(t), SCHEMA_EMPTY);
	assert_string_equal(pg_sql(t, "SELECT to_regclass('cairn.experiment') IS NULL"), "t");
	(void)pg_sql(t, "DROP TABLE cairn.outbox");
	assert_int_equal(migrate_run(&t->cx, &applied), OK);
	assert_int_equal(state_now(t), SCHEMA_CURRENT);
}

struct migrator {
	pthread_t thread;
	struct pg_test *t;
	enum status st;
	int applied;
};

static void *
migrate_in_thread(void *arg)
{
	struct migrator *m = arg;
	struct parts parts = { .pool = pg_pool(m->t, 2, 5000, 5000) };
	struct arena *arena = arena_new();
	struct ctx cx;

	ctx_init(&cx, arena, &parts);
	m->st = migrate_run(&cx, &m->applied);
	pool_free(parts.pool);
	arena_free(arena);
	return NULL;
}

static void
of_several_migrators_one_does_the_work(void **state)
{
	struct pg_test *t = *state;
	struct migrator m[4];
	int working = 0;

	for (int i = 0; i < 4; i++) {
		m[i] = (struct migrator){ .t = t, .applied = -1 };
		assert_int_equal(pthread_create(&m[i].thread, NULL, migrate_in_thread, &m[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		(void)pthread_join(m[i].thread, NULL);
		assert_int_equal(m[i].st, OK);
		working += m[i].applied > 0;
	}
	assert_int_equal(working, 1);
	assert_int_equal(state_now(t), SCHEMA_CURRENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test_empty(an_empty_database_becomes_ours_once),
		pg_test_empty(an_empty_schema_made_by_the_administrator_is_used),
		pg_test(a_newer_schema_is_refused),
		pg_test(a_migration_that_is_not_ours_is_refused),
		pg_test_empty(a_migration_that_fails_leaves_nothing),
		pg_test_empty(of_several_migrators_one_does_the_work),
	};

	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
