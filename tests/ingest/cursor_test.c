#include "support/pg.h"

#include <string.h>
#include "base/hash.h"
#include "ingest/cursor.h"
#include "store/tx.h"

static const char *
encoded(struct pg_test *t, const char *plain)
{
	size_t size = strlen(plain) * 2 + 8;
	char *out = arena_alloc(t->arena, size);

	base64url_encode(out, size, plain, strlen(plain));
	return out;
}

static void
a_cursor_reads_back_as_written(void **state)
{
	struct pg_test *t = *state;
	const struct cursor in = { INT64_MIN + 7, "10:20:10,14,14,19" };
	struct cursor out = { 0 };

	assert_int_equal(cursor_read(&t->cx, cursor_write(&t->cx, &in), &out), OK);
	assert_int_equal(out.system_identifier, in.system_identifier);
	assert_string_equal(out.snapshot, in.snapshot);
}

static void
the_cursor_of_a_snapshot_is_what_postgres_takes(void **state)
{
	struct pg_test *t = *state;
	struct cursor now = { 0 }, later = { 0 };
	struct tx *tx = NULL;

	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_equal(cursor_now(tx, &now), OK);
	(void)pg_sql(t, "BEGIN; SELECT pg_current_xact_id(); COMMIT");
	assert_int_equal(cursor_now(tx, &later), OK);
	tx_rollback(&tx);
	assert_string_equal(now.snapshot, later.snapshot);
	assert_int_equal(cursor_read(&t->cx, cursor_write(&t->cx, &now), &later), OK);
	assert_string_equal(
		pg_sql(t, arena_printf(t->arena, "SELECT '%s'::pg_snapshot::text", later.snapshot)),
		now.snapshot);
	assert_true(now.system_identifier != 0);
}

static void
what_is_no_cursor_is_refused(void **state)
{
	static const char *const plain[] = { "", "c1", "c100000000000000", "c10000000000000001",
		"c20000000000000001"
		"1:1:",
		"c1000000000000000g1:1:", "c100000000000000010:1:", "c100000000000000012:1:",
		"c100000000000000011:2:0", "c100000000000000011:2:2", "c100000000000000011:5:3,2",
		"c100000000000000011:5:3,", "c100000000000000011:5:,3", "c100000000000000011:5:3;",
		"c100000000000000011:18446744073709551616:", "c100000000000000011:9223372036854775808:",
		"c10000000000000001-1:5:", "c100000000000000011 :5:", "c100000000000000011:5",
		"c100000000000000011:5:3\xc3" };
	static const char *const text[] = { "", "!", "a b", "=", "YzE" };
	struct pg_test *t = *state;
	struct cursor out;

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		assert_int_equal(cursor_read(&t->cx, encoded(t, plain[i]), &out), INVALID);
	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
		assert_int_equal(cursor_read(&t->cx, text[i], &out), INVALID);
	assert_int_equal(
		cursor_read(&t->cx, encoded(t, "c100000000000000019223372036854775807:9223372036854775807:"),
			&out),
		OK);
}

static void
a_cursor_that_is_too_long_is_refused(void **state)
{
	struct pg_test *t = *state;
	char *text = arena_alloc(t->arena, CURSOR_TEXT_MOST + 2);
	struct cursor out;

	memset(text, 'A', CURSOR_TEXT_MOST + 1);
	assert_int_equal(cursor_read(&t->cx, text, &out), INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(a_cursor_reads_back_as_written),
		pg_test(the_cursor_of_a_snapshot_is_what_postgres_takes),
		pg_test(what_is_no_cursor_is_refused),
		pg_test(a_cursor_that_is_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
