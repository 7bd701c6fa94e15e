#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "http/server.h"
#include "cm.h"
#include "toy.h"

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void
assert_status(int fd, int status, const char *body)
{
	struct reply r;

	hear(fd, false, &r);
	if (r.status != status)
		fail_msg("%d %s, not %d", r.status, r.body != NULL ? r.body : "", status);
	if (body != NULL)
		assert_string_equal(r.body, body);
	reply_free(&r);
}

static void
uploads_come_by_length_or_in_chunks(void **state)
{
	int fd = dial(*state);

	say(fd, "PUT /files/a/b.txt HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
	assert_status(fd, 200, "a/b.txt 5");
	say(fd, "PUT /files/c HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n");
	pause_ms(20);
	say(fd, "4\r\nde");
	pause_ms(20);
	say(fd, "fg\r\n0\r\nX-Trailer: 1\r\n\r\n");
	assert_status(fd, 200, "c 7");
	/* empty ones, both ways */
	say(fd, "PUT /files/d HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n");
	assert_status(fd, 200, "d 0");
	say(fd, "PUT /files/e HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	assert_status(fd, 200, "e 0");
	close(fd);
}

static void
a_large_upload_takes_little_memory(void **state)
{
	static char piece[1 << 20];
	long before;
	int fd = dial(*state);

	say(fd, "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 209715200\r\n\r\n");
	before = resident_kib();
	for (int i = 0; i < 200; i++)
		assert_true(say_bytes(fd, piece, sizeof piece));
	assert_status(fd, 200, "x 209715200");
	assert_true(resident_kib() - before < 20000);
	close(fd);
}

static void
a_large_download_takes_little_memory(void **state)
{
	static char piece[1 << 20];
	char head[2000];
	size_t total = 0;
	ssize_t n;
	long before = resident_kib();
	int fd = dial(*state);

	say(fd, "GET /files/x?size=209715200 HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	n = recv(fd, head, sizeof head, MSG_PEEK);
	assert_true(n > 0);
	while ((n = recv(fd, piece, sizeof piece, 0)) > 0)
		total += (size_t)n;
	assert_true(total > 209715200 && total < 209715200 + 1000);
	assert_true(resident_kib() - before < 20000);
	close(fd);
}

static void
downloads_are_exact(void **state)
{
	int fd = dial(*state);
	struct reply r;

	for (int chunked = 0; chunked < 2; chunked++) {
		say(fd, chunked ? "GET /files/x?size=1234567&chunked HTTP/1.1\r\n" H "\r\n"
				: "GET /files/x?size=1234567 HTTP/1.1\r\n" H "\r\n");
		hear(fd, false, &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(reply_header(&r, "Content-Type"), "application/octet-stream");
		assert_int_equal(reply_header(&r, "Transfer-Encoding") != NULL, chunked);
		assert_int_equal(r.len, 1234567);
		assert_false(r.cut);
		for (size_t i = 0; i < r.len; i++)
			if (r.body[i] != (char)i)
				fail_msg("byte %zu is wrong", i);
		reply_free(&r);
	}
	say(fd, "GET /files/x?size=0 HTTP/1.1\r\n" H "\r\n");
	assert_status(fd, 200, "");
	say(fd, "GET /files/x?size=y HTTP/1.1\r\n" H "\r\n");
	assert_status(fd, 400, NULL);
	close(fd);
}

static void
a_download_that_fails_halfway_is_short(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, "GET /files/x?size=1000000&fails HTTP/1.1\r\n" H "\r\n", &r), 200);
	assert_true(r.cut);
	assert_true(r.len < 1000000);
	reply_free(&r);
	assert_int_equal(
		ask(*state, "GET /files/x?size=1000000&fails&chunked HTTP/1.1\r\n" H "\r\n", &r), 200);
	assert_true(r.cut);
	reply_free(&r);
}

static void
the_client_may_wait_for_100_continue(void **state)
{
	int fd = dial(*state);
	struct reply r;

	say(fd, "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	hear(fd, false, &r);
	assert_int_equal(r.status, 100);
	reply_free(&r);
	say(fd, "hello");
	assert_status(fd, 200, "x 5");
	close(fd);
}

static void
a_refusal_comes_instead_of_100_continue(void **state)
{
	static const char *const requests[] = {
		"PUT /refused HTTP/1.1\r\n" H "Content-Length: 50000000\r\nExpect: 100-continue\r\n\r\n",
		"PUT /small HTTP/1.1\r\n" H "Content-Length: 50000000\r\nExpect: 100-continue\r\n\r\n",
	};
	struct reply r;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(*state, requests[i], &r), i == 0 ? 401 : 413);
		assert_string_equal(reply_header(&r, "Connection"), "close");
		assert_true(r.closed);
		reply_free(&r);
	}
}

static void
a_chunked_upload_over_the_limit_gets_413(void **state)
{
	char chunk[20010];
	int fd = dial(*state);

	snprintf(chunk, sizeof chunk, "4e20\r\n%020000d\r\n", 1);
	say(fd, "PUT /small HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 10; i++)
		say(fd, chunk);
	say(fd, "0\r\n\r\n");
	assert_status(fd, 413, NULL);
	close(fd);
}

static void
a_handler_that_gives_up_halfway_is_heard(void **state)
{
	size_t size = 5 << 20;
	char *body = calloc(1, size);
	int fd = dial(*state);

	assert_non_null(body);
	say(fd, "PUT /half HTTP/1.1\r\n" H "Content-Length: 5242880\r\n\r\n");
	assert_true(say_bytes(fd, body, size));
	assert_status(fd, 409, "{\"message\":\"changed my mind\"}");
	say(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_status(fd, 200, NULL);
	close(fd);
	free(body);
}

static void
a_client_gone_mid_upload_ends_the_reading(void **state)
{
	int fd = dial(*state);

	say(fd, "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\nonly this");
	pause_ms(50);
	close(fd);
	for (int i = 0; i < 200 && atomic_load(&toy.upload_end) == -1; i++)
		pause_ms(20);
	assert_int_equal(atomic_load(&toy.upload_end), BAD_REQUEST);
}

static void
a_client_gone_mid_download_ends_the_writing(void **state)
{
	char scrap[1000];
	int fd;

	/* more than there are stream threads: each must come back */
	for (int i = 0; i < 12; i++) {
		fd = dial(*state);
		say(fd, "GET /files/x?size=100000000 HTTP/1.1\r\n" H "\r\n");
		assert_true(recv(fd, scrap, sizeof scrap, 0) > 0);
		close(fd);
		pause_ms(100);
	}
	fd = dial(*state);
	say(fd, "GET /files/x?size=10 HTTP/1.1\r\n" H "\r\n");
	assert_status(fd, 200, NULL);
	close(fd);
}

/* Four stream threads and two waiting: of ten uploads that stall, some get 503 and the rest finish. */
static void
more_streams_than_threads_get_503(void **state)
{
	int fds[10], busy = 0, done = 0;
	struct reply r;

	for (int i = 0; i < 10; i++) {
		fds[i] = dial(*state);
		say(fds[i], "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhel");
		pause_ms(10);
	}
	pause_ms(100);
	for (int i = 0; i < 10; i++) {
		say_bytes(fds[i], "lo", 2);
		hear(fds[i], false, &r);
		busy += r.status == 503 && strcmp(reply_header(&r, "Retry-After"), "1") == 0;
		done += r.status == 200;
		reply_free(&r);
		close(fds[i]);
	}
	assert_int_equal(busy, 4);
	assert_int_equal(done, 6);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, toy_set_up, toy_tear_down)
	const struct CMUnitTest tests[] = {
		CASE(uploads_come_by_length_or_in_chunks),
		CASE(a_large_upload_takes_little_memory),
		CASE(a_large_download_takes_little_memory),
		CASE(downloads_are_exact),
		CASE(a_download_that_fails_halfway_is_short),
		CASE(the_client_may_wait_for_100_continue),
		CASE(a_refusal_comes_instead_of_100_continue),
		CASE(a_chunked_upload_over_the_limit_gets_413),
		CASE(a_handler_that_gives_up_halfway_is_heard),
		CASE(a_client_gone_mid_upload_ends_the_reading),
		CASE(a_client_gone_mid_download_ends_the_writing),
		CASE(more_streams_than_threads_get_503),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
