/* Which filters are taken, which are not, and what is said then. */
#include <stdio.h>
#include <stdlib.h>
#include "search_test.h"

struct kind {
	const char *left;
	const char *taken; /* comparators, a space around each */
	const char *value;
};

static const char *const comparators[] = { "=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN",
	"==", "<>", "RLIKE", "NOT LIKE", "~" };

#define SIGNS " = != < <= > >= "
#define WORDS " = != LIKE ILIKE "
#define LISTS " = != LIKE ILIKE IN NOT-IN "
#define IDS   " = != IN NOT-IN "

/* Every comparator on the left side: taken or refused as the table says. */
static void
check_kind(void **state, enum search_target target, const struct kind *k)
{
	for (size_t i = 0; i < sizeof comparators / sizeof *comparators; i++) {
		char filter[200], name[20];
		struct fixture *f = *state;
		struct search *s;
		const char *op = comparators[i];
		bool list = str_ends(op, "IN");
		bool taken;

		snprintf(name, sizeof name, " %s ", str_eq(op, "NOT IN") ? "NOT-IN" : op);
		taken = strstr(k->taken, name) != NULL;
		snprintf(filter, sizeof filter, list ? "%s %s (%s)" : "%s %s %s", k->left, op, k->value);
		if ((search_compile(&f->cx, target, filter, NULL, 0, &s) == OK) != taken)
			fail_msg("%s: %s", filter, taken ? f->cx.message : "accepted");
	}
}

static void
every_comparator_of_runs(void **state)
{
	static const struct kind kinds[] = { { "metric.a", SIGNS, "1" }, { "metrics.a", SIGNS, "-1.5e3" },
		{ "metrics.`a b`", SIGNS, ".5" }, { "param.a", WORDS, "'x'" },
		{ "params.a.b", WORDS, "\"x\"" }, { "parameter.'a'", WORDS, "'x'" },
		{ "parameters.\"a\"", WORDS, "'x'" }, { "tag.a", WORDS, "'x'" },
		{ "tags.`mlflow.user`", WORDS, "'x'" }, { "run_id", LISTS, "'x'" },
		{ "attribute.run_id", LISTS, "'x'" }, { "attributes.run_name", WORDS, "'x'" },
		{ "attr.`run name`", WORDS, "'x'" }, { "run.\"Run name\"", WORDS, "'x'" },
		{ "\"Run Name\"", WORDS, "'x'" }, { "user_id", WORDS, "'x'" }, { "status", WORDS, "'x'" },
		{ "artifact_uri", WORDS, "'x'" }, { "start_time", SIGNS, "1" }, { "end_time", SIGNS, "1.5" },
		{ "created", SIGNS, "1" }, { "Created", SIGNS, "1" }, { "dataset.name", LISTS, "'x'" },
		{ "datasets.digest", LISTS, "'x'" }, { "dataset.context", LISTS, "'x'" },
		{ "`params`.a", WORDS, "'x'" } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		check_kind(state, SEARCH_RUNS, &kinds[i]);
}

static void
every_comparator_of_the_others(void **state)
{
	static const struct kind experiments[] = { { "name", WORDS, "'x'" },
		{ "attribute.name", WORDS, "'x'" }, { "`name`", WORDS, "'x'" },
		{ "experiment_id", IDS, "'1'" }, { "creation_time", SIGNS, "1" },
		{ "last_update_time", SIGNS, "1" }, { "tag.a", WORDS, "'x'" },
		{ "tags.`a b`", WORDS, "'x'" } };
	static const struct kind models[] = { { "name", LISTS, "'x'" }, { "attribute.name", LISTS, "'x'" },
		{ "tags.a", WORDS, "'x'" } };
	static const struct kind versions[] = { { "name", LISTS, "'x'" }, { "run_id", LISTS, "'x'" },
		{ "source_path", WORDS, "'x'" }, { "version_number", SIGNS, "1" },
		{ "version_number", SIGNS, "'1'" }, { "tag.a", WORDS, "'x'" } };
	static const struct kind logged[] = { { "name", LISTS, "'x'" },
		{ "attributes.model_id", LISTS, "'x'" }, { "creation_time", SIGNS, "1" },
		{ "creation_timestamp", SIGNS, "1" }, { "last_updated_timestamp", SIGNS, "1.5" },
		{ "metrics.a", SIGNS, "1" }, { "params.a", LISTS, "'x'" }, { "tags.a", LISTS, "'x'" },
		{ "status", IDS, "'READY'" }, { "experiment_id", IDS, "'1'" } };

	for (size_t i = 0; i < sizeof experiments / sizeof *experiments; i++)
		check_kind(state, SEARCH_EXPERIMENTS, &experiments[i]);
	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		check_kind(state, SEARCH_MODELS, &models[i]);
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		check_kind(state, SEARCH_VERSIONS, &versions[i]);
	for (size_t i = 0; i < sizeof logged / sizeof *logged; i++)
		check_kind(state, SEARCH_LOGGED_MODELS, &logged[i]);
}

/* The sentences that MLflow's clients and tests look for. */
static void
refusals_say_what_mlflow_says(void **state)
{
	static const struct {
		enum search_target target;
		const char *filter;
		const char *sentence;
	} cases[] = {
		{ SEARCH_RUNS, "metric.acc >= 0.94; metrics.rmse < 1",
			"Search filter contained multiple expression" },
		{ SEARCH_RUNS, "m.acc >= 0.94", "Invalid entity type 'm'" },
		{ SEARCH_RUNS, "acc >= 0.94", "Invalid attribute key 'acc' specified" },
		{ SEARCH_RUNS, "attribute.start != 1", "Invalid attribute key 'start' specified" },
		{ SEARCH_RUNS, "dataset.tags = 'x'", "Invalid dataset key 'tags' specified" },
		{ SEARCH_RUNS, "metrics.A > 0.1 NAND params.B = 'LR'",
			"Invalid clause(s) in filter string: 'NAND'" },
		{ SEARCH_RUNS, "`metrics.A > 0.1", "Invalid clause(s) in filter string" },
		{ SEARCH_RUNS, "param`.A > 0.1", "Invalid clause(s) in filter string" },
		{ SEARCH_RUNS, "metrics.a > 'x'", "Expected numeric value type for metric. Found 'x'" },
		{ SEARCH_RUNS, "start_time > 'x'",
			"Expected numeric value type for numeric attribute: start_time" },
		{ SEARCH_RUNS, "params.a = 1",
			"Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1" },
		{ SEARCH_RUNS, "params.a = x",
			"Parameter value is either not quoted or unidentified quote types" },
		{ SEARCH_RUNS, "params.a > 'x'",
			"Invalid comparator '>' not one of '=', '!=', 'LIKE', 'ILIKE'" },
		{ SEARCH_RUNS, "run_id IN ()",
			"While parsing a list in the query, expected a non-empty list of string values" },
		{ SEARCH_RUNS, "run_id IN (1)", "While parsing a list in the query" },
		{ SEARCH_RUNS, "status IN ('a')",
			"does not support comparison with a list of quoted string values" },
		{ SEARCH_RUNS, "1 = metrics.a",
			"Invalid comparison clause. Expected 'Identifier' found '1'" },
		{ SEARCH_EXPERIMENTS, "attributes.name = 'x'", "Invalid entity type 'attributes'" },
		{ SEARCH_EXPERIMENTS, "name like 'x'", "Invalid comparator 'like'" },
		{ SEARCH_EXPERIMENTS, "experiment_id = 'x'",
			"Invalid value for attribute 'experiment_id': 'x'" },
		{ SEARCH_EXPERIMENTS, "creation_time > 1.5",
			"Invalid value for numeric attribute 'creation_time'" },
		{ SEARCH_MODELS, "`name` = 'x'", "Invalid attribute key '`name`' specified" },
		{ SEARCH_VERSIONS, "version_number = '1.5'",
			"Invalid value for numeric attribute 'version_number'" },
		{ SEARCH_LOGGED_MODELS, "param.a = 'x'", "Invalid entity type 'param'" },
		{ SEARCH_LOGGED_MODELS, "metrics.a > nan", "Expected numeric value type for metric" },
		{ SEARCH_RUNS, "   ", "Could not be parsed" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_contains(refused(state, cases[i].target, cases[i].filter), cases[i].sentence);
}

static void
refusals_point_at_the_position(void **state)
{
	assert_contains(refused(state, SEARCH_RUNS, "metrics.a > 1 AND foo = 2"), "(position 19)");
	assert_contains(refused(state, SEARCH_RUNS, "tags.größe = 'ü' AND x = 2"), "(position 22)");
	assert_contains(refused(state, SEARCH_RUNS, "metrics.a >"),
		"it ends where a value was expected (position 12)");
	assert_contains(
		refused(state, SEARCH_RUNS, "(metrics.a > 1"), "it ends where AND, OR or ')' was expected");
	assert_contains(refused(state, SEARCH_RUNS, "metrics.a > 1)"),
		"')': AND, OR or the end was expected (position 14)");
	assert_contains(refused(state, SEARCH_RUNS, "params.a = 'x"),
		"''' opens a quotation that does not end (position 12)");
	assert_contains(
		refused(state, SEARCH_RUNS, "params. = 'x'"), "a key is expected right after the dot");
	assert_contains(refused(state, SEARCH_RUNS, "tags.b = 'ü' AND median(metrics.a) > 1"),
		"there is no function 'median' here. There are number(params.x), and of metrics min, max, "
		"first, last, mean and count, as in min(metrics.x) (position 18)");
	assert_contains(refused(state, SEARCH_RUNS, "min(params.a) > 1"),
		"min(…) takes a metric such as metrics.loss (position 5)");
	assert_contains(refused(state, SEARCH_RUNS, "max(start_time) > 1"), "(position 5)");
	assert_contains(
		refused(state, SEARCH_RUNS, "number(metrics.a) > 1"), "number(…) takes a param or a tag");
	assert_contains(refused(state, SEARCH_RUNS, "min() > 1"),
		"a metric such as metrics.loss was expected (position 5)");
	assert_contains(refused(state, SEARCH_RUNS, "min(metrics.a > 1"), "')' was expected (position 15)");
	assert_contains(refused(state, SEARCH_RUNS, "min(metrics.a) = 'x'"),
		"Expected numeric value type for metric");
	assert_contains(refused(state, SEARCH_RUNS, "min(metrics.a) LIKE 'x'"), "Invalid comparator 'LIKE'");
	assert_contains(refused(state, SEARCH_EXPERIMENTS, "min(name) = 'x'"),
		"there is no function 'min' here. There are number(params.x)");
	assert_contains(
		refused(state, SEARCH_LOGGED_MODELS, "min(metrics.a) > 1"), "there is no function 'min'");
	assert_contains(refused(state, SEARCH_RUNS, "params.a NOT LIKE 'x'"),
		"write NOT before the whole comparison");
	assert_contains(
		refused(state, SEARCH_RUNS, "metrics.a > 1 OR"), "it ends where a comparison was expected");
	assert_contains(refused(state, SEARCH_RUNS, "metrics.a IS 5"),
		"NULL or NOT NULL after IS was expected (position 14)");
}

/* All of it MLflow's, most of it by accident of its parser. */
static void
what_mlflow_tolerates_is_tolerated(void **state)
{
	static const char *const filters[] = { "AND", "metrics.a = 1 AND", "AND metrics.a = 1",
		"metrics.a = 1 AND AND metrics.b = 2", "metrics.a = 1 metrics.b = 2", "metrics.a>-1",
		"metrics.a > 1e5AND metrics.b < 2", "run_id IN(\"a\")", "run_id in ('a' 'b',)",
		"\nmetrics.a\t>\r\n1", "metrics.a > 1\u00a0AND metrics.b > 2", "params.key = 'C:\\'",
		"params.a = 'it''s'", "params.order = 'x'", "start_time > 99999999999999999999",
		"metrics.a < 1e400", "tags.a IS NULL tags.b = 'x'" };

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		(void)compiled(state, SEARCH_RUNS, filters[i]);
}

static void
logged_models_take_bare_values(void **state)
{
	static const char *const filters[] = { "params.lr = 0.01", "params.name = abc", "metrics.a < inf",
		"name = '''x'''", "name like 'x'", "status = 'READY'", "status = 2",
		"experiment_id IN ('1', '2')" };

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		(void)compiled(state, SEARCH_LOGGED_MODELS, filters[i]);
}

static char *
repeated(const char *head, const char *part, size_t n, const char *tail)
{
	size_t size = strlen(head) + n * strlen(part) + strlen(tail) + 1;
	char *text = malloc(size);
	char *at = text + snprintf(text, size, "%s", head);

	for (size_t i = 0; i < n; i++, at += strlen(part))
		memcpy(at, part, strlen(part));
	memcpy(at, tail, strlen(tail) + 1);
	return text;
}

static void
size_and_depth_are_bounded(void **state)
{
	char *many = repeated("metrics.a > 1", " AND metrics.a > 1", 999, "");
	char *too_many = repeated("metrics.a > 1", " OR metrics.a > 1", 9999, "");
	char *deep = repeated("", "(", 500, "metrics.a > 1");
	char *nots = repeated("", "NOT ", 100000, "metrics.a > 1");
	char *list = repeated("run_id IN ('a'", ",'b'", 10000, ")");
	char *word = repeated("metrics.", "x", 100000, " = 'x'");
	char *fair = repeated("", "NOT (", 32, "metrics.a > 1))))))))))))))))))))))))))))))))");

	(void)compiled(state, SEARCH_RUNS, many);
	(void)compiled(state, SEARCH_RUNS, fair);
	assert_contains(refused(state, SEARCH_RUNS, too_many), "more than 1000 comparisons");
	assert_contains(refused(state, SEARCH_RUNS, deep), "nested deeper than 64");
	assert_contains(refused(state, SEARCH_RUNS, nots), "nested deeper than 64");
	assert_contains(refused(state, SEARCH_RUNS, list), "more than 10000 texts");
	(void)refused(state, SEARCH_RUNS, word);
	free(many);
	free(too_many);
	free(deep);
	free(nots);
	free(list);
	free(word);
	free(fair);
}

static void
invalid_utf8_is_refused(void **state)
{
	assert_contains(refused(state, SEARCH_RUNS, "params.a = '\xff'"), "no valid UTF-8");
}

static void
twins_share_a_column(void **state)
{
	struct search *s = compiled(
		state, SEARCH_RUNS, "metrics.a > 1 AND metric.`a` < 5 OR created > 1 AND start_time < 9");
	size_t n;

	(void)search_columns(s, &n);
	assert_int_equal(n, 3); /* metric a, start_time, run_id of the ties */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_comparator_of_runs, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(every_comparator_of_the_others, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(refusals_say_what_mlflow_says, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(refusals_point_at_the_position, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(
			what_mlflow_tolerates_is_tolerated, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(logged_models_take_bare_values, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(size_and_depth_are_bounded, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(invalid_utf8_is_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(twins_share_a_column, fixture_new, fixture_free),
	};

	return cmocka_run_group_tests_name("search filter", tests, NULL, NULL);
}
