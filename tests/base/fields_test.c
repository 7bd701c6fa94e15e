#include "base/unit.h"

#include <math.h>
#include "base/fields.h"

struct inner {
	const char *name;
	int64_t size;
	bool has_size;
	struct key_value *tags;
	size_t tag_count;
};

struct outer {
	const char *experiment_id, *run_name, *maybe;
	int64_t start_time, max_results;
	double value;
	bool archive, has_start_time, has_value, has_archive;
	const char **order_by;
	size_t order_by_count;
	struct key_value *tags;
	size_t tag_count;
	struct inner *inners;
	size_t inner_count;
	struct inner *dataset;
	const struct json *raw;
};

static const struct field inner_fields[] = {
	FIELD_TEXT(struct inner, name, REQUIRED),
	FIELD_INT_HAS(struct inner, size, 0),
	FIELD_LIST(struct inner, tags, tag_count, 0, key_value_fields, struct key_value),
	FIELD_END,
};

static const struct field outer_fields[] = {
	FIELD_TEXT(struct outer, experiment_id, REQUIRED),
	FIELD_TEXT(struct outer, run_name, 0),
	FIELD_TEXT(struct outer, maybe, 0),
	FIELD_INT_HAS(struct outer, start_time, 0),
	FIELD_INT(struct outer, max_results, 0),
	FIELD_DOUBLE_HAS(struct outer, value, 0),
	FIELD_BOOL_HAS(struct outer, archive, 0),
	FIELD_TEXTS(struct outer, order_by, order_by_count, 0),
	FIELD_LIST(struct outer, tags, tag_count, 0, key_value_fields, struct key_value),
	FIELD_LIST(struct outer, inners, inner_count, 0, inner_fields, struct inner),
	FIELD_OBJECT(struct outer, dataset, 0, inner_fields, struct inner),
	FIELD_JSON(struct outer, raw, 0),
	FIELD_END,
};

static enum status
read_json(struct ctx *cx, const char *text, struct outer *out)
{
	const struct json *v = NULL;

	*out = (struct outer){ 0 };
	assert_int_equal(json_parse(cx, text, strlen(text), &v), OK);
	return fields_from_json(cx, v, outer_fields, out);
}

static struct outer
good(struct ctx *cx, const char *text)
{
	struct outer out;
	enum status st = read_json(cx, text, &out);

	if (st != OK)
		print_error("%s: %s\n", text, cx->message);
	assert_int_equal(st, OK);
	return out;
}

/* The sentence must hold `part`. */
static void
bad(struct ctx *cx, const char *text, const char *part)
{
	struct outer out;

	assert_int_equal(read_json(cx, text, &out), INVALID);
	if (strstr(cx->message, part) == NULL)
		print_error("%s: %s\n", text, cx->message);
	assert_non_null(strstr(cx->message, part));
}

#define ID "\"experiment_id\":\"7\""

static void
every_type_is_read(void **state)
{
	struct outer o = good(*state,
		"{" ID
		",\"run_name\":\"n\",\"start_time\":5,\"max_results\":-3,\"value\":0.5,\"archive\":true,"
		"\"order_by\":[\"a\",\"b\"],\"tags\":[{\"key\":\"k\",\"value\":\"v\"},{\"key\":\"l\"}],"
		"\"inners\":[{\"name\":\"x\",\"size\":9,\"tags\":[{\"key\":\"in\"}]}],\"dataset\":{\"name\":"
		"\"d\"},\"raw\":[1]}");

	assert_string_equal(o.experiment_id, "7");
	assert_string_equal(o.run_name, "n");
	assert_null(o.maybe);
	assert_true(o.has_start_time && o.start_time == 5);
	assert_true(o.max_results == -3);
	assert_true(o.has_value && o.value == 0.5);
	assert_true(o.has_archive && o.archive);
	assert_int_equal(o.order_by_count, 2);
	assert_string_equal(o.order_by[1], "b");
	assert_int_equal(o.tag_count, 2);
	assert_string_equal(o.tags[0].value, "v");
	assert_null(o.tags[1].value);
	assert_int_equal(o.inner_count, 1);
	assert_true(o.inners[0].has_size && o.inners[0].size == 9);
	assert_string_equal(o.inners[0].tags[0].key, "in");
	assert_string_equal(o.dataset->name, "d");
	assert_int_equal(json_length(o.raw), 1);
}

static void
what_is_absent_or_null_leaves_no_trace(void **state)
{
	struct outer o =
		good(*state, "{" ID ",\"start_time\":null,\"value\":null,\"run_name\":null,\"tags\":null,"
			     "\"dataset\":null,\"archive\":null,\"order_by\":null,\"unknown\":{\"x\":[1]}}");

	assert_false(o.has_start_time || o.has_value || o.has_archive);
	assert_null(o.run_name);
	assert_null(o.tags);
	assert_null(o.dataset);
	assert_int_equal(o.order_by_count, 0);
}

static void
camel_case_names_are_read_too(void **state)
{
	struct outer o = good(
		*state, "{\"experimentId\":\"7\",\"startTime\":1,\"orderBy\":[\"x\"],\"runName\":\"n\"}");

	assert_string_equal(o.experiment_id, "7");
	assert_true(o.has_start_time);
	assert_int_equal(o.order_by_count, 1);
	assert_string_equal(o.run_name, "n");
	bad(*state, "{" ID ",\"experimentId\":\"7\"}", "twice");
}

static void
integers_come_as_numbers_or_text(void **state)
{
	assert_true(good(*state, "{" ID ",\"start_time\":\"1700000000000\"}").start_time == 1700000000000);
	assert_true(good(*state, "{" ID ",\"start_time\":\"-9223372036854775808\"}").start_time == INT64_MIN);
	assert_true(good(*state, "{" ID ",\"start_time\":9223372036854775807}").start_time == INT64_MAX);
	assert_true(good(*state, "{" ID ",\"start_time\":5.0}").start_time == 5);
	assert_true(good(*state, "{" ID ",\"start_time\":1e3}").start_time == 1000);
	bad(*state, "{" ID ",\"start_time\":5.5}", "Invalid value 5.5 for parameter 'start_time' supplied");
	bad(*state, "{" ID ",\"start_time\":1e300}", "64 bits");
	bad(*state, "{" ID ",\"start_time\":\"x\"}",
		"Invalid value \"x\" for parameter 'start_time' supplied");
	bad(*state, "{" ID ",\"start_time\":\"\"}", "'start_time'");
	bad(*state, "{" ID ",\"start_time\":\"9223372036854775808\"}", "'start_time'");
	bad(*state, "{" ID ",\"start_time\":true}", "Invalid value true for parameter 'start_time' supplied");
	bad(*state, "{" ID ",\"start_time\":[1]}", "Invalid value [1] for parameter 'start_time' supplied");
}

static void
doubles_come_with_nan_and_infinities(void **state)
{
	assert_true(isnan(good(*state, "{" ID ",\"value\":\"NaN\"}").value));
	assert_true(good(*state, "{" ID ",\"value\":\"-Infinity\"}").value == -(double)INFINITY);
	assert_true(good(*state, "{" ID ",\"value\":\"1.5\"}").value == 1.5);
	assert_true(good(*state, "{" ID ",\"value\":3}").value == 3);
	bad(*state, "{" ID ",\"value\":\"one\"}", "expected a number");
	bad(*state, "{" ID ",\"value\":false}", "expected a number");
}

static void
booleans_are_true_or_false_alone(void **state)
{
	assert_false(good(*state, "{" ID ",\"archive\":false}").archive);
	bad(*state, "{" ID ",\"archive\":1}", "expected true or false");
	bad(*state, "{" ID ",\"archive\":\"maybe\"}", "expected true or false");
}

static void
a_required_text_is_there_and_not_empty(void **state)
{
	bad(*state, "{}", "Missing value for required parameter 'experiment_id'.");
	bad(*state, "{\"experiment_id\":null}", "Missing value for required parameter 'experiment_id'.");
	bad(*state, "{\"experiment_id\":\"\"}", "Missing value for required parameter 'experiment_id'.");
	bad(*state, "{\"experiment_id\":7}", "Invalid value 7 for parameter 'experiment_id' supplied");
	assert_string_equal(good(*state, "{" ID ",\"run_name\":\"\"}").run_name, "");
}

static void
messages_name_the_place_in_the_request(void **state)
{
	bad(*state, "{" ID ",\"tags\":[{\"key\":\"a\"},{\"value\":\"b\"}]}",
		"Missing value for required parameter 'tags[1].key'.");
	bad(*state, "{" ID ",\"tags\":[{\"key\":\"a\",\"value\":5}]}",
		"Invalid value 5 for parameter 'tags[0].value' supplied");
	bad(*state,
		"{" ID
		",\"inners\":[{\"name\":\"x\"},{\"name\":\"y\",\"tags\":[{\"key\":\"a\"},{\"key\":1}]}]}",
		"'inners[1].tags[1].key'");
	bad(*state, "{" ID ",\"dataset\":{\"size\":1}}", "'dataset.name'");
	bad(*state, "{" ID ",\"dataset\":[]}", "expected an object");
	bad(*state, "{" ID ",\"tags\":{}}", "expected an array of objects");
	bad(*state, "{" ID ",\"tags\":[1]}", "Invalid value [1] for parameter 'tags' supplied");
	bad(*state, "{" ID ",\"order_by\":\"a\"}", "expected an array of strings");
	bad(*state, "{" ID ",\"order_by\":[\"a\",1]}", "expected an array of strings");
}

static void
a_body_that_is_no_object_is_refused(void **state)
{
	struct outer o;

	assert_int_equal(read_json(*state, "[]", &o), BAD_REQUEST);
	assert_int_equal(read_json(*state, "5", &o), BAD_REQUEST);
	assert_int_equal(read_json(*state, "null", &o), BAD_REQUEST);
}

static void
a_value_of_any_size_fits_its_message(void **state)
{
	struct ctx *cx = *state;
	char *text = arena_alloc(cx->arena, 100100);
	struct outer o;
	size_t n = (size_t)snprintf(text, 100, "{" ID ",\"start_time\":\"");

	memset(text + n, 'x', 100000);
	memcpy(text + n + 100000, "\"}", 3);
	assert_int_equal(read_json(cx, text, &o), INVALID);
	assert_non_null(strstr(cx->message, "'start_time'"));
}

static enum status
read_pairs(struct ctx *cx, const struct pair *pairs, size_t n, struct outer *out)
{
	*out = (struct outer){ 0 };
	return fields_from_pairs(cx, pairs, n, outer_fields, out);
}

static void
a_query_is_read_by_the_same_table(void **state)
{
	static const struct pair pairs[] = { { "experimentId", "7" }, { "start_time", "5" },
		{ "value", "nan" }, { "archive", "TRUE" }, { "order_by", "a" }, { "other", "x" },
		{ "order_by", "b" }, { "tags", "ignored" }, { "run_name", "" }, { "start_time", "6" } };
	struct outer o;

	assert_int_equal(read_pairs(*state, pairs, COUNT(pairs), &o), OK);
	assert_string_equal(o.experiment_id, "7");
	assert_true(o.has_start_time && o.start_time == 5);
	assert_true(isnan(o.value));
	assert_true(o.archive);
	assert_int_equal(o.order_by_count, 2);
	assert_string_equal(o.order_by[0], "a");
	assert_string_equal(o.order_by[1], "b");
	assert_string_equal(o.run_name, "");
	assert_null(o.tags);
}

static void
a_wrong_query_says_so(void **state)
{
	struct ctx *cx = *state;
	struct outer o;

	assert_int_equal(read_pairs(cx, NULL, 0, &o), INVALID);
	assert_non_null(strstr(cx->message, "Missing value for required parameter 'experiment_id'."));
	assert_int_equal(read_pairs(cx, &(struct pair){ "experiment_id", "" }, 1, &o), INVALID);
	assert_int_equal(
		read_pairs(cx, (struct pair[]){ { "experiment_id", "7" }, { "start_time", "1.5" } }, 2, &o),
		INVALID);
	assert_non_null(strstr(cx->message, "Invalid value \"1.5\" for parameter 'start_time' supplied"));
	assert_int_equal(
		read_pairs(cx, (struct pair[]){ { "experiment_id", "7" }, { "archive", "yes" } }, 2, &o),
		INVALID);
	assert_int_equal(
		read_pairs(cx, (struct pair[]){ { "experiment_id", "7" }, { "value", "" } }, 2, &o), INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(every_type_is_read),
		unit_case(what_is_absent_or_null_leaves_no_trace),
		unit_case(camel_case_names_are_read_too),
		unit_case(integers_come_as_numbers_or_text),
		unit_case(doubles_come_with_nan_and_infinities),
		unit_case(booleans_are_true_or_false_alone),
		unit_case(a_required_text_is_there_and_not_empty),
		unit_case(messages_name_the_place_in_the_request),
		unit_case(a_body_that_is_no_object_is_refused),
		unit_case(a_value_of_any_size_fits_its_message),
		unit_case(a_query_is_read_by_the_same_table),
		unit_case(a_wrong_query_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
