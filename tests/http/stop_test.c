#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "http/server.h"
#include "cm.h"
#include "toy.h"

#define MANY 300

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void
park_many(const struct http_server *s, int fds[MANY])
{
	for (int i = 0; i < MANY; i++) {
		fds[i] = dial(s);
		say(fds[i], "GET /park HTTP/1.1\r\n" H "\r\n");
	}
	for (int i = 0; i < 500 && atomic_load(&toy.parked) < MANY; i++)
		pause_ms(10);
	assert_int_equal(atomic_load(&toy.parked), MANY);
}

static void
an_idle_server_stops_at_once(void **state)
{
	struct http_server *s = toy_start(2, 2);
	int64_t began = clock_mono_ms();
	int fd = dial(s);

	(void)state;
	http_stop(s, 10000);
	assert_true(clock_mono_ms() - began < 5000);
	assert_true(ends_within(fd, 1000));
	close(fd);
}

/* Nobody finishes them in time: they are resumed and cut, and finishing them afterwards does no harm. */
static void
suspended_requests_are_cut_after_the_grace(void **state)
{
	struct http_server *s = toy_start(2, 2);
	int fds[MANY];
	struct reply r;

	(void)state;
	park_many(s, fds);
	http_stop(s, 200);
	toy_finish_parked(OK);
	for (int i = 0; i < MANY; i++) {
		hear(fds[i], false, &r);
		assert_int_equal(r.status, 0);
		assert_true(r.closed);
		reply_free(&r);
		close(fds[i]);
	}
}

static void *
finish_them(void *arg)
{
	(void)arg;
	pause_ms(200);
	toy_finish_parked(OK);
	return NULL;
}

static void
suspended_requests_are_finished_within_the_grace(void **state)
{
	struct http_server *s = toy_start(2, 2);
	pthread_t thread;
	int fds[MANY];
	struct reply r;

	(void)state;
	park_many(s, fds);
	assert_int_equal(pthread_create(&thread, NULL, finish_them, NULL), 0);
	http_stop(s, 10000);
	pthread_join(thread, NULL);
	for (int i = 0; i < MANY; i++) {
		hear(fds[i], false, &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(reply_header(&r, "Connection"), "close");
		reply_free(&r);
		close(fds[i]);
	}
}

static void *
stop_it(void *arg)
{
	http_stop(arg, 10000);
	return NULL;
}

static void
new_requests_get_503_while_accepted_ones_are_finished(void **state)
{
	struct http_server *s = toy_start(2, 2);
	int busy = dial(s), kept = dial(s);
	pthread_t thread;
	struct reply r;

	(void)state;
	say(kept, "GET /hello HTTP/1.1\r\n" H "\r\n");
	hear(kept, false, &r);
	assert_int_equal(r.status, 200);
	reply_free(&r);
	say(busy, "GET /slow HTTP/1.1\r\n" H "\r\n");
	pause_ms(100);
	assert_int_equal(pthread_create(&thread, NULL, stop_it, s), 0);
	pause_ms(50);
	say(kept, "GET /hello HTTP/1.1\r\n" H "\r\n");
	hear(kept, false, &r);
	assert_int_equal(r.status, 503);
	assert_string_equal(reply_header(&r, "Connection"), "close");
	reply_free(&r);
	hear(busy, false, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "{}");
	reply_free(&r);
	pthread_join(thread, NULL);
	close(busy);
	close(kept);
}

static void
stalled_streams_are_cut_after_the_grace(void **state)
{
	struct http_server *s = toy_start(2, 4);
	int up = dial(s), down = dial(s), early = dial(s), half = dial(s);
	int64_t began;

	(void)state;
	say(up, "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\nhel");
	say(down, "GET /files/x?size=1000000000 HTTP/1.1\r\n" H "\r\n");
	say(early, "PUT /files/x HTTP/1.1\r\n" H "Content-Length: 10");
	say(half, "POST /echo HTTP/1.1\r\n" H JSON "Content-Length: 10\r\n\r\nhel");
	pause_ms(100);
	began = clock_mono_ms();
	http_stop(s, 200);
	assert_true(clock_mono_ms() - began < 5000);
	assert_int_equal(atomic_load(&toy.upload_end), UNAVAILABLE);
	close(up);
	close(down);
	close(early);
	close(half);
}

/* Clients that come, ask for all kinds of things and go, while the server stops under them. */
static void *
harass(void *arg)
{
	static const char *const asks[] = { "GET /hello HTTP/1.1\r\n" H "\r\n",
		"GET /worker HTTP/1.1\r\n" H "\r\n",
		"POST /scan HTTP/1.1\r\n" H JSON "Content-Length: 7\r\n\r\n\"later\"",
		"PUT /files/x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello",
		"GET /files/x?size=300000 HTTP/1.1\r\n" H "\r\n" };
	const struct http_server *s = arg;
	struct reply r = { .status = 200 };
	int fd = dial(s);

	for (int i = 0; r.status != 0 && i < 100000; i++) {
		if (!say_bytes(fd, asks[i % 5], strlen(asks[i % 5])))
			break;
		hear(fd, false, &r);
		reply_free(&r);
		if (r.closed || (r.status == 503 && reply_header(&r, "Connection") != NULL))
			break;
	}
	close(fd);
	return NULL;
}

static void
a_stop_in_full_swing_is_clean(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct http_server *s = toy_start(4, 4);
		pthread_t threads[8];

		for (int i = 0; i < 8; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, harass, s), 0);
		pause_ms(200);
		http_stop(s, round % 2 ? 2000 : 0);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_server_stops_at_once),
		cmocka_unit_test(suspended_requests_are_cut_after_the_grace),
		cmocka_unit_test(suspended_requests_are_finished_within_the_grace),
		cmocka_unit_test(new_requests_get_503_while_accepted_ones_are_finished),
		cmocka_unit_test(stalled_streams_are_cut_after_the_grace),
		cmocka_unit_test(a_stop_in_full_swing_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
