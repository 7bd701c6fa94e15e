#include "base/unit.h"

#include "base/str.h"
#include "domain/artifact.h"

static void
becomes(struct ctx *cx, const char *text, const char *want)
{
	const char *out = NULL;

	if (artifact_path(cx, text, true, &out) != OK)
		print_error("\"%s\": %s\n", text, cx->message);
	assert_non_null(out);
	assert_string_equal(out, want);
}

static void
no_path(struct ctx *cx, const char *text)
{
	const char *out = NULL;

	if (artifact_path(cx, text, true, &out) != INVALID)
		print_error("accepted \"%s\"\n", text);
	assert_null(out);
	assert_true(str_starts(cx->message, "Invalid path"));
}

static void
a_path_gets_its_normal_form(void **state)
{
	struct ctx *cx = *state;

	becomes(cx, "a/b", "a/b");
	becomes(cx, "a//b", "a/b");
	becomes(cx, "a//./b", "a/b");
	becomes(cx, "./a/./b/.", "a/b");
	becomes(cx, "a/b/", "a/b");
	becomes(cx, "a////", "a");
	becomes(cx, ".", "");
	becomes(cx, "", "");
	becomes(cx, "./.", "");
	becomes(cx, ".a/b.", ".a/b.");
	becomes(cx, "...", "...");
	becomes(cx, "a..b/..c/d..", "a..b/..c/d..");
	becomes(cx, "with space/\xc3\xa9\xf0\x9f\x98\x80", "with space/\xc3\xa9\xf0\x9f\x98\x80");
}

static void
a_name_is_decoded_until_nothing_is_left_to_decode(void **state)
{
	struct ctx *cx = *state;

	becomes(cx, "100%", "100%");
	becomes(cx, "a%zz", "a%zz");
	becomes(cx, "%", "%");
	becomes(cx, "a%2", "a%2");
	becomes(cx, "a%00b", "a%00b");
	becomes(cx, "a%20b", "a b");
	becomes(cx, "a%252520b", "a b");
	becomes(cx, "a%2fb", "a/b");
	becomes(cx, "a%2f%2e%2fb", "a/b");
	becomes(cx, "%c3%a9", "\xc3\xa9");
	becomes(cx, "loss%step%46%x", "loss%stepF%x");
	becomes(cx, "loss%step%17%x", "loss%step%17%x"); /* a control character is shown, not kept */
	becomes(cx, "a%FFb",
		"a\xef\xbf\xbd"
		"b");
}

static void
a_normal_form_stays_as_it_is(void **state)
{
	static const char *const texts[] = { "a%20b", "x%17y", "a%00b", "%c3%a9%ff", "100%", "a%2525",
		"./a//b", "%0a%7f" };
	struct ctx *cx = *state;
	const char *once = NULL;

	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(artifact_path(cx, texts[i], false, &once), OK);
		becomes(cx, once, once);
	}
}

static void
nothing_leads_out_however_it_is_spelled(void **state)
{
	static const char *const bad[] = { "..", "../a", "a/..", "a/../b", "a/b/../../..", "./..", "%2e%2e",
		"%2E%2E/a", ".%2e/a", "%2e./a", "a/%2e%2e/b", "a%2f..%2fb", "a%2F%2e%2E", "%252e%252e/a",
		"%252e%252e%252fa", "%25252e%25252e/a", "%25%32%65%25%32%65/a", "%2%65%2%65/a", "..%2fa",
		"a/..%2f", "a/..%252f", "%252525252525252525252e%252525252525252525252e/x" };
	struct ctx *cx = *state;

	for (size_t i = 0; i < COUNT(bad); i++)
		no_path(cx, bad[i]);
}

static void
absolute_paths_are_refused(void **state)
{
	static const char *const bad[] = { "/", "/a", "//a", "%2fa", "%2Fetc/passwd", "%252fa", "\\a", "a\\b",
		"..\\a", "a%5cb", "a%255Cb", "%5c%5chost%5cshare", "C:/a", "c:\\a", "C:", "z%3a/a",
		"%43:/a" };
	struct ctx *cx = *state;

	for (size_t i = 0; i < COUNT(bad); i++)
		no_path(cx, bad[i]);
}

static void
fragments_controls_and_broken_text_are_refused(void **state)
{
	static const char *const bad[] = { "a#b", "#", "a%23b", "a\nb", "a\tb", "\x01", "a\x7f", "a\r",
		"\xff", "a\xc3", "\xc0\xae\xc0\xae/a", "\xed\xa0\x80" };
	struct ctx *cx = *state;

	for (size_t i = 0; i < COUNT(bad); i++)
		no_path(cx, bad[i]);
}

static void
a_path_has_1024_bytes_at_most(void **state)
{
	struct ctx *cx = *state;
	char *text = arena_alloc(cx->arena, 4098);

	memset(text, 'p', 1024);
	becomes(cx, text, text);
	text[1024] = 'p';
	no_path(cx, text);
	assert_non_null(strstr(cx->message, "1024 bytes"));
}

/* Each round of decoding takes one level away: level by level, this would take days. */
static void
a_text_encoded_half_a_million_times_is_refused(void **state)
{
	struct ctx *cx = *state;
	size_t n = 1 << 20;
	char *text = arena_alloc(cx->arena, n + 1);

	text[0] = '%';
	for (size_t i = 1; i < n; i++)
		text[i] = i % 2 == 1 ? '2' : '5';
	no_path(cx, text);
}

static void
an_empty_path_is_a_root_to_list_and_no_file(void **state)
{
	struct ctx *cx = *state;
	const char *out = NULL;

	assert_int_equal(artifact_path(cx, "", true, &out), OK);
	assert_int_equal(artifact_path(cx, "", false, &out), INVALID);
	assert_int_equal(artifact_path(cx, "./.", false, &out), INVALID);
	assert_non_null(strstr(cx->message, "empty"));
}

static void
only_our_own_uris_name_a_path(void **state)
{
	struct ctx *cx = *state;
	const char *out = NULL;

	assert_int_equal(artifact_path_of_uri(cx, "mlflow-artifacts:/1/abc/artifacts", &out), OK);
	assert_string_equal(out, "1/abc/artifacts");
	assert_int_equal(artifact_path_of_uri(cx, "mlflow-artifacts:///1//x", &out), OK);
	assert_string_equal(out, "1/x");
	assert_int_equal(artifact_path_of_uri(cx, "mlflow-artifacts:/1/../2", &out), INVALID);
	assert_int_equal(artifact_path_of_uri(cx, "s3://bucket/1", &out), INVALID);
	assert_non_null(strstr(cx->message, "not kept by this server"));
	assert_int_equal(artifact_path_of_uri(cx, "1/abc", &out), INVALID);
}

static void
paths_are_joined_with_one_slash(void **state)
{
	struct ctx *cx = *state;

	assert_string_equal(artifact_join(cx, "a", "b"), "a/b");
	assert_string_equal(artifact_join(cx, "", "b"), "b");
	assert_string_equal(artifact_join(cx, "a", ""), "a");
	assert_string_equal(artifact_join(cx, "", ""), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(a_path_gets_its_normal_form),
		unit_case(a_name_is_decoded_until_nothing_is_left_to_decode),
		unit_case(a_normal_form_stays_as_it_is),
		unit_case(nothing_leads_out_however_it_is_spelled),
		unit_case(absolute_paths_are_refused),
		unit_case(fragments_controls_and_broken_text_are_refused),
		unit_case(a_path_has_1024_bytes_at_most),
		unit_case(a_text_encoded_half_a_million_times_is_refused),
		unit_case(an_empty_path_is_a_root_to_list_and_no_file),
		unit_case(only_our_own_uris_name_a_path),
		unit_case(paths_are_joined_with_one_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
