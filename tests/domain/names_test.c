#include "base/unit.h"

#include "base/str.h"
#include "base/utf8.h"
#include "domain/names.h"

/* n characters of "é" or of one byte. */
static char *
text_of(struct ctx *cx, const char *character, size_t n)
{
	size_t len = strlen(character);
	char *out = arena_alloc(cx->arena, n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * len, character, len);
	return out;
}

static void
holds(struct ctx *cx, const char *part)
{
	if (strstr(cx->message, part) == NULL)
		print_error("%s\n", cx->message);
	assert_non_null(strstr(cx->message, part));
}

static void
keys_are_words_and_a_few_signs(void **state)
{
	static const char *const good[] = { "a", "loss", "a/b/c", "val loss", "a.b-c_d:e", "\xce\xb1",
		"\xe4\xb8\xad/x", "1", "a..b", ".a", "a/.b", "-", " " };
	static const char *const bad[] = { "", "/a", "a/", "a//b", "./a", "a/./b", ".", "..", "../a",
		"a/../b", "..a", "a\n", "a\tb", "a!", "a#b", "a\\b", "a%", "a'b", "\xf0\x9f\x98\x80", "a,b",
		"(a)", "a\x7f", "\xe2\x80\xa8" };
	struct ctx *cx = *state;

	for (size_t i = 0; i < COUNT(good); i++) {
		if (name_key(cx, "key", good[i]) != OK)
			print_error("\"%s\": %s\n", good[i], cx->message);
		assert_true(name_key_good(good[i]));
		assert_int_equal(name_key(cx, "key", good[i]), OK);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (name_key_good(bad[i]))
			print_error("accepted \"%s\"\n", bad[i]);
		assert_false(name_key_good(bad[i]));
		assert_int_equal(name_key(cx, "metrics[3].name", bad[i]), INVALID);
		holds(cx, "'metrics[3].name'");
	}
	assert_int_equal(name_key(cx, "key", NULL), INVALID);
	holds(cx, "Missing value for required parameter 'key'");
}

static void
a_key_has_250_characters_at_most(void **state)
{
	struct ctx *cx = *state;

	assert_int_equal(name_key(cx, "key", text_of(cx, "k", 250)), OK);
	assert_int_equal(name_key(cx, "key", text_of(cx, "\xc3\xa9", 250)), OK);
	assert_int_equal(name_key(cx, "key", text_of(cx, "k", 251)), INVALID);
	holds(cx, "250 characters");
	assert_int_equal(name_key(cx, "key", text_of(cx, "\xc3\xa9", 251)), INVALID);
}

static void
lengths_count_characters(void **state)
{
	struct ctx *cx = *state;

	assert_int_equal(name_length(cx, "x", 3, NULL), OK);
	assert_int_equal(name_length(cx, "x", 3, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"), OK);
	assert_int_equal(name_length(cx, "x", 3, "abcd"), INVALID);
	holds(cx, "'x' exceeds the maximum length of 3 characters");
}

static void
long_values_are_cut_between_characters(void **state)
{
	struct ctx *cx = *state;
	struct key_value params[] = { { "a", text_of(cx, "\xe2\x82\xac", PARAM_VALUE_LENGTH) },
		{ "b", text_of(cx, "\xe2\x82\xac", PARAM_VALUE_LENGTH + 1) }, { "c", NULL }, { "d", "" } };
	struct key_value tags[] = { { "a", text_of(cx, "x", TAG_VALUE_LENGTH) },
		{ "b", text_of(cx, "x", TAG_VALUE_LENGTH + 1) }, { "c", NULL } };

	assert_int_equal(name_params(cx, "params", params, COUNT(params)), OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(utf8_count(params[i].value, strlen(params[i].value)), 6000);
		assert_true(utf8_valid(params[i].value, strlen(params[i].value)));
	}
	assert_string_equal(params[2].value, "");
	assert_string_equal(params[3].value, "");
	assert_int_equal(name_run_tags(cx, "tags", tags, COUNT(tags)), OK);
	assert_int_equal(strlen(tags[0].value), 8000);
	assert_int_equal(strlen(tags[1].value), 8000);
	assert_string_equal(tags[2].value, "");
	tags[1].key = "not/../good";
	assert_int_equal(name_run_tags(cx, "tags", tags, COUNT(tags)), INVALID);
	holds(cx, "'tags[1].key'");
	assert_int_equal(name_run_tags(cx, NULL, tags + 1, 1), INVALID);
	holds(cx, "'key'");
}

static void
experiments_have_names_and_numbers(void **state)
{
	struct ctx *cx = *state;
	int64_t id;

	assert_int_equal(name_experiment(cx, text_of(cx, "e", 500)), OK);
	assert_int_equal(name_experiment(cx, text_of(cx, "e", 501)), INVALID);
	assert_int_equal(name_experiment(cx, ""), INVALID);
	assert_int_equal(name_experiment(cx, NULL), INVALID);
	assert_int_equal(name_experiment_id(cx, "9223372036854775807", &id), OK);
	assert_true(id == INT64_MAX);
	assert_int_equal(name_experiment_id(cx, "9223372036854775808", &id), INVALID);
	assert_int_equal(name_experiment_id(cx, "abc", &id), INVALID);
	holds(cx, "Invalid experiment ID 'abc'");
	assert_int_equal(name_experiment_id(cx, "", &id), INVALID);
	assert_int_equal(name_experiment_id(cx, NULL, &id), INVALID);
	assert_int_equal(name_experiment_id(cx, "1 ", &id), INVALID);
}

static void
run_ids_are_words(void **state)
{
	struct ctx *cx = *state;

	assert_int_equal(name_run_uuid(cx, "run_id", "0123456789abcdef0123456789abcdef"), OK);
	assert_int_equal(name_run_uuid(cx, "run_id", "a-b_c"), OK);
	assert_int_equal(name_run_uuid(cx, "run_id", text_of(cx, "a", 256)), OK);
	assert_int_equal(name_run_uuid(cx, "run_id", text_of(cx, "a", 257)), INVALID);
	assert_int_equal(name_run_uuid(cx, "run_id", ""), INVALID);
	assert_int_equal(name_run_uuid(cx, "run_id", "-a"), INVALID);
	assert_int_equal(name_run_uuid(cx, "run_id", "_a"), INVALID);
	assert_int_equal(name_run_uuid(cx, "run_id", "a/b"), INVALID);
	assert_int_equal(name_run_uuid(cx, "run_id", "a b"), INVALID);
	holds(cx, "\"a b\"");
}

static void
models_have_names_without_slash_and_colon(void **state)
{
	struct ctx *cx = *state;

	assert_int_equal(name_model(cx, "fraud detector v2 \xc3\xa9"), OK);
	assert_int_equal(name_model(cx, text_of(cx, "m", 256)), OK);
	assert_int_equal(name_model(cx, text_of(cx, "m", 257)), INVALID);
	assert_int_equal(name_model(cx, "a/b"), INVALID);
	assert_int_equal(name_model(cx, "a:b"), INVALID);
	assert_int_equal(name_model(cx, ""), INVALID);
	assert_int_equal(name_model(cx, "  "), INVALID);
	assert_int_equal(name_model(cx, NULL), INVALID);
	holds(cx, "Missing value for required parameter 'name'");
}

static void
aliases_are_words_that_are_no_versions(void **state)
{
	static const char *const good[] = { "champion", "a-b_c", "v", "vv1", "v1a", "1", "late", "\xc3\xa9" };
	static const char *const bad[] = { "", "latest", "LaTeSt", "v1", "V22", "a b", "a/b", "a.b", "a\n",
		"@x" };
	struct ctx *cx = *state;

	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(name_alias(cx, good[i]), OK);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(name_alias(cx, bad[i]), INVALID);
	assert_int_equal(name_alias(cx, NULL), INVALID);
	assert_int_equal(name_alias(cx, text_of(cx, "a", 255)), OK);
	assert_int_equal(name_alias(cx, text_of(cx, "a", 256)), INVALID);
}

static void
versions_are_numbers(void **state)
{
	struct ctx *cx = *state;
	int32_t v;

	assert_int_equal(name_version(cx, "2147483647", &v), OK);
	assert_int_equal(v, INT32_MAX);
	assert_int_equal(name_version(cx, "2147483648", &v), OK); /* a number, of no version */
	assert_int_equal(v, 0);
	assert_int_equal(name_version(cx, "-1", &v), OK);
	assert_int_equal(v, 0);
	assert_int_equal(name_version(cx, "latest", &v), INVALID);
	holds(cx, "Parameter 'version' must be an integer, got 'latest'.");
	assert_int_equal(name_version(cx, "1.0", &v), INVALID);
	assert_int_equal(name_version(cx, "", &v), INVALID);
	assert_int_equal(name_version(cx, NULL, &v), INVALID);
}

static void
logged_models_have_names_without_path_signs(void **state)
{
	static const char *const bad[] = { "", "a/b", "a:b", "a.b", "a%b", "a\"b", "a'b" };
	struct ctx *cx = *state;

	assert_int_equal(name_logged_model(cx, "my model-1"), OK);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(name_logged_model(cx, bad[i]), INVALID);
}

static void
a_batch_has_its_limits(void **state)
{
	struct ctx *cx = *state;

	assert_int_equal(name_batch(cx, 1000, 0, 0), OK);
	assert_int_equal(name_batch(cx, 1001, 0, 0), INVALID);
	holds(cx, "at most 1000 metrics. Got 1001");
	assert_int_equal(name_batch(cx, 0, 100, 0), OK);
	assert_int_equal(name_batch(cx, 0, 101, 0), INVALID);
	holds(cx, "at most 100 params");
	assert_int_equal(name_batch(cx, 0, 0, 100), OK);
	assert_int_equal(name_batch(cx, 0, 0, 101), INVALID);
	holds(cx, "at most 100 tags");
	assert_int_equal(name_batch(cx, 800, 100, 100), OK);
	assert_int_equal(name_batch(cx, 801, 100, 100), INVALID);
	holds(cx, "at most 1000 metrics, params, and tags. Got 1001");
}

static void
random_names_are_two_words_and_a_number(void **state)
{
	struct ctx *cx = *state;
	size_t same = 0;

	for (int i = 0; i < 200; i++) {
		const char *name = name_random(cx);

		assert_true(name_key_good(name));
		assert_int_equal(name_logged_model(cx, name), OK);
		assert_non_null(strchr(name, '-'));
		same += str_eq(name, name_random(cx));
	}
	assert_true(same < 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(keys_are_words_and_a_few_signs),
		unit_case(a_key_has_250_characters_at_most),
		unit_case(lengths_count_characters),
		unit_case(long_values_are_cut_between_characters),
		unit_case(experiments_have_names_and_numbers),
		unit_case(run_ids_are_words),
		unit_case(models_have_names_without_slash_and_colon),
		unit_case(aliases_are_words_that_are_no_versions),
		unit_case(versions_are_numbers),
		unit_case(logged_models_have_names_without_path_signs),
		unit_case(a_batch_has_its_limits),
		unit_case(random_names_are_two_words_and_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
