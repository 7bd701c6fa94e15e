/* What a server may not make us write. */
#include "client/cm.h"

#include <stdio.h>
#include <string.h>

#include "lib/manifest.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static struct ctx cx;
static struct fault f;
static struct manifest m;

static int
setup(void **state)
{
	(void)state;
	ctx_init(&cx, arena_new(), NULL);
	f = (struct fault){ 0 };
	return hash_setup() ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(cx.arena);
	return 0;
}

static int
read_text(const char *text)
{
	uint8_t sum[SHA256_BYTES];
	char digest[80] = "sha256:";

	sha256_of(text, strlen(text), sum);
	hex_encode(digest + 7, sum, sizeof(sum));
	return manifest_read(&cx, &f, text, strlen(text), digest, &m);
}

/* A manifest that names these two paths. */
static int
read_paths(const char *one, const char *two)
{
	return read_text(arena_printf(cx.arena,
		"{\"files\":[{\"path\":\"%s\",\"sha256\":\"" ZEROS "\",\"size\":1},"
		"{\"path\":\"%s\",\"sha256\":\"" ZEROS "\",\"size\":2}],"
		"\"model\":\"m\",\"schema\":\"cairn.manifest/1\",\"version\":3}",
		one, two));
}

static void
a_manifest_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_paths("MLmodel", "data/größe.bin"), CAIRN_OK);
	assert_int_equal(m.count, 2);
	assert_int_equal(m.size, 3);
	assert_int_equal(m.version, 3);
	assert_string_equal(m.model, "m");
	assert_string_equal(m.files[1].path, "data/größe.bin");
	assert_int_equal(m.files[1].size, 2);
}

static void
another_digest_is_refused(void **state)
{
	static const char text[] =
		"{\"files\":[],\"model\":\"m\",\"schema\":\"cairn.manifest/1\",\"version\":3}";

	(void)state;
	assert_int_equal(read_text(text), CAIRN_OK);
	assert_int_equal(manifest_read(&cx, &f, text, strlen(text), "sha256:" ZEROS, &m), CAIRN_EINTEGRITY);
	assert_non_null(strstr(f.message, "not the one promised"));
}

static void
paths_out_of_the_directory_are_refused(void **state)
{
	static const char *bad[] = { "", "/etc/passwd", "../x", "a/../x", "a/..", "..", ".", "a/./b", "a//b",
		"a/", "a\\\\b", "a\\u0001b", "a\\u007fb", "a\\u0085b" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_paths(bad[i], "fine") != CAIRN_EINTEGRITY)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(read_paths("..a", "a..b/...c"), CAIRN_OK);
}

static void
long_paths_are_refused(void **state)
{
	char path[1400];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[255] = '\0';
	assert_int_equal(read_paths(path, "b"), CAIRN_OK);
	path[255] = 'a';
	path[256] = '\0';
	assert_int_equal(read_paths(path, "b"), CAIRN_EINTEGRITY);
	memset(path, 'a', sizeof(path));
	for (size_t i = 100; i < sizeof(path); i += 100)
		path[i] = '/';
	path[1025] = '\0';
	assert_int_equal(read_paths(path, "b"), CAIRN_EINTEGRITY);
	path[1024] = '\0';
	assert_int_equal(read_paths(path, "b"), CAIRN_OK);
}

static void
paths_that_fall_together_are_refused(void **state)
{
	static const char *bad[][2] = { { "a", "a" }, { "Model", "model" }, { "a/B/c", "A/b/C" },
		{ "a", "a/b" }, { "a/b", "A" }, { "ÜBER", "über" }, { "ΣΑ", "σα" }, { ".cairn.json", "a" },
		{ ".Cairn.json", "a" }, { ".cairn.json/a", "b" } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_paths(bad[i][0], bad[i][1]) != CAIRN_EINTEGRITY)
			fail_msg("\"%s\" and \"%s\" were taken", bad[i][0], bad[i][1]);
	assert_int_equal(read_paths("a", "ab"), CAIRN_OK);
	assert_int_equal(read_paths("a-b", "a/b"), CAIRN_OK);
	assert_int_equal(read_paths("sub/.cairn.json", "a"), CAIRN_OK);
}

static void
what_is_no_manifest_is_refused(void **state)
{
	static const char *bad[] = { "", "[]", "{}", "not json",
		"{\"files\":[],\"model\":\"m\",\"version\":3}",
		"{\"files\":[],\"model\":\"m\",\"schema\":\"cairn.manifest/9\",\"version\":3}",
		"{\"files\":[{\"path\":\"a\",\"sha256\":\"" ZEROS
		"\"}],\"model\":\"m\",\"schema\":\"cairn.manifest/1\",\"version\":3}",
		"{\"files\":[{\"path\":\"a\",\"sha256\":\"abc\",\"size\":1}],\"model\":\"m\",\"schema\":"
		"\"cairn.manifest/1\","
		"\"version\":3}",
		"{\"files\":[{\"path\":\"a\",\"sha256\":\"" ZEROS
		"\",\"size\":-1}],\"model\":\"m\",\"schema\":\"cairn.manifest/1\",\"version\":3}",
		"{\"files\":[{\"path\":\"a\",\"sha256\":\"" ZEROS
		"\",\"size\":9223372036854775807},{\"path\":\"b\",\"sha256\":\"" ZEROS
		"\",\"size\":9223372036854775807}],\"model\":\"m\",\"schema\":\"cairn.manifest/"
		"1\",\"version\":3}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_text(bad[i]) != CAIRN_EINTEGRITY)
			fail_msg("%s was taken", bad[i]);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_manifest_is_read),
		CASE(another_digest_is_refused),
		CASE(paths_out_of_the_directory_are_refused),
		CASE(long_paths_are_refused),
		CASE(paths_that_fall_together_are_refused),
		CASE(what_is_no_manifest_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
