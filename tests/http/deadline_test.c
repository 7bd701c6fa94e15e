/* The deadlines, made short: what is slow is cut, what is slow for good reason is not. */
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "http/limits.h"
#include "http/server.h"
#include "cm.h"
#include "toy.h"

static struct http_limits usual;

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static int
set_up(void **state)
{
	usual = http_limits;
	http_limits.headers_ms = 400;
	http_limits.idle_ms = 1200;
	http_limits.body_window_ms = 500;
	http_limits.reader_ms = 500;
	http_limits.sweep_ms = 50;
	return toy_set_up(state);
}

static int
tear_down(void **state)
{
	toy_tear_down(state);
	http_limits = usual;
	return 0;
}

/* A byte now and then keeps no connection open. */
static bool
trickle_is_cut(int fd, const char *text, int ms)
{
	for (; ms > 0; ms -= 100) {
		if (send(fd, *text != '\0' ? text++ : "a", 1, MSG_NOSIGNAL) != 1 || ends_within(fd, 100))
			return true;
	}
	return false;
}

static void
silence_is_cut(void **state)
{
	int fd = dial(*state);

	assert_false(ends_within(fd, 200));
	assert_true(ends_within(fd, 2000));
	close(fd);
}

static void
trickled_headers_are_cut(void **state)
{
	int first = dial(*state), later = dial(*state);
	struct reply r;

	assert_true(trickle_is_cut(first, "GET /hello HTTP/1.1\r\n", 3000));
	close(first);
	close(later);
	later = dial(*state);
	say(later, "GET /hello HTTP/1.1\r\n" H "\r\n");
	hear(later, false, &r);
	reply_free(&r);
	assert_true(trickle_is_cut(later, "GET /hello HTTP/1.1\r\nX-", 3000));
	close(later);
}

static void
an_idle_connection_is_kept_for_a_while(void **state)
{
	int fd = dial(*state);
	struct reply r;

	for (int i = 0; i < 2; i++) {
		say(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
		hear(fd, false, &r);
		assert_int_equal(r.status, 200);
		reply_free(&r);
		assert_false(ends_within(fd, 800));
	}
	assert_true(ends_within(fd, 2000));
	close(fd);
}

static void
a_body_that_trickles_is_cut(void **state)
{
	int fd = dial(*state);

	say(fd, "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 900\r\n\r\n");
	assert_true(trickle_is_cut(fd, "", 3000));
	close(fd);
	assert_int_equal(atomic_load(&toy.called), 0);
	fd = dial(*state);
	say(fd, "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 900\r\n\r\n");
	assert_true(trickle_is_cut(fd, "", 3000));
	for (int i = 0; i < 100 && atomic_load(&toy.upload_end) == -1; i++)
		pause_ms(20);
	assert_int_equal(atomic_load(&toy.upload_end), TIMED_OUT);
	close(fd);
}

/* 40 KiB/s for three windows. */
static void
a_body_above_the_least_rate_is_taken(void **state)
{
	static char piece[4096];
	int fd = dial(*state);
	struct reply r;

	say(fd, "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 65536\r\n\r\n");
	for (int i = 0; i < 16; i++) {
		assert_true(say_bytes(fd, piece, sizeof piece));
		pause_ms(100);
	}
	hear(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "x 65536");
	reply_free(&r);
	close(fd);
}

static void
a_reader_that_stands_still_is_cut(void **state)
{
	char scrap[65536];
	int fd = dial(*state);
	size_t total = 0;
	ssize_t n;

	say(fd, "GET /files/x?size=100000000 HTTP/1.1\r\n" H "\r\n");
	pause_ms(1500);
	while ((n = recv(fd, scrap, sizeof scrap, 0)) > 0)
		total += (size_t)n;
	assert_true(total < 100000000);
	close(fd);
}

static void
waiting_for_the_server_is_not_the_clients_fault(void **state)
{
	int fd = dial(*state);
	struct reply r;

	say(fd, "GET /park HTTP/1.1\r\n" H "\r\n");
	assert_false(ends_within(fd, 2000));
	toy_finish_parked(OK);
	hear(fd, false, &r);
	assert_int_equal(r.status, 200);
	reply_free(&r);
	close(fd);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(silence_is_cut),
		CASE(trickled_headers_are_cut),
		CASE(an_idle_connection_is_kept_for_a_while),
		CASE(a_body_that_trickles_is_cut),
		CASE(a_body_above_the_least_rate_is_taken),
		CASE(a_reader_that_stands_still_is_cut),
		CASE(waiting_for_the_server_is_not_the_clients_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
