#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "http/limits.h"
#include "http/server.h"
#include "cm.h"
#include "toy.h"

static void
assert_answer(const struct http_server *s, const char *text, int status, const char *body)
{
	struct reply r;

	if (ask(s, text, &r) != status)
		fail_msg("%s gave %d %s, not %d", text, r.status, r.body != NULL ? r.body : "", status);
	if (body != NULL)
		assert_string_equal(r.body, body);
	reply_free(&r);
}

static void
assert_refused(const struct http_server *s, const char *text, int status)
{
	unsigned called = atomic_load(&toy.called);
	struct reply r;

	if (ask(s, text, &r) != status || !r.closed)
		fail_msg("%s gave %d, %s; not %d and the end", text, r.status,
			r.closed ? "the end" : "kept alive", status);
	reply_free(&r);
	assert_int_equal(atomic_load(&toy.called), called);
}

static void
inline_runs_on_the_loop_and_worker_on_a_worker(void **state)
{
	assert_answer(*state, "GET /hello HTTP/1.1\r\n" H "\r\n", 200, "hello from the loop, 127.0.0.1");
	assert_answer(*state, "GET /worker HTTP/1.1\r\n" H "\r\n", 200, "hello from a worker, 127.0.0.1");
}

static void
every_answer_carries_the_common_headers(void **state)
{
	struct reply r, other;

	assert_int_equal(ask(*state, "GET /worker HTTP/1.1\r\n" H "\r\n", &r), 200);
	assert_string_equal(reply_header(&r, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(reply_header(&r, "Cache-Control"), "no-store");
	assert_string_equal(reply_header(&r, "Content-Type"), "text/plain");
	assert_int_equal(strlen(reply_header(&r, "X-Request-Id")), 16);
	assert_int_equal(ask(*state, "GET /page HTTP/1.1\r\nHost: Cairn.Test:99\r\n\r\n", &other), 200);
	assert_string_equal(reply_header(&other, "Cache-Control"), "public, immutable");
	assert_string_equal(other.body, "<!doctype html>");
	assert_null(strstr(other.head, strstr(r.head, "X-Request-Id")));
	reply_free(&r);
	reply_free(&other);
}

static void
a_header_with_a_line_break_is_left_out(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, "GET /items/1 HTTP/1.1\r\n" H "\r\n", &r), 200);
	assert_string_equal(reply_header(&r, "X-Good"), "yes");
	assert_null(strstr(r.head, "Evil"));
	assert_null(reply_header(&r, "X-Split"));
	reply_free(&r);
}

static void
a_connection_is_kept_for_many_requests(void **state)
{
	int fd = dial(*state);
	struct reply r;

	for (int i = 0; i < 50; i++) {
		say(fd, i % 3 == 0   ? "GET /worker HTTP/1.1\r\n" H "\r\n"
			: i % 3 == 1 ? "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 2\r\n\r\n{}"
				     : "POST /nowhere HTTP/1.1\r\n" H "\r\n");
		hear(fd, false, &r);
		assert_int_equal(r.status, i % 3 == 2 ? 404 : 200);
		reply_free(&r);
	}
	close(fd);
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	int fd = dial(*state);
	struct reply r;

	say(fd, "GET /items/1 HTTP/1.1\r\n" H "\r\nGET /slow HTTP/1.1\r\n" H "\r\nGET /items/3 HTTP/1.1\r\n" H
		"\r\n");
	hear(fd, false, &r);
	assert_string_equal(r.body, "1:");
	reply_free(&r);
	hear(fd, false, &r);
	assert_string_equal(r.body, "{}");
	reply_free(&r);
	hear(fd, false, &r);
	assert_string_equal(r.body, "3:");
	reply_free(&r);
	close(fd);
}

static void
http_1_0_ends_after_one_answer(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, "GET /hello HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", &r), 200);
	assert_true(r.closed);
	reply_free(&r);
}

static void
head_has_the_length_and_no_body(void **state)
{
	int fd = dial(*state);
	struct reply r;

	say(fd, "HEAD /page HTTP/1.1\r\n" H "\r\n");
	hear(fd, true, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_header(&r, "Content-Length"), "15");
	reply_free(&r);
	/* the next answer comes at once behind it */
	say(fd, "HEAD /files/x?size=123456 HTTP/1.1\r\n" H "\r\n");
	hear(fd, true, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_header(&r, "Content-Length"), "123456");
	reply_free(&r);
	say(fd, "GET /items/7 HTTP/1.1\r\n" H "\r\n");
	hear(fd, false, &r);
	assert_string_equal(r.body, "7:");
	reply_free(&r);
	close(fd);
}

static void
another_method_gets_405_and_allow(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, "PUT /echo HTTP/1.1\r\n" H "\r\n", &r), 405);
	assert_string_equal(reply_header(&r, "Allow"), "POST, PATCH, DELETE");
	reply_free(&r);
	assert_answer(*state, "POST /nowhere HTTP/1.1\r\n" H "\r\n", 404, NULL);
	assert_answer(*state, "GET /echo HTTP/1.1\r\n" H "\r\n", 405, NULL);
}

static void
paths_and_queries_are_decoded_once(void **state)
{
	assert_answer(*state, "GET /items/a%20%252e?x=1+2&y=%26&x HTTP/1.1\r\n" H "\r\n", 200,
		"a %2e:[x=1 2][y=&][x=]");
	assert_answer(*state, "GET /items/%2e%2e%2f HTTP/1.1\r\n" H "\r\n", 400, NULL);
	assert_answer(*state, "GET /items/a%00b HTTP/1.1\r\n" H "\r\n", 400, NULL);
	assert_answer(*state, "GET /items/a?x=%00 HTTP/1.1\r\n" H "\r\n", 400, NULL);
	assert_answer(*state, "GET /items/a?x=%zz HTTP/1.1\r\n" H "\r\n", 400, NULL);
}

/* The table of what libmicrohttpd lets through: each is refused, and what hides behind it never runs. */
static void
the_guard_refuses_what_frames_badly(void **state)
{
	static const char hidden[] = "GET /hello HTTP/1.1\r\n" H "\r\n";
	static const char *const rows[] = {
		"POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		"POST /echo HTTP/1.1\r\n" H JSON
		"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\n" H JSON "Transfer-Encoding: gzip\r\n\r\n",
		"POST /echo HTTP/1.1\r\n" H JSON "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.0\r\n" H JSON "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\n" H JSON "Content-Length : 3\r\n\r\n{ }",
		"GET /hello HTTP/1.1\r\n" H "X-A: b\r\n c\r\n\r\n",
		"GET /hello HTTP/1.1\r\n" H "Content-: 5\r\n Length\r\n\r\n",
		"GET /hello HTTP/1.1\r\n" H "X-A: b\rc\r\n\r\n",
		"GET /hello HTTP/1.1\r\n" H H "\r\n",
		"GET /hello HTTP/1.1\r\n\r\n",
		"GET http://localhost/hello HTTP/1.1\r\n" H "\r\n",
		"GET * HTTP/1.1\r\n" H "\r\n",
		"GET /hello HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: b\r\n\r\n",
	};
	char text[1000];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "%s%s", rows[i], hidden);
		assert_refused(*state, text, 400);
	}
	assert_refused(*state, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403);
}

static void
odd_blanks_around_values_are_fine(void **state)
{
	assert_answer(*state,
		"GET /hello HTTP/1.1\r\nHost:localhost\r\nA:\r\nB:  \t \r\nC:  v  \r\nD:\tw\r\n\r\n", 200,
		NULL);
}

/* libmicrohttpd answers these itself: with an error, never with the handler's answer. */
static void
what_libmicrohttpd_refuses_stays_refused(void **state)
{
	char *text = malloc(50000);
	struct reply r;

	assert_non_null(text);
	snprintf(text, 50000, "GET /%040000d HTTP/1.1\r\n" H "\r\n", 1);
	assert_int_equal(ask(*state, text, &r), 414);
	reply_free(&r);
	snprintf(text, 50000, "GET /hello HTTP/1.1\r\n" H "X-A: %040000d\r\n\r\n", 1);
	assert_int_equal(ask(*state, text, &r), 431);
	reply_free(&r);
	assert_int_equal(ask(*state, "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: x\r\n\r\n", &r), 400);
	reply_free(&r);
	assert_int_equal(atomic_load(&toy.called), 0);
	free(text);
}

static void
bodies_over_the_limit_get_413_at_once(void **state)
{
	char *text = malloc(4000);

	assert_non_null(text);
	assert_answer(*state, "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 4\r\n\r\nnull", 200, "null");
	/* no byte of the body was sent */
	assert_refused(*state, "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 1001\r\n\r\n", 413);
	assert_refused(
		*state, "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 18446744073709551615\r\n\r\n", 413);
	assert_refused(
		*state, "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 9223372036854775807\r\n\r\n", 413);
	assert_refused(*state, "PUT /small HTTP/1.1\r\n" H "Content-Length: 100001\r\n\r\n", 413);
	assert_refused(*state, "GET /hello HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 413);
	snprintf(text, 4000,
		"POST /echo HTTP/1.1\r\n" H JSON
		"Transfer-Encoding: chunked\r\n\r\n3e9\r\n%01001d\r\n0\r\n\r\n",
		1);
	assert_answer(*state, text, 413, NULL);
	snprintf(text, 4000,
		"POST /echo HTTP/1.1\r\n" H JSON
		"Transfer-Encoding: chunked\r\n\r\n3e8\r\n%01000d\r\n0\r\n\r\n",
		1);
	assert_answer(*state, text, 200, NULL);
	free(text);
}

/* The client sends megabytes before it listens: it must still find the answer. */
static void
a_refusal_reaches_a_client_that_is_still_sending(void **state)
{
	size_t size = 8 << 20;
	char *body = calloc(1, size);
	struct reply r;
	int fd;

	assert_non_null(body);
	for (int i = 0; i < 5; i++) {
		fd = dial(*state);
		say(fd, i % 2 ? "PUT /refused HTTP/1.1\r\n" H "Content-Length: 8388608\r\n\r\n"
			      : "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 8388608\r\n\r\n");
		assert_true(say_bytes(fd, body, size));
		hear(fd, false, &r);
		assert_int_equal(r.status, i % 2 ? 401 : 413);
		assert_string_equal(reply_header(&r, "Connection"), "close");
		reply_free(&r);
		close(fd);
	}
	free(body);
}

static void
json_routes_want_json(void **state)
{
	assert_answer(*state,
		"POST /echo HTTP/1.1\r\n" H "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 400,
		"{\"message\":\"Content-Type must be application/json\"}");
	assert_answer(*state, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}", 400, NULL);
	assert_answer(*state, "POST /echo HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 200, "");
	assert_answer(*state, "POST /echo HTTP/1.1\r\n" H "\r\n", 200, "");
	assert_answer(*state,
		"POST /echo HTTP/1.1\r\n" H
		"Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}",
		200, "{}");
	assert_answer(*state, "PATCH /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}", 200, "{}");
	assert_answer(*state, "DELETE /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}", 200, "{}");
}

static void
scanned_may_answer_later_or_need_a_worker(void **state)
{
	char *text = malloc(300000);
	struct reply r;

	assert_non_null(text);
	for (int i = 0; i < 200; i++)
		assert_answer(*state, "POST /scan HTTP/1.1\r\n" H JSON "Content-Length: 7\r\n\r\n\"later\"",
			200, "later");
	assert_answer(*state, "POST /scan HTTP/1.1\r\n" H JSON "Content-Length: 12\r\n\r\n\"fail later\"",
		409, "{\"message\":\"failed later\"}");
	assert_answer(*state, "POST /scan HTTP/1.1\r\n" H JSON "Content-Length: 8\r\n\r\n\"worker\"", 200,
		"8 on a worker");
	assert_answer(
		*state, "POST /scan HTTP/1.1\r\n" H JSON "Content-Length: 2\r\n\r\n{}", 200, "2 on the loop");
	snprintf(text, 300000, "POST /scan HTTP/1.1\r\n" H JSON "Content-Length: 200000\r\n\r\n%0200000d", 1);
	assert_int_equal(ask(*state, text, &r), 200);
	assert_string_equal(r.body, "200000 on a worker");
	reply_free(&r);
	free(text);
}

static void
only_inline_answers_while_not_accepting(void **state)
{
	struct reply r;

	atomic_store(&toy_accepting, false);
	assert_answer(*state, "GET /hello HTTP/1.1\r\n" H "\r\n", 200, NULL);
	assert_int_equal(ask(*state, "GET /worker HTTP/1.1\r\n" H "\r\n", &r), 503);
	assert_string_equal(reply_header(&r, "Retry-After"), "1");
	reply_free(&r);
	atomic_store(&toy_accepting, true);
	assert_answer(*state, "GET /worker HTTP/1.1\r\n" H "\r\n", 200, NULL);
}

/* One worker, busy for 300 ms with each: behind work that is 100 ms old new work fails at once. */
static void
a_queue_of_old_work_fails_fast(void **state)
{
	struct http_limits before = http_limits;
	int fds[6], failed = 0, done = 0;
	struct http_server *s;
	struct reply r;

	(void)state;
	http_limits.queue_ms = 100;
	s = toy_start(1, 1);
	for (int i = 0; i < 6; i++) {
		fds[i] = dial(s);
		say(fds[i], "GET /slow HTTP/1.1\r\n" H "\r\n");
		nanosleep(&(struct timespec){ .tv_nsec = 60000000 }, NULL);
	}
	for (int i = 0; i < 6; i++) {
		hear(fds[i], false, &r);
		failed += r.status == 503;
		done += r.status == 200;
		assert_true(r.status == 200 || strcmp(reply_header(&r, "Retry-After"), "1") == 0);
		reply_free(&r);
		close(fds[i]);
	}
	http_stop(s, 5000);
	http_limits = before;
	assert_int_equal(failed + done, 6);
	assert_true(done >= 2);
	assert_true(failed >= 1);
}

static void
a_client_that_left_is_noticed(void **state)
{
	int fd = dial(*state);

	say(fd, "GET /slow HTTP/1.1\r\n" H "\r\n");
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	close(fd);
	for (int i = 0; i < 100 && atomic_load(&toy.gone) == 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_int_equal(atomic_load(&toy.gone), 1);
}

static void
a_port_in_use_is_said_in_one_sentence(void **state)
{
	struct http_options o = { .address = "127.0.0.1",
		.port = http_port(*state),
		.listen_fd = -1,
		.loop_threads = 1,
		.workers = 1,
		.streams = 1,
		.connection_limit = 10 };
	char error[200] = "";
	char want[200];

	assert_null(http_start(&o, error, sizeof error));
	snprintf(want, sizeof want, "port %u on 127.0.0.1 is in use", o.port);
	assert_non_null(strstr(error, want));
	o.address = "nonsense";
	assert_null(http_start(&o, error, sizeof error));
	assert_string_equal(error, "\"nonsense\" is not an IPv4 or IPv6 address");
	o.address = "192.0.2.1";
	o.port = 0;
	assert_null(http_start(&o, error, sizeof error));
	assert_string_equal(error, "192.0.2.1 is not an address of this machine");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, toy_set_up, toy_tear_down)
	const struct CMUnitTest tests[] = {
		CASE(inline_runs_on_the_loop_and_worker_on_a_worker),
		CASE(every_answer_carries_the_common_headers),
		CASE(a_header_with_a_line_break_is_left_out),
		CASE(a_connection_is_kept_for_many_requests),
		CASE(pipelined_requests_are_answered_in_order),
		CASE(http_1_0_ends_after_one_answer),
		CASE(head_has_the_length_and_no_body),
		CASE(another_method_gets_405_and_allow),
		CASE(paths_and_queries_are_decoded_once),
		CASE(the_guard_refuses_what_frames_badly),
		CASE(odd_blanks_around_values_are_fine),
		CASE(what_libmicrohttpd_refuses_stays_refused),
		CASE(bodies_over_the_limit_get_413_at_once),
		CASE(a_refusal_reaches_a_client_that_is_still_sending),
		CASE(json_routes_want_json),
		CASE(scanned_may_answer_later_or_need_a_worker),
		CASE(only_inline_answers_while_not_accepting),
		cmocka_unit_test(a_queue_of_old_work_fails_fast),
		CASE(a_client_that_left_is_noticed),
		CASE(a_port_in_use_is_said_in_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
