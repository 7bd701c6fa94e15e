#include <string.h>
#include "http/guard.h"
#include "cm.h"

static const char *const hosts[] = { "cairn.example.org", "10.1.2.3", NULL };

/* The status for a request with these headers ("Name: value" each) beside a good Host. */
static enum status
judge(const char *target, const char *version, const struct pair *headers, size_t n, int64_t *length)
{
	struct pair all[16] = { { "Host", "localhost:5000" } };
	struct guard_input in = { target, version, all, n + 1, hosts };
	struct guard_body body = { 77 };
	enum status st;
	struct ctx cx;

	if (n > 0)
		memcpy(all + 1, headers, n * sizeof *headers);
	ctx_init(&cx, arena_new(), NULL);
	st = guard_check(&cx, &in, &body);
	assert_true(st == OK || cx.message[0] != '\0');
	arena_free(cx.arena);
	if (length != NULL)
		*length = body.length;
	return st;
}

static enum status
judge_one(const char *name, const char *value)
{
	return judge("/", "HTTP/1.1", &(struct pair){ name, value }, 1, NULL);
}

static enum status
judge_two(const char *name, const char *value, const char *name2, const char *value2)
{
	return judge("/", "HTTP/1.1", (struct pair[]){ { name, value }, { name2, value2 } }, 2, NULL);
}

static void
loopback_and_allowed_hosts_are_served(void **state)
{
	static const char *const good[] = { "localhost", "LOCALHOST:1", "127.0.0.1:5000", "127.8.9.1",
		"[::1]", "[::1]:80", "cairn.example.org", "Cairn.Example.Org:443", "10.1.2.3:5000" };
	static const char *const bad[] = { "", "evil.example", "localhost.evil.example", "10.1.2.4", "[::2]",
		"[::1", "localhost:80:90", "localhost:x", "user@localhost", "128.0.0.1", "localhost/",
		"127.0.0.1.evil.org", "[::1]x", "localhost:123456", "2130706433", "127.1" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(guard_host_allowed(good[i], hosts));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(guard_host_allowed(bad[i], hosts));
	assert_false(guard_host_allowed("cairn.example.org", NULL));
}

static void
one_host_is_needed(void **state)
{
	struct guard_input in = { "/", "HTTP/1.1", NULL, 0, NULL };
	struct guard_body body;
	struct ctx cx;

	(void)state;
	ctx_init(&cx, arena_new(), NULL);
	assert_int_equal(guard_check(&cx, &in, &body), BAD_REQUEST);
	arena_free(cx.arena);
	assert_int_equal(judge_one("host", "localhost"), BAD_REQUEST);
	assert_int_equal(judge_one("X-Other", "localhost"), OK);
}

static void
twins_of_framing_headers_are_refused(void **state)
{
	(void)state;
	assert_int_equal(judge_two("Content-Length", "3", "Content-Length", "3"), BAD_REQUEST);
	assert_int_equal(
		judge_two("Transfer-Encoding", "chunked", "transfer-encoding", "chunked"), BAD_REQUEST);
	assert_int_equal(judge_two("Content-Type", "a/b", "Content-Type", "a/b"), BAD_REQUEST);
	assert_int_equal(judge_two("Authorization", "a", "AUTHORIZATION", "b"), BAD_REQUEST);
	assert_int_equal(judge_two("Origin", "a", "Origin", "b"), BAD_REQUEST);
	assert_int_equal(judge_two("Cookie", "a=b", "Cookie", "c=d"), OK);
}

static void
lengths_must_be_numbers(void **state)
{
	int64_t length = 0;
	struct pair good = { "Content-Length", "00123" };

	(void)state;
	assert_int_equal(judge("/", "HTTP/1.1", &good, 1, &length), OK);
	assert_int_equal(length, 123);
	assert_int_equal(judge_one("Content-Length", "+3"), BAD_REQUEST);
	assert_int_equal(judge_one("Content-Length", "3,3"), BAD_REQUEST);
	assert_int_equal(judge_one("Content-Length", ""), BAD_REQUEST);
	assert_int_equal(judge_one("Content-Length", "-1"), BAD_REQUEST);
	assert_int_equal(judge_one("Content-Length", "18446744073709551615"), TOO_LARGE);
}

static void
only_chunked_and_only_in_1_1(void **state)
{
	int64_t length = 0;
	struct pair chunked = { "Transfer-Encoding", "Chunked" };

	(void)state;
	assert_int_equal(judge("/", "HTTP/1.1", &chunked, 1, &length), OK);
	assert_int_equal(length, -1);
	assert_int_equal(judge("/", "HTTP/1.0", &chunked, 1, &length), BAD_REQUEST);
	assert_int_equal(judge_one("Transfer-Encoding", "gzip, chunked"), BAD_REQUEST);
	assert_int_equal(judge_one("Transfer-Encoding", "identity"), BAD_REQUEST);
	assert_int_equal(judge_two("Transfer-Encoding", "chunked", "Content-Length", "3"), BAD_REQUEST);
}

static void
names_are_tokens_and_values_hold_no_controls(void **state)
{
	(void)state;
	assert_int_equal(judge_one("Content-Length ", "3"), BAD_REQUEST);
	assert_int_equal(judge_one("X-A\r\n folded", "3"), BAD_REQUEST);
	assert_int_equal(judge_one("X(A)", "3"), BAD_REQUEST);
	assert_int_equal(judge_one("", "3"), BAD_REQUEST);
	assert_int_equal(judge_one("X-A", "a\rb"), BAD_REQUEST);
	assert_int_equal(judge_one("X-A", "a\x7f"), BAD_REQUEST);
	assert_int_equal(judge_one("X-A", "a\tb \xc3\xa9"), OK);
}

static void
the_target_is_a_path(void **state)
{
	(void)state;
	assert_int_equal(judge("*", "HTTP/1.1", NULL, 0, NULL), BAD_REQUEST);
	assert_int_equal(judge("http://localhost/", "HTTP/1.1", NULL, 0, NULL), BAD_REQUEST);
	assert_int_equal(judge("", "HTTP/1.1", NULL, 0, NULL), BAD_REQUEST);
	assert_int_equal(judge("/a\tb", "HTTP/1.1", NULL, 0, NULL), BAD_REQUEST);
	assert_int_equal(judge("/a?b=c", "HTTP/1.1", NULL, 0, NULL), OK);
}

static void
json_with_or_without_a_charset(void **state)
{
	(void)state;
	assert_true(guard_is_json("application/json"));
	assert_true(guard_is_json("Application/JSON; charset=utf-8"));
	assert_true(guard_is_json("application/json ;charset=utf-8"));
	assert_false(guard_is_json("application/jsonp"));
	assert_false(guard_is_json("text/plain"));
	assert_false(guard_is_json(""));
	assert_false(guard_is_json(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_and_allowed_hosts_are_served),
		cmocka_unit_test(one_host_is_needed),
		cmocka_unit_test(twins_of_framing_headers_are_refused),
		cmocka_unit_test(lengths_must_be_numbers),
		cmocka_unit_test(only_chunked_and_only_in_1_1),
		cmocka_unit_test(names_are_tokens_and_values_hold_no_controls),
		cmocka_unit_test(the_target_is_a_path),
		cmocka_unit_test(json_with_or_without_a_charset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
