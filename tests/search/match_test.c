/* What a filter means for a row. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include "search_test.h"

/* One column's filter on one value. */
static bool
holds(void **state, enum search_target target, const char *filter, struct search_value v)
{
	struct search *s = compiled(state, target, filter);
	struct search_value row[8] = { v };

	return search_matches(s, row);
}

#define YES(filter, v) assert_true(holds(state, SEARCH_RUNS, filter, v))
#define NO(filter, v)  assert_false(holds(state, SEARCH_RUNS, filter, v))

static void
metrics_compare_as_numbers(void **state)
{
	YES("metrics.a > 0.5", NUMBER(0.75));
	NO("metrics.a > 0.75", NUMBER(0.75));
	YES("metrics.a >= 0.75", NUMBER(0.75));
	YES("metrics.a = 0", NUMBER(-0.0));
	YES("metrics.a != 1", NUMBER(2));
	NO("metrics.a < -1e3", NUMBER(-1000));
	YES("metrics.a <= -1e3", NUMBER(-1000));
}

static void
nan_differs_from_everything_and_infinities_are_the_largest_doubles(void **state)
{
	YES("metrics.a != 0", NUMBER(NAN));
	NO("metrics.a = 0", NUMBER(NAN));
	NO("metrics.a > -1", NUMBER(NAN));
	NO("metrics.a < 1", NUMBER(NAN));
	YES("metrics.a = 1.7976931348623157e308", NUMBER(INFINITY));
	YES("metrics.a < 1e400", NUMBER(INFINITY));
	YES("metrics.a <= -1.7976931348623157e308", NUMBER(-INFINITY));
	assert_true(holds(state, SEARCH_LOGGED_MODELS, "metrics.a = 0", NUMBER(NAN)));
	assert_false(holds(state, SEARCH_LOGGED_MODELS, "metrics.a != 0", NUMBER(NAN)));
}

static void
integers_compare_exactly(void **state)
{
	YES("start_time = 9007199254740993", INTEGER(9007199254740993));
	NO("start_time = 9007199254740992", INTEGER(9007199254740993));
	YES("start_time > 9007199254740992.0", INTEGER(9007199254740993));
	YES("start_time < 1.5", INTEGER(1));
	YES("start_time > 1.5", INTEGER(2));
	NO("start_time = 1.5", INTEGER(1));
	YES("start_time > -1.5", INTEGER(-1));
	YES("start_time < 99999999999999999999", INTEGER(INT64_MAX));
	YES("start_time > -99999999999999999999", INTEGER(INT64_MIN));
	YES("start_time = -1", INTEGER(-1));
}

static void
missing_values_match_nothing_but_is_null(void **state)
{
	NO("params.a != 'x'", MISSING);
	NO("metrics.a != 1", MISSING);
	NO("run_id NOT IN ('x')", MISSING);
	YES("params.a IS NULL", MISSING);
	YES("metrics.a IS NULL", MISSING);
	YES("end_time is null", MISSING);
	NO("params.a IS NOT NULL", MISSING);
	YES("params.a IS NOT NULL", TEXT(""));
	NO("metrics.a IS NULL", NUMBER(NAN));
	YES("NOT params.a = 'x'", MISSING);
}

static void
like_knows_case_and_ilike_does_not(void **state)
{
	YES("params.a LIKE 'Res%'", TEXT("ResNet"));
	NO("params.a LIKE 'res%'", TEXT("ResNet"));
	YES("params.a ILIKE 'res%'", TEXT("ResNet"));
	YES("params.a ilike '%STRASSE'", TEXT("Hauptstrasse"));
	YES("params.a ILIKE 'ÉCOLE %'", TEXT("école normale"));
	YES("params.a ILIKE 'привет'", TEXT("ПРИВЕТ"));
	NO("params.a LIKE 'ПРИВЕТ'", TEXT("привет"));
}

static void
wildcards(void **state)
{
	YES("params.a LIKE '%'", TEXT(""));
	YES("params.a LIKE ''", TEXT(""));
	NO("params.a LIKE ''", TEXT("a"));
	YES("params.a LIKE 'a%b%c'", TEXT("a1b2c"));
	YES("params.a LIKE '%b%'", TEXT("abc"));
	NO("params.a LIKE 'ab%ba'", TEXT("aba"));
	YES("params.a LIKE 'ab%ba'", TEXT("abba"));
	YES("params.a LIKE '%ab%ab'", TEXT("ababab"));
	YES("params.a LIKE 'gr__e'", TEXT("größe"));
	NO("params.a LIKE 'gr_e'", TEXT("größe"));
	YES("params.a LIKE '%_x'", TEXT("aax"));
	NO("params.a LIKE '_%_'", TEXT("a"));
	YES("params.a LIKE 'a%'", TEXT("a\nb"));
	YES("params.a LIKE '50\\%'", TEXT("50%"));
	NO("params.a LIKE '50\\%'", TEXT("500"));
	YES("params.a LIKE 'a\\_b%'", TEXT("a_bc"));
	NO("params.a LIKE 'a\\_b'", TEXT("axb"));
	YES("params.a LIKE 'a\\\\b'", TEXT("a\\b"));
	YES("params.a ILIKE '%A%_%C'", TEXT("xxaxbc"));
}

static void
lists_and_quotes(void **state)
{
	YES("run_id IN ('b', \"a\", 'c')", TEXT("a"));
	NO("run_id IN ('b', 'c')", TEXT("a"));
	YES("run_id NOT IN ('b', 'c')", TEXT("a"));
	NO("run_id not in ('a')", TEXT("a"));
	YES("run_id IN ('it\\'s', '\\x41\\u00e9')", TEXT("it's"));
	YES("run_id IN ('it\\'s', '\\x41\\u00e9')", TEXT("Aé"));
	YES("run_id IN ('a' 'b')", TEXT("ab"));
	YES("params.a = 'it''s'", TEXT("it''s"));
	YES("params.a = \"it's\"", TEXT("it's"));
	YES("params.a = 'C:\\'", TEXT("C:\\"));
	assert_true(holds(state, SEARCH_EXPERIMENTS, "experiment_id IN ('7', '3')", INTEGER(3)));
	assert_true(holds(state, SEARCH_EXPERIMENTS, "experiment_id NOT IN ('7', '3')", INTEGER(4)));
	assert_true(holds(state, SEARCH_LOGGED_MODELS, "status = 'READY'", INTEGER(2)));
	assert_true(holds(state, SEARCH_LOGGED_MODELS, "status = '2'", INTEGER(2)));
	assert_true(holds(state, SEARCH_LOGGED_MODELS, "status NOT IN ('READY', 'FAILED')", INTEGER(1)));
	assert_true(holds(state, SEARCH_VERSIONS, "version_number = '17'", INTEGER(17)));
}

static void
one_of_several_is_enough(void **state)
{
	static const char *const names[] = { "train", "test" };
	static const double losses[] = { 0.5, 0.25 };
	struct search_value texts = { .kind = VALUE_TEXTS, .texts = names, .text_count = 2 };
	struct search_value numbers = { .kind = VALUE_NUMBERS, .numbers = losses, .number_count = 2 };
	struct search_value none = { .kind = VALUE_TEXTS };

	YES("dataset.name = 'test'", texts);
	YES("dataset.name != 'test'", texts);
	YES("dataset.name LIKE 'tr%'", texts);
	YES("dataset.name NOT IN ('test')", texts);
	NO("dataset.name NOT IN ('test', 'train')", texts);
	NO("dataset.name != 'test'", none);
	YES("dataset.name IS NULL", none);
	assert_true(holds(state, SEARCH_LOGGED_MODELS, "metrics.a < 0.3", numbers));
	assert_true(holds(state, SEARCH_LOGGED_MODELS, "metrics.a > 0.3", numbers));
	assert_false(holds(state, SEARCH_LOGGED_MODELS, "metrics.a > 0.5", numbers));
}

static void
params_as_numbers_when_asked_for(void **state)
{
	YES("number(params.lr) > 0.01", TEXT("0.1"));
	NO("params.lr = '0.10'", TEXT("0.1"));
	YES("number(params.lr) = 0.10", TEXT("0.1"));
	NO("number(params.lr) != 1", TEXT("auto"));
	NO("number(params.lr) < 1", MISSING);
}

/* a, b and c in every combination against a truth table written in C. */
static void
functions_compare_other_numbers_of_a_metric(void **state)
{
	YES("min(metrics.loss) < 0.1", NUMBER(0.05));
	NO("min(metrics.loss) < 0.1", MISSING);
	YES("Max(metric.`a b`) >= 7", NUMBER(7));
	YES("first(metrics.\"a.b\") != 1", NUMBER(NAN));
	NO("mean( metrics.x ) > 1", NUMBER(NAN));
	YES("count(metrics.x) = 1000", NUMBER(1000));
	YES("LAST(metrics.x) <= -1.5", NUMBER(-1.5));
	YES("min(metrics.x) IS NULL", MISSING);
	NO("min(metrics.x) IS NULL", NUMBER(NAN));
	YES("count(metrics.x) IS NOT NULL", NUMBER(1));
}

static void
and_binds_closer_than_or_and_not_closest(void **state)
{
	struct search *s[] = { compiled(state, SEARCH_RUNS,
				       "metrics.a = 1 OR metrics.b = 1 AND metrics.c = 1"),
		compiled(state, SEARCH_RUNS, "(metrics.a = 1 or metrics.b = 1) and metrics.c = 1"),
		compiled(state, SEARCH_RUNS, "NOT metrics.a = 1 AND metrics.b = 1 OR metrics.c = 1"),
		compiled(state, SEARCH_RUNS, "NOT (metrics.a = 1 OR NOT metrics.b = 1 OR metrics.c = 1)") };

	for (int i = 0; i < 8; i++) {
		bool a = i & 1, b = i & 2, c = i & 4;
		struct search_value row[8] = { NUMBER(a), NUMBER(b), NUMBER(c) };
		bool expected[] = { a || (b && c), (a || b) && c, (!a && b) || c, !(a || !b || c) };

		for (int k = 0; k < 4; k++)
			assert_int_equal(search_matches(s[k], row), expected[k]);
	}
}

static bool
model_matches(void **state, const char *filter, struct search_value prompt)
{
	struct search *s = compiled(state, SEARCH_MODELS, filter);
	struct search_value row[8] = { MISSING };
	int slot = slot_of(s, ENTITY_TAG, "mlflow.prompt.is_prompt");

	row[slot] = prompt;
	return search_matches(s, row);
}

static void
prompts_hide_unless_asked_for(void **state)
{
	assert_true(model_matches(state, "", MISSING));
	assert_false(model_matches(state, "", TEXT("true")));
	assert_true(model_matches(state, "tag.`mlflow.prompt.is_prompt` != 'true'", MISSING));
	assert_false(model_matches(state, "tag.`mlflow.prompt.is_prompt` != 'true'", TEXT("true")));
	assert_true(model_matches(state, "tags.`mlflow.prompt.is_prompt` = 'false'", MISSING));
	assert_true(model_matches(state, "tags.`mlflow.prompt.is_prompt` = 'true'", TEXT("true")));
	assert_false(model_matches(state, "tags.`mlflow.prompt.is_prompt` = 'true'", MISSING));
}

static void
what_a_query_may_be_narrowed_by(void **state)
{
	assert_string_equal(
		search_equals(compiled(state, SEARCH_VERSIONS, "version_number > 1 AND name = 'm'"), "name"),
		"m");
	assert_string_equal(search_equals(compiled(state, SEARCH_VERSIONS, "name = 'm'"), "name"), "m");
	assert_null(search_equals(compiled(state, SEARCH_VERSIONS, "name = 'm' OR name = 'n'"), "name"));
	assert_null(search_equals(compiled(state, SEARCH_VERSIONS, "NOT name = 'm'"), "name"));
	assert_null(search_equals(compiled(state, SEARCH_VERSIONS, "name LIKE 'm'"), "name"));
	assert_null(search_equals(compiled(state, SEARCH_VERSIONS, ""), "name"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(metrics_compare_as_numbers, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			nan_differs_from_everything_and_infinities_are_the_largest_doubles, fixture_new,
			fixture_free),
		cmocka_unit_test_setup_teardown(integers_compare_exactly, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			missing_values_match_nothing_but_is_null, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			like_knows_case_and_ilike_does_not, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(wildcards, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(lists_and_quotes, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(one_of_several_is_enough, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(params_as_numbers_when_asked_for, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			functions_compare_other_numbers_of_a_metric, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			and_binds_closer_than_or_and_not_closest, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(prompts_hide_unless_asked_for, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(what_a_query_may_be_narrowed_by, fixture_new, fixture_free),
	};

	return cmocka_run_group_tests_name("search match", tests, NULL, NULL);
}
