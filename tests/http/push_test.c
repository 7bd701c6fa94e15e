#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "http/limits.h"
#include "http/push.h"
#include "http/server.h"
#include "cm.h"
#include "toy.h"

#define ASK   "GET /push?limit=1000 HTTP/1.1\r\n" H "\r\n"
#define LARGE "GET /push?limit=250000 HTTP/1.1\r\n" H "\r\n"
#define PIECE 100000
#define WRITE 4

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Everything up to and with `end`. */
static void
hear_until(int fd, const char *end, char *out, size_t size)
{
	size_t n = 0, len = strlen(end);

	while (n < len || memcmp(out + n - len, end, len) != 0) {
		assert_true(n + 1 < size);
		assert_int_equal(recv(fd, out + n, 1, 0), 1);
		n++;
	}
	out[n] = '\0';
}

static void
what_is_written_arrives_at_once_and_the_connection_is_kept(void **state)
{
	struct http_server *s = *state;
	char text[2000];
	struct push *p;
	struct reply r;
	int fd = dial(s);

	say(fd, ASK);
	p = toy_push(0);
	assert_int_equal(push_write(p, "one\n", 4), PUSH_OPEN);
	hear_until(fd, "\r\n\r\n", text, sizeof text);
	assert_non_null(strstr(text, "HTTP/1.1 200"));
	assert_non_null(strstr(text, "text/event-stream"));
	hear_until(fd, "4\r\none\n\r\n", text, sizeof text);
	pause_ms(50); /* it waits now */
	assert_int_equal(push_write(p, "two\n", 4), PUSH_OPEN);
	hear_until(fd, "4\r\ntwo\n\r\n", text, sizeof text);
	assert_true(push_alive(p));
	assert_true(push_drained(p));
	assert_int_equal(push_write(p, "three\n", 6), PUSH_OPEN);
	push_end(p);
	hear_until(fd, "6\r\nthree\n\r\n0\r\n\r\n", text, sizeof text);
	say(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
	hear(fd, false, &r);
	assert_int_equal(r.status, 200);
	reply_free(&r);
	close(fd);
}

static void
the_head_is_sent_before_anything_is_written(void **state)
{
	char text[2000];
	int fd = dial(*state);

	say(fd, ASK);
	hear_until(fd, "\r\n\r\n", text, sizeof text);
	push_end(toy_push(0));
	hear_until(fd, "0\r\n\r\n", text, sizeof text);
	close(fd);
}

static void
what_does_not_fit_is_refused_whole_and_what_fits_arrives_whole(void **state)
{
	static char piece[PIECE];
	int fd = dial(*state), full = 0, written = 0;
	struct push *p;
	struct reply r;

	say(fd, LARGE);
	p = toy_push(0);
	memset(piece, 'x', sizeof piece);
	/* the sockets take some of it, the buffer the rest, and then there is no more room */
	while (full < 100) {
		enum push_state state_now = push_write(p, piece, PIECE);

		written += state_now == PUSH_OPEN;
		full = state_now == PUSH_FULL ? full + 1 : 0;
		assert_int_not_equal(state_now, PUSH_GONE);
		if (full > 0)
			pause_ms(2);
	}
	assert_false(push_drained(p));
	push_end(p);
	hear(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.len, written * PIECE);
	assert_false(r.cut);
	reply_free(&r);
	close(fd);
}

static void
a_client_that_hangs_up_is_noticed(void **state)
{
	struct push *p;
	int fd = dial(*state);

	say(fd, ASK);
	p = toy_push(0);
	assert_true(push_alive(p));
	close(fd);
	for (int i = 0; i < 500 && push_alive(p); i++)
		pause_ms(10);
	assert_false(push_alive(p));
	push_end(p);
}

static void
a_quiet_one_outlives_all_deadlines_and_a_stuck_one_does_not(void **state)
{
	static char piece[PIECE];
	struct http_limits kept = http_limits;
	enum push_state is = PUSH_OPEN;
	struct http_server *s;
	char text[2000];
	int quiet, stuck;

	(void)state;

	http_limits.headers_ms = http_limits.idle_ms = http_limits.reader_ms = 300;
	http_limits.body_window_ms = http_limits.request_ms = 300;
	http_limits.sweep_ms = 50;
	s = toy_start(2, 2);
	quiet = dial(s);
	say(quiet, ASK);
	toy_push(0);
	stuck = dial(s);
	say(stuck, LARGE);
	for (int full = 0; is != PUSH_GONE && full < 2000; full += is == PUSH_FULL) {
		is = push_write(toy_push(1), piece, sizeof piece);
		if (is == PUSH_FULL)
			pause_ms(5);
	}
	assert_int_equal(is, PUSH_GONE);
	pause_ms(600);
	assert_int_equal(push_write(toy_push(0), "still here\n", 11), PUSH_OPEN);
	hear_until(quiet, "still here\n\r\n", text, sizeof text);
	push_end(toy_push(0));
	push_end(toy_push(1));
	http_stop(s, 5000);
	http_limits = kept;
	close(quiet);
	close(stuck);
}

static void
a_stop_ends_open_answers_at_once_and_properly(void **state)
{
	struct http_server *s = toy_start(2, 2);
	int64_t began = clock_mono_ms();
	int fds[TOY_PUSHES];
	struct reply r;

	(void)state;
	for (int i = 0; i < TOY_PUSHES; i++) {
		fds[i] = dial(s);
		say(fds[i], ASK);
		assert_int_equal(push_write(toy_push((unsigned)i), "last\n", 5), PUSH_OPEN);
	}
	http_stop(s, 60000);
	assert_true(clock_mono_ms() - began < 30000);
	for (int i = 0; i < TOY_PUSHES; i++) {
		assert_int_equal(push_write(toy_push((unsigned)i), "x", 1), PUSH_GONE);
		assert_false(push_alive(toy_push((unsigned)i)));
		push_end(toy_push((unsigned)i));
		hear(fds[i], false, &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body, "last\n");
		assert_false(r.cut);
		reply_free(&r);
		close(fds[i]);
	}
}

struct writing {
	unsigned first, step;
};

/* Writes to its share of the pushes until each is gone. */
static void *
write_all(void *arg)
{
	const struct writing *w = arg;
	size_t open = TOY_PUSHES;

	while (open > 0) {
		open = 0;
		for (unsigned i = w->first; i < TOY_PUSHES; i += w->step)
			open += push_write(toy_push(i), "data: x\n\n", 9) != PUSH_GONE;
	}
	return NULL;
}

/* Threads write, clients read or go away, and the server stops under them. */
static void
a_stop_in_full_swing_is_clean(void **state)
{
	struct http_server *s = toy_start(4, 2);
	struct writing shares[WRITE];
	pthread_t threads[WRITE];
	int fds[TOY_PUSHES];
	char scrap[500];

	(void)state;
	for (int i = 0; i < TOY_PUSHES; i++) {
		fds[i] = dial(s);
		say(fds[i], ASK);
	}
	for (unsigned i = 0; i < WRITE; i++) {
		shares[i] = (struct writing){ i, WRITE };
		assert_int_equal(pthread_create(&threads[i], NULL, write_all, &shares[i]), 0);
	}
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < TOY_PUSHES; i += 2)
			assert_true(recv(fds[i], scrap, sizeof scrap, 0) > 0);
	for (int i = 0; i < TOY_PUSHES; i += 8)
		close(fds[i]);
	http_stop(s, 500);
	for (int i = 0; i < WRITE; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < TOY_PUSHES; i++) {
		push_end(toy_push((unsigned)i));
		if (i % 8 != 0)
			close(fds[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_arrives_at_once_and_the_connection_is_kept,
			toy_set_up, toy_tear_down),
		cmocka_unit_test_setup_teardown(
			the_head_is_sent_before_anything_is_written, toy_set_up, toy_tear_down),
		cmocka_unit_test_setup_teardown(
			what_does_not_fit_is_refused_whole_and_what_fits_arrives_whole, toy_set_up,
			toy_tear_down),
		cmocka_unit_test_setup_teardown(a_client_that_hangs_up_is_noticed, toy_set_up, toy_tear_down),
		cmocka_unit_test(a_quiet_one_outlives_all_deadlines_and_a_stuck_one_does_not),
		cmocka_unit_test(a_stop_ends_open_answers_at_once_and_properly),
		cmocka_unit_test(a_stop_in_full_swing_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
