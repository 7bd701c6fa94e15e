/* order_by, ties, nulls, and page tokens. */
#include <math.h>
#include <stdio.h>
#include "search_test.h"

static struct search *
ordered(void **state, enum search_target target, const char *a, const char *b)
{
	struct fixture *f = *state;
	const char *order[] = { a, b };
	struct search *s = NULL;

	if (search_compile(&f->cx, target, "", order, a ? (b ? 2 : 1) : 0, &s) != OK)
		fail_msg("%s: %s", a ? a : "", f->cx.message);
	return s;
}

static const char *
order_refused(void **state, enum search_target target, const char *clause)
{
	struct fixture *f = *state;
	struct search *s = NULL;

	if (search_compile(&f->cx, target, "", &clause, 1, &s) == OK)
		fail_msg("accepted: %s", clause);
	assert_int_equal(f->cx.status, INVALID);
	return f->cx.message;
}

static void
clauses_name_a_column_and_a_direction(void **state)
{
	static const struct {
		enum search_target target;
		const char *clause;
		enum search_entity entity;
		const char *name;
	} cases[] = { { SEARCH_RUNS, "metrics.loss", ENTITY_METRIC, "loss" },
		{ SEARCH_RUNS, "metric.`a b` DESC", ENTITY_METRIC, "a b" },
		{ SEARCH_RUNS, "params.\"x\" aSc", ENTITY_PARAM, "x" },
		{ SEARCH_RUNS, "tag.a.b\tDESC", ENTITY_TAG, "a.b" },
		{ SEARCH_RUNS, "Created", ENTITY_ATTRIBUTE, "start_time" },
		{ SEARCH_RUNS, "\"metrics.a\" desc", ENTITY_METRIC, "a" },
		{ SEARCH_RUNS, "`run_id`", ENTITY_ATTRIBUTE, "run_id" },
		{ SEARCH_RUNS, "min(metrics.loss)", ENTITY_METRIC, "loss" },
		{ SEARCH_RUNS, "MEAN( metric.`a b` ) DESC", ENTITY_METRIC, "a b" },
		{ SEARCH_RUNS, "count(metrics.\"a.b\")asc", ENTITY_METRIC, "a.b" },
		{ SEARCH_EXPERIMENTS, "attribute.name ASC", ENTITY_ATTRIBUTE, "name" },
		{ SEARCH_MODELS, "timestamp DESC", ENTITY_ATTRIBUTE, "last_updated_timestamp" },
		{ SEARCH_VERSIONS, "version_number DESC", ENTITY_ATTRIBUTE, "version_number" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_true(slot_of(ordered(state, cases[i].target, cases[i].clause, NULL), cases[i].entity,
				    cases[i].name) >= 0);
}

static void
functions_order_by_other_numbers_of_a_metric(void **state)
{
	static const char *const words[] = { "last", "first", "min", "max", "mean", "count" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const char *clause = arena_printf(f->arena, "%s(metrics.x) DESC", words[i]);
		size_t n;
		const struct search_column *c = search_columns(ordered(state, SEARCH_RUNS, clause, NULL), &n);

		assert_int_equal(n, 3);
		assert_int_equal(c[0].aggregate, i);
		assert_true(c[0].numeric);
	}
}

/* min(metrics.x) is slot 0, metrics.x slot 1 */
static void
a_metric_and_its_aggregates_are_columns_of_their_own(void **state)
{
	struct search *s = ordered(state, SEARCH_RUNS, "min(metrics.x)", "metrics.x DESC");
	struct search_value a[4] = { NUMBER(1), NUMBER(5), INTEGER(1), TEXT("a") },
			    b[4] = { NUMBER(2), NUMBER(1), INTEGER(1), TEXT("b") };

	assert_true(search_compare(s, a, b) < 0);
	b[0] = NUMBER(1);
	assert_true(search_compare(s, a, b) < 0);
	b[0] = NUMBER(NAN);
	assert_true(search_compare(s, a, b) < 0);
	assert_int_equal(
		slot_of(ordered(state, SEARCH_RUNS, "last(metrics.x)", "metrics.x DESC"), ENTITY_METRIC, "x"),
		0);
}

static void
wrong_clauses_are_refused(void **state)
{
	static const struct {
		enum search_target target;
		const char *clause;
		const char *sentence;
	} cases[] = { { SEARCH_RUNS, "", "Invalid order_by clause ''" },
		{ SEARCH_RUNS, " metrics.a", "Could not be parsed" },
		{ SEARCH_RUNS, "metrics.a ", "Could not be parsed" },
		{ SEARCH_RUNS, "metrics.a DESC x", "Could not be parsed" },
		{ SEARCH_RUNS, "metrics.a down", "Invalid ordering key in order_by clause" },
		{ SEARCH_RUNS, "acc", "Invalid attribute key 'acc' specified" },
		{ SEARCH_RUNS, "x.y DESC", "Invalid entity type 'x'" },
		{ SEARCH_RUNS, "`run name`", "Invalid attribute key 'run name' specified" },
		{ SEARCH_RUNS, "dataset.name", "Invalid order_by entity" },
		{ SEARCH_RUNS, "metrics.`a", "Could not be parsed" },
		{ SEARCH_RUNS, "median(metrics.a)", "the functions to order by are min, max" },
		{ SEARCH_RUNS, "number(params.a)", "the functions to order by are min, max" },
		{ SEARCH_RUNS, "min(params.a) ASC", "min(…) takes a metric such as metrics.loss" },
		{ SEARCH_RUNS, "min(start_time)", "min(…) takes a metric such as metrics.loss" },
		{ SEARCH_RUNS, "min(x.a)", "Invalid entity type 'x'" },
		{ SEARCH_RUNS, "min()", "a metric such as metrics.loss was expected (position 5)" },
		{ SEARCH_RUNS, "min(metrics.a", "')' was expected (position 14)" },
		{ SEARCH_RUNS, "min(metrics.a metrics.b)", "')' was expected (position 15)" },
		{ SEARCH_RUNS, "min (metrics.a)", "a blank and ASC or DESC" },
		{ SEARCH_RUNS, "min(metrics.a) down", "Invalid ordering key in order_by clause" },
		{ SEARCH_RUNS, "min(metrics.a) ", "blanks follow the column" },
		{ SEARCH_MODELS, "min(name)", "there is no function to order by here (position 1)" },
		{ SEARCH_EXPERIMENTS, "min(metrics.a)", "there is no function to order by here" },
		{ SEARCH_EXPERIMENTS, "tags.a", "Invalid order_by entity" },
		{ SEARCH_MODELS, "version_number", "Invalid order by key 'version_number' specified" },
		{ SEARCH_MODELS, "attribute.name", "Invalid order by key 'attribute.name' specified" },
		{ SEARCH_VERSIONS, "run_id", "Invalid attribute key 'run_id' specified" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_contains(order_refused(state, cases[i].target, cases[i].clause), cases[i].sentence);
}

/* metric (slot 0), start_time, run_id */
static void
nan_comes_after_values_and_nothing_last(void **state)
{
	struct search_value values[][3] = { { NUMBER(-INFINITY), INTEGER(1), TEXT("a") },
		{ NUMBER(1), INTEGER(1), TEXT("b") }, { NUMBER(2), INTEGER(1), TEXT("c") },
		{ NUMBER(NAN), INTEGER(1), TEXT("d") }, { MISSING, INTEGER(1), TEXT("e") } };
	struct search *up = ordered(state, SEARCH_RUNS, "metrics.a", NULL);
	struct search *down = ordered(state, SEARCH_RUNS, "metrics.a DESC", NULL);

	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 5; k++) {
			int expected_down = i < 3 && k < 3 ? k - i : i - k;

			assert_int_equal((search_compare(up, values[i], values[k]) > 0) -
						 (search_compare(up, values[i], values[k]) < 0),
				(i > k) - (i < k));
			assert_int_equal((search_compare(down, values[i], values[k]) > 0) -
						 (search_compare(down, values[i], values[k]) < 0),
				(expected_down > 0) - (expected_down < 0));
		}
}

static void
ties_are_the_targets(void **state)
{
	struct search *runs = ordered(state, SEARCH_RUNS, NULL, NULL);
	struct search_value early[] = { INTEGER(1), TEXT("a") }, late[] = { INTEGER(2), TEXT("b") },
			    twin[] = { INTEGER(2), TEXT("c") };
	struct search *experiments = ordered(state, SEARCH_EXPERIMENTS, "name", NULL);
	struct search_value one[] = { TEXT("x"), INTEGER(1) }, two[] = { TEXT("x"), INTEGER(2) };
	struct search *versions = ordered(state, SEARCH_VERSIONS, NULL, NULL);
	struct search_value v1[8] = { 0 }, v2[8] = { 0 };

	v1[slot_of(versions, ENTITY_ATTRIBUTE, "version_number")] = INTEGER(1);
	v2[slot_of(versions, ENTITY_ATTRIBUTE, "version_number")] = INTEGER(2);
	assert_true(search_compare(versions, v2, v1) < 0);
	assert_true(search_compare(runs, late, early) < 0);
	assert_true(search_compare(runs, late, twin) < 0);
	assert_true(search_compare(experiments, two, one) < 0);
}

static void
a_repeated_column_counts_once(void **state)
{
	struct search *s = ordered(state, SEARCH_MODELS, "timestamp DESC", "last_updated_timestamp ASC");
	struct search_value a[4] = { 0 }, b[4] = { 0 };
	int time = slot_of(s, ENTITY_ATTRIBUTE, "last_updated_timestamp"),
	    name = slot_of(s, ENTITY_ATTRIBUTE, "name");

	a[time] = INTEGER(2);
	b[time] = INTEGER(1);
	a[name] = b[name] = TEXT("m");
	assert_true(search_compare(s, a, b) < 0);
}

static void
logged_models_order_by_fields(void **state)
{
	struct fixture *f = *state;
	struct search_field fields[] = { { .name = "metrics.loss", .dataset_name = "train" },
		{ .name = "metrics.loss",
			.descending = true,
			.dataset_name = "test",
			.dataset_digest = "d1" },
		{ .name = "creation_time", .descending = true } };
	struct search_field wrong[] = { { .name = "params.x" }, { .name = "nothing" } };
	const struct search_column *c;
	struct search *s;
	size_t n;

	assert_int_equal(search_compile_fields(&f->cx, "metrics.loss < 1", fields, 3, &s), OK);
	c = search_columns(s, &n);
	assert_int_equal(n, 5); /* the filter's, two latest ones, creation_timestamp, model_id */
	assert_false(c[0].latest);
	assert_true(c[1].latest);
	assert_string_equal(c[1].dataset_name, "train");
	assert_null(c[1].dataset_digest);
	assert_string_equal(c[2].dataset_digest, "d1");
	assert_string_equal(c[3].name, "creation_timestamp");
	assert_int_equal(search_compile_fields(&f->cx, NULL, wrong, 1, &s), INVALID);
	assert_contains(f->cx.message, "Invalid order by field name: params.x. Only metrics are supported.");
	assert_int_equal(search_compile_fields(&f->cx, NULL, wrong + 1, 1, &s), INVALID);
}

static struct search *
token_query(void **state, const char *filter, const char *scope)
{
	struct fixture *f = *state;
	const char *order[] = { "metrics.a DESC", "params.p" };
	struct search *s = NULL;

	assert_int_equal(search_compile(&f->cx, SEARCH_RUNS, filter, order, 2, &s), OK);
	if (scope)
		search_scope(s, scope);
	return s;
}

static void
tokens_give_back_the_row_to_the_last_bit(void **state)
{
	static const double doubles[] = { 0.1, -0.0, NAN, INFINITY, 5e-324, 1.7976931348623157e308,
		0x1.fffffffffffffp-3 };
	struct fixture *f = *state;
	struct search *s = token_query(state, "metrics.b > 1", NULL);
	struct search_value row[8] = { 0 }, *back;
	int metric = slot_of(s, ENTITY_METRIC, "a"), param = slot_of(s, ENTITY_PARAM, "p");
	int start = slot_of(s, ENTITY_ATTRIBUTE, "start_time"), id = slot_of(s, ENTITY_ATTRIBUTE, "run_id");

	row[id] = TEXT("0123");
	for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
		row[metric] = NUMBER(doubles[i]);
		row[param] = i % 2 ? TEXT("größe \"q\"\n") : MISSING;
		row[start] = INTEGER(i % 2 ? INT64_MIN : INT64_MAX);
		assert_int_equal(search_token_read(&f->cx, s, search_token(&f->cx, s, row), &back), OK);
		assert_memory_equal(&back[metric].number, &doubles[i], sizeof(double));
		assert_int_equal(back[param].kind, row[param].kind);
		if (i % 2)
			assert_string_equal(back[param].text, row[param].text);
		assert_true(back[start].is_integer && back[start].integer == row[start].integer);
		assert_int_equal(search_compare(s, row, back), 0);
	}
}

static void
tokens_of_other_queries_and_junk_are_refused(void **state)
{
	static const char *const junk[] = { "", "abc", "!!!!", "e30", "eyJvZmZzZXQiOjF9", "bnVsbA", "W10",
		"eyJxIjoxfQ" };
	struct fixture *f = *state;
	struct search *s = token_query(state, "metrics.b > 1", NULL);
	struct search_value row[8] = { 0 }, *back;
	const char *token = search_token(&f->cx, s, row);
	char *cut = arena_str(f->arena, token);

	assert_int_equal(search_token_read(&f->cx, s, token, &back), OK);
	assert_int_equal(
		search_token_read(&f->cx, token_query(state, "metrics.b > 2", NULL), token, &back), INVALID);
	assert_contains(f->cx.message, "Invalid page token, it belongs to another query");
	assert_int_equal(
		search_token_read(&f->cx, token_query(state, "metrics.b > 1", "1,2"), token, &back), INVALID);
	assert_int_equal(
		search_token_read(&f->cx, ordered(state, SEARCH_MODELS, NULL, NULL), token, &back), INVALID);
	cut[strlen(cut) - 3] = '\0';
	assert_int_equal(search_token_read(&f->cx, s, cut, &back), INVALID);
	for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
		assert_int_equal(search_token_read(&f->cx, s, junk[i], &back), INVALID);
		assert_contains(f->cx.message, "Invalid page token");
	}
	assert_int_equal(search_token_read(&f->cx, s, "!!!!", &back), INVALID);
	assert_contains(f->cx.message, "Invalid page token, could not base64-decode");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			clauses_name_a_column_and_a_direction, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			functions_order_by_other_numbers_of_a_metric, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			a_metric_and_its_aggregates_are_columns_of_their_own, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(wrong_clauses_are_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			nan_comes_after_values_and_nothing_last, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(ties_are_the_targets, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(a_repeated_column_counts_once, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(logged_models_order_by_fields, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			tokens_give_back_the_row_to_the_last_bit, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			tokens_of_other_queries_and_junk_are_refused, fixture_new, fixture_free),
	};

	return cmocka_run_group_tests_name("search order", tests, NULL, NULL);
}
