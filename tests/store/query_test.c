#include "support/pg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "store/query.h"
#include "store/tx.h"

static const struct statement types = { "test_types",
	"SELECT $1::bigint AS i8, $2::int AS i4, $3::boolean AS b, ($4::float8[])[1] AS f, $5::text AS t, "
	"$6::bytea "
	"AS y, $7::jsonb AS j" };
static const struct statement arrays = { "test_arrays",
	"SELECT $1::bigint[] AS i, $2::text[] AS t, $3::float8[] AS f, array_length($2::text[], 1)::bigint "
	"AS n" };

struct got {
	int64_t i8, i4;
	bool b, null[7];
	double f;
	const char *t, *j;
	const void *y;
	size_t y_len;
};

static enum status
got_from_row(struct row *row, void *out)
{
	static const char *const names[7] = { "i8", "i4", "b", "f", "t", "y", "j" };
	struct got *g = out;

	g->j = row_text(row, "j"); /* not in their order */
	g->i8 = row_int8(row, "i8");
	g->i4 = row_int8(row, "i4");
	g->b = row_bool(row, "b");
	g->f = row_float8(row, "f");
	g->t = row_text(row, "t");
	g->y = row_bytea(row, "y", &g->y_len);
	for (int i = 0; i < 7; i++)
		g->null[i] = row_null(row, names[i]);
	return OK;
}

static struct tx *
open_auto(struct pg_test *t)
{
	struct tx *tx = NULL;

	assert_int_equal(tx_auto(&t->cx, &tx), OK);
	return tx;
}

static struct got
round_trip(struct pg_test *t, int64_t i8, int32_t i4, bool b, double f, const char *text, const void *y,
	size_t y_len, const char *json)
{
	struct tx *tx = open_auto(t);
	struct got g = { 0 };
	struct query q;

	query_init(&q, tx, &types);
	query_int8(&q, i8);
	query_int4(&q, i4);
	query_bool(&q, b);
	query_float8s(&q, &f, 1);
	query_text(&q, text);
	query_bytea(&q, y, y_len);
	query_json(&q, json);
	assert_int_equal(query_one(&q, got_from_row, &g), OK);
	assert_int_equal(tx_commit(&tx), OK);
	return g;
}

static void
values_come_back_as_they_went(void **state)
{
	static const char bytes[] = { 0, 1, (char)0xff, 0, 'x' };
	static const int64_t numbers[] = { 0, -1, INT64_MIN, INT64_MAX, 1234567890123456789 };
	static const double reals[] = { 0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, INFINITY, -INFINITY };
	struct pg_test *t = *state;

	for (size_t i = 0; i < 7; i++) {
		struct got g = round_trip(t, numbers[i % 5], i % 2 ? INT32_MIN : INT32_MAX, i % 2, reals[i],
			"Zoë 🦊 'x' \\", bytes, sizeof(bytes), "{\"a\": [1, \"é\"]}");

		assert_true(g.i8 == numbers[i % 5]);
		assert_true(g.i4 == (i % 2 ? INT32_MIN : INT32_MAX));
		assert_int_equal(g.b, i % 2);
		assert_memory_equal(&g.f, &reals[i], sizeof(double));
		assert_string_equal(g.t, "Zoë 🦊 'x' \\");
		assert_int_equal(g.y_len, sizeof(bytes));
		assert_memory_equal(g.y, bytes, sizeof(bytes));
		assert_string_equal(g.j, "{\"a\": [1, \"é\"]}");
	}
	assert_true(isnan(round_trip(t, 0, 0, false, NAN, "", "", 0, "null").f));
}

static void
null_and_empty_are_two_things(void **state)
{
	struct pg_test *t = *state;
	struct got g = round_trip(t, 1, 1, true, 1, NULL, NULL, 0, NULL);

	assert_null(g.t);
	assert_null(g.y);
	assert_null(g.j);
	assert_true(g.null[4] && g.null[5] && g.null[6] && !g.null[0]);
	g = round_trip(t, 1, 1, true, 1, "", "", 0, "\"\"");
	assert_string_equal(g.t, "");
	assert_non_null(g.y);
	assert_int_equal(g.y_len, 0);
	assert_string_equal(g.j, "\"\"");
	assert_false(g.null[4] || g.null[5] || g.null[6]);
}

struct got_arrays {
	const int64_t *i;
	const char **t;
	const double *f;
	size_t i_n, t_n, f_n;
	int64_t length;
};

static enum status
arrays_from_row(struct row *row, void *out)
{
	struct got_arrays *g = out;

	g->i = row_int8s(row, "i", &g->i_n);
	g->t = row_texts(row, "t", &g->t_n);
	g->f = row_float8s(row, "f", &g->f_n);
	g->length = row_int8(row, "n");
	return OK;
}

static void
arrays_come_back_as_they_went(void **state)
{
	static const int64_t i[] = { INT64_MIN, -1, 0, INT64_MAX };
	static const char *const texts[] = { "", "a,b", NULL, "{\"}", "NULL" };
	static const double f[] = { NAN, -INFINITY, -0.0 };
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct got_arrays g;
	struct query q;

	query_init(&q, tx, &arrays);
	query_int8s(&q, i, 4);
	query_texts(&q, texts, 5);
	query_float8s(&q, f, 3);
	assert_int_equal(query_one(&q, arrays_from_row, &g), OK);
	assert_int_equal(g.i_n, 4);
	assert_memory_equal(g.i, i, sizeof(i));
	assert_int_equal(g.t_n, 5);
	assert_int_equal(g.length, 5);
	for (size_t n = 0; n < 5; n++)
		texts[n] == NULL ? assert_null(g.t[n]) : assert_string_equal(g.t[n], texts[n]);
	assert_int_equal(g.f_n, 3);
	assert_true(isnan(g.f[0]) && g.f[1] == -INFINITY && signbit(g.f[2]));
	query_init(&q, tx, &arrays);
	query_int8s(&q, NULL, 0);
	query_texts(&q, NULL, 0);
	query_float8s(&q, NULL, 0);
	assert_int_equal(query_one(&q, arrays_from_row, &g), OK);
	assert_true(g.i_n == 0 && g.t_n == 0 && g.f_n == 0 && g.length == 0);
	assert_int_equal(tx_commit(&tx), OK);
}

static const struct statement rows_of = { "test_rows", "SELECT i FROM generate_series(1, $1::bigint) i" };

static void
one_row_means_one(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct query q;
	int64_t got = 0;
	bool found = true;

	(void)fail(&t->cx, INVALID, "an old sentence");
	query_init(&q, tx, &rows_of);
	query_int8(&q, 0);
	assert_int_equal(query_one(&q, row_read_int8, &got), NOT_FOUND);
	assert_string_equal(t->cx.message, "");
	assert_int_equal(query_maybe(&q, row_read_int8, &got, &found), OK);
	assert_false(found);
	query_init(&q, tx, &rows_of);
	query_int8(&q, 2);
	assert_int_equal(query_one(&q, row_read_int8, &got), INTERNAL);
	query_init(&q, tx, &rows_of);
	query_int8(&q, 1);
	assert_int_equal(query_one(&q, row_read_int8, &got), OK);
	assert_int_equal(got, 1);
	assert_int_equal(tx_commit(&tx), OK);
}

static void
a_list_has_all_rows(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct query q;
	int64_t *list = NULL;
	size_t n = 99;

	query_init(&q, tx, &rows_of);
	query_int8(&q, 1000);
	assert_int_equal(query_list(&q, row_read_int8, sizeof(*list), &list, &n), OK);
	assert_int_equal(n, 1000);
	assert_int_equal(list[0], 1);
	assert_int_equal(list[999], 1000);
	query_init(&q, tx, &rows_of);
	query_int8(&q, 0);
	assert_int_equal(query_list(&q, row_read_int8, sizeof(*list), &list, &n), OK);
	assert_int_equal(n, 0);
	assert_null(list);
	assert_int_equal(tx_commit(&tx), OK);
}

struct sum {
	int64_t sum, stop_at;
};

static enum status
add_row(struct row *row, void *arg)
{
	struct sum *s = arg;
	int64_t v = row_int8(row, "i");

	if (v == s->stop_at)
		return fail(row_ctx(row), TOO_LARGE, "enough at %lld", (long long)v);
	s->sum += v;
	return OK;
}

static void
rows_stream_and_may_be_stopped(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;
	struct sum s = { 0 };
	size_t before;
	struct query q;
	int64_t got = 0;

	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	before = arena_size(t->arena);
	query_init(&q, tx, &rows_of);
	query_int8(&q, 100000);
	assert_int_equal(query_each(&q, add_row, &s), OK);
	assert_true(s.sum == 5000050000);
	assert_true(arena_size(t->arena) == before);
	s.stop_at = 10;
	s.sum = 0;
	assert_int_equal(query_each(&q, add_row, &s), TOO_LARGE);
	assert_string_equal(t->cx.message, "enough at 10");
	assert_int_equal(s.sum, 45);
	query_init(&q, tx, &rows_of); /* the transaction goes on */
	query_int8(&q, 1);
	assert_int_equal(query_one(&q, row_read_int8, &got), OK);
	assert_int_equal(tx_commit(&tx), OK);
}

static const struct statement divide = { "test_divide",
	"SELECT 100 / (5 - i) AS i FROM generate_series(1, $1::bigint) i" };

static void
an_error_in_the_middle_of_a_stream_is_an_error(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct sum s = { 0 };
	struct query q;

	query_init(&q, tx, &divide);
	query_int8(&q, 10);
	assert_int_equal(query_each(&q, add_row, &s), INTERNAL);
	assert_null(strstr(t->cx.message, "division")); /* the server's own words are for the log */
	query_init(&q, tx, &divide);
	query_int8(&q, 2);
	s = (struct sum){ 0 };
	assert_int_equal(query_each(&q, add_row, &s), OK);
	assert_int_equal(s.sum, 25 + 33);
	assert_int_equal(tx_commit(&tx), OK);
}

static const struct statement insert = { "test_insert", "INSERT INTO thing (id, name) VALUES ($1, $2)" };
static const struct statement insert_part = { "test_insert_part", "INSERT INTO part (thing_id) VALUES ($1)" };
static const struct statement delete_thing = { "test_delete",
	"-- away with it\nDELETE FROM thing WHERE id = $1" };

static enum status
insert_thing(struct tx *tx, int64_t id, const char *name)
{
	struct query q;

	query_init(&q, tx, &insert);
	query_int8(&q, id);
	query_text(&q, name);
	return query_run(&q, NULL);
}

static void
make_things(struct pg_test *t)
{
	(void)pg_sql(t, "SET search_path = cairn; CREATE TABLE thing (id bigint PRIMARY KEY, name text "
			"CONSTRAINT thing_name_taken UNIQUE);"
			"CREATE TABLE part (thing_id bigint REFERENCES thing)");
}

static void
constraints_have_statuses(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct query q;

	make_things(t);
	assert_int_equal(insert_thing(tx, 1, "one"), OK);
	assert_int_equal(insert_thing(tx, 2, "one"), ALREADY_EXISTS);
	query_init(&q, tx, &insert_part);
	query_int8(&q, 77);
	assert_int_equal(query_run(&q, NULL), NOT_FOUND);
	query_init(&q, tx, &insert_part);
	query_int8(&q, 1);
	assert_int_equal(query_run(&q, NULL), OK);
	query_init(&q, tx, &delete_thing);
	query_int8(&q, 1);
	assert_int_equal(query_run(&q, NULL), CONFLICT);
	assert_int_equal(insert_thing(tx, 3, "bad \xff utf-8"), INVALID);
	assert_int_equal(tx_commit(&tx), OK);
	assert_string_equal(pg_sql(t, "SELECT count(*) FROM cairn.thing"), "1");
}

static void
affected_rows_are_counted(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct query q;
	int64_t n = -1;

	make_things(t);
	assert_int_equal(insert_thing(tx, 1, NULL), OK);
	query_init(&q, tx, &delete_thing);
	query_int8(&q, 1);
	assert_int_equal(query_run(&q, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(query_run(&q, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(tx_commit(&tx), OK);
}

static void
a_transaction_is_kept_or_not(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;

	make_things(t);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(insert_thing(tx, 1, "gone"), OK);
	tx_rollback(&tx);
	assert_null(tx);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(insert_thing(tx, 2, "kept"), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_null(tx);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	assert_int_equal(insert_thing(tx, 3, "kept"), ALREADY_EXISTS);
	assert_int_equal(tx_commit(&tx), INTERNAL); /* committing what failed */
	assert_null(tx);
	assert_int_equal(tx_begin_snapshot(&t->cx, &tx), OK);
	assert_int_not_equal(insert_thing(tx, 4, "written in a snapshot"), OK);
	tx_rollback(&tx);
	assert_string_equal(pg_sql(t, "SELECT string_agg(name, ',') FROM cairn.thing"), "kept");
}

static const struct statement copy_things = { "test_copy",
	"-- Many at once.\nCOPY thing (id, name) FROM STDIN (FORMAT binary)" };

static void
add_be(struct buf *b, uint64_t v, int bytes)
{
	while (bytes-- > 0)
		buf_char(b, (char)(v >> (8 * bytes)));
}

static void
copy_row(struct buf *b, uint64_t id, const char *name)
{
	add_be(b, 2, 2);
	add_be(b, 8, 4);
	add_be(b, id, 8);
	add_be(b, strlen(name), 4);
	buf_str(b, name);
}

static enum status
write_one(struct pg_test *t, const struct statement *s, const struct query_blob *blobs, size_t n,
	int64_t *out, bool *unknown)
{
	struct tx *tx = NULL;
	struct query q;
	enum status st;

	assert_int_equal(tx_change(&t->cx, &tx), OK);
	query_init(&q, tx, s);
	query_byteas(&q, blobs, n);
	st = query_one(&q, row_read_int8, out);
	*unknown = tx_is_unknown(tx);
	tx_rollback(&tx);
	return st;
}

static void
a_write_of_its_own_knows_whether_it_was_kept(void **state)
{
	static const struct statement put = { "test_put",
		"INSERT INTO blobs SELECT b FROM unnest($1::bytea[]) b ON CONFLICT DO NOTHING RETURNING "
		"(SELECT count(*) FROM unnest($1::bytea[])) AS n" };
	static const struct statement twice = { "test_twice",
		"INSERT INTO blobs SELECT b FROM unnest($1::bytea[]) b RETURNING 1::bigint AS n" };
	static const struct statement last_words = { "test_last_words",
		"WITH put AS (INSERT INTO blobs SELECT b FROM unnest($1::bytea[]) b) "
		"SELECT CASE WHEN pg_terminate_backend(pg_backend_pid()) THEN pg_sleep(5) END IS NULL, "
		"1::bigint AS n" };
	static const struct statement wrong = { "test_wrong", "SELECT no_such_column, $1::bytea[]" };
	const struct query_blob blobs[1] = { { "a\0b", 3 } }, other[1] = { { "", 0 } };
	struct pg_test *t = *state;
	bool unknown = true;
	int64_t n = 0;

	(void)pg_sql(t, "CREATE TABLE cairn.blobs (b bytea PRIMARY KEY)");
	assert_int_equal(write_one(t, &put, blobs, 1, &n, &unknown), OK);
	assert_false(unknown);
	assert_int_equal(n, 1);
	assert_string_equal(pg_sql(t, "SELECT encode(b, 'hex') FROM cairn.blobs"), "610062");
	unknown = true;
	assert_int_equal(write_one(t, &twice, blobs, 1, &n, &unknown), ALREADY_EXISTS);
	assert_false(unknown);
	unknown = true;
	assert_int_equal(write_one(t, &wrong, blobs, 1, &n, &unknown), INTERNAL);
	assert_false(unknown); /* it could not even be prepared */
	assert_int_equal(write_one(t, &last_words, other, 1, &n, &unknown), UNAVAILABLE);
	assert_true(unknown);
}

static void
copy_brings_many_rows(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = NULL;
	struct buf b;
	struct query q;
	char name[32];

	make_things(t);
	buf_init(&b, 64 << 20);
	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "thing %u", i);
		copy_row(&b, i, name);
	}
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	query_init(&q, tx, &copy_things);
	assert_int_equal(query_copy(&q, &b), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_string_equal(
		pg_sql(t, "SELECT count(*) FROM cairn.thing WHERE name = 'thing ' || id"), "100000");
	assert_int_equal(tx_begin(&t->cx, &tx), OK); /* all of them again */
	query_init(&q, tx, &copy_things);
	assert_int_equal(query_copy(&q, &b), ALREADY_EXISTS);
	tx_rollback(&tx);
	buf_clear(&b);
	assert_int_equal(tx_begin(&t->cx, &tx), OK);
	query_init(&q, tx, &copy_things);
	assert_int_equal(query_copy(&q, &b), OK);
	assert_int_equal(tx_commit(&tx), OK);
	buf_fini(&b);
}

static void
too_many_values_are_refused_by_the_final_call(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct query q;

	query_init(&q, tx, &rows_of);
	for (int i = 0; i <= QUERY_VALUES; i++)
		query_int8(&q, i);
	assert_int_equal(query_run(&q, NULL), INTERNAL);
	assert_int_equal(tx_commit(&tx), OK);
}

static const struct statement read_view = { "test_view", "SELECT * FROM cairn.view_of" };

static void
a_plan_that_the_schema_outran_is_made_anew(void **state)
{
	struct pg_test *t = *state;
	struct tx *tx = open_auto(t);
	struct query q;
	int64_t got = 0;
	const char *text = NULL;

	(void)pg_sql(t, "CREATE VIEW cairn.view_of AS SELECT 1::bigint AS v");
	query_init(&q, tx, &read_view);
	assert_int_equal(query_one(&q, row_read_int8, &got), OK);
	(void)pg_sql(t, "DROP VIEW cairn.view_of; CREATE VIEW cairn.view_of AS SELECT 'x'::text AS v");
	query_init(&q, tx, &read_view);
	assert_int_equal(query_one(&q, row_read_text, &text), OK);
	assert_string_equal(text, "x");
	assert_int_equal(tx_commit(&tx), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(values_come_back_as_they_went),
		pg_test(null_and_empty_are_two_things),
		pg_test(arrays_come_back_as_they_went),
		pg_test(one_row_means_one),
		pg_test(a_list_has_all_rows),
		pg_test(rows_stream_and_may_be_stopped),
		pg_test(an_error_in_the_middle_of_a_stream_is_an_error),
		pg_test(constraints_have_statuses),
		pg_test(affected_rows_are_counted),
		pg_test(a_transaction_is_kept_or_not),
		pg_test(a_write_of_its_own_knows_whether_it_was_kept),
		pg_test(copy_brings_many_rows),
		pg_test(too_many_values_are_refused_by_the_final_call),
		pg_test(a_plan_that_the_schema_outran_is_made_anew),
	};

	return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
}
