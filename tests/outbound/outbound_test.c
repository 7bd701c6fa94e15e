/* Requests to a receiver of the test's own on loopback: a thread that answers what the test says. */
#include "outbound/outbound.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "cm.h"

struct receiver {
	int fd;
	char url[64];
	const char *answer; /* NULL: none, the connection stays open until the test ends */
	int pad;            /* bytes of 'x' after the answer */
	int connections;
	char seen[4096]; /* the last request */
	pthread_t thread;
};

static void
answer_one(struct receiver *r, int s)
{
	size_t len = 0;
	ssize_t n;

	r->connections++;
	while (strstr(r->seen, "{body}") == NULL && len < sizeof(r->seen) - 1 &&
		(n = recv(s, r->seen + len, sizeof(r->seen) - 1 - len, 0)) > 0) {
		len += (size_t)n;
		r->seen[len] = '\0';
	}
	if (r->answer == NULL) {
		while (recv(s, r->seen, sizeof(r->seen) - 1, 0) > 0)
			continue;
		return;
	}
	(void)send(s, r->answer, strlen(r->answer), MSG_NOSIGNAL);
	for (int i = 0; i < r->pad && send(s, "xxxxxxxxxxxxxxxx", 16, MSG_NOSIGNAL) > 0; i += 16)
		continue;
}

static void *
receive(void *arg)
{
	struct receiver *r = arg;
	int s;

	while ((s = accept(r->fd, NULL, NULL)) >= 0) {
		r->seen[0] = '\0';
		answer_one(r, s);
		close(s);
	}
	return NULL;
}

static void
open_receiver(struct receiver *r, const char *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*r = (struct receiver){ .fd = socket(AF_INET, SOCK_STREAM, 0), .answer = answer };
	assert_int_equal(bind(r->fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(r->fd, 8), 0);
	assert_int_equal(getsockname(r->fd, (struct sockaddr *)&at, &len), 0);
	(void)snprintf(r->url, sizeof(r->url), "http://127.0.0.1:%d/hook", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&r->thread, NULL, receive, r), 0);
}

static void
close_receiver(struct receiver *r)
{
	shutdown(r->fd, SHUT_RDWR);
	pthread_join(r->thread, NULL);
	close(r->fd);
}

static struct outbound *
outbound(bool loopback)
{
	static const char *const allow[] = { "127.0.0.0/8" };
	char error[200];
	struct outbound *o = outbound_new(allow, loopback ? 1 : 0, error, sizeof(error));

	assert_non_null(o);
	return o;
}

static struct outbound_answer
post(const char *url, bool loopback)
{
	static const char *const headers[] = { "Content-Type: application/json", "X-Test: yes" };
	const struct outbound_post p = { .url = url,
		.headers = headers,
		.header_count = 2,
		.body = "{body}",
		.len = 6,
		.timeout_ms = 3000 };
	struct outbound *o = outbound(loopback);
	struct outbound_answer a;

	outbound_post(o, &p, &a);
	outbound_free(o);
	return a;
}

static void
a_listed_address_is_sent_to(void **state)
{
	struct receiver r;
	struct outbound_answer a;

	(void)state;
	open_receiver(&r, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nso\xff\xc3\xbc");
	a = post(r.url, true);
	close_receiver(&r);
	assert_int_equal(a.status, 503);
	assert_int_equal(a.retry_after_s, 7);
	assert_string_equal(a.body, "so?\xc3\xbc");
	assert_non_null(strstr(r.seen, "POST /hook HTTP/1.1\r\n"));
	assert_non_null(strstr(r.seen, "\r\nX-Test: yes\r\n"));
	assert_null(strstr(r.seen, "Expect:"));
	assert_non_null(strstr(r.seen, "\r\n\r\n{body}"));
}

static void
an_address_that_is_not_listed_gets_no_connection(void **state)
{
	struct receiver r;
	struct outbound_answer a;
	char named[64];

	(void)state;
	open_receiver(&r, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	(void)snprintf(named, sizeof(named), "http://localhost%s", strrchr(r.url, ':'));
	for (int i = 0; i < 2; i++) {
		a = post(i == 0 ? r.url : named, false);
		assert_int_equal(a.status, 0);
		assert_true(a.refused);
		assert_non_null(strstr(a.error, "is not public"));
	}
	close_receiver(&r);
	assert_int_equal(r.connections, 0);
}

static void
other_spellings_of_loopback_are_seen_through(void **state)
{
	static const char *const all[] = { "https://127.1/", "https://0x7f000001/", "https://2130706433/",
		"https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::]/",
		"https://0/", "https://user@localhost/", "https://169.254.169.254/latest/meta-data/" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct outbound_answer a = post(all[i], false);

		if (a.status != 0 || !a.refused)
			fail_msg("%s: status %d, %s", all[i], a.status, a.error);
	}
}

static void
a_redirect_is_an_answer(void **state)
{
	struct receiver r, inner;
	struct outbound_answer a;
	char answer[200];

	(void)state;
	open_receiver(&inner, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	(void)snprintf(answer, sizeof(answer),
		"HTTP/1.1 307 There\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", inner.url);
	open_receiver(&r, answer);
	a = post(r.url, true);
	close_receiver(&r);
	close_receiver(&inner);
	assert_int_equal(a.status, 307);
	assert_int_equal(inner.connections, 0);
}

static void
only_the_beginning_of_an_answer_is_kept(void **state)
{
	struct receiver r;
	struct outbound_answer a;

	(void)state;
	open_receiver(&r, "HTTP/1.1 200 OK\r\n\r\n");
	r.pad = 16 << 20;
	a = post(r.url, true);
	close_receiver(&r);
	assert_int_equal(a.status, 200);
	assert_int_equal(strlen(a.body), OUTBOUND_BODY);
}

static void
other_protocols_are_refused(void **state)
{
	static const char *const all[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:1/x",
		"dict://127.0.0.1:1/x", "127.0.0.1", "", "http://", "https://a b/" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct outbound_answer a = post(all[i], true);

		if (a.status != 0 || a.error[0] == '\0')
			fail_msg("\"%s\": status %d, %s", all[i], a.status, a.error);
	}
}

static void
it_ends_soon_when_the_server_stops(void **state)
{
	atomic_bool stop = true;
	struct outbound_post p = { .body = "{body}", .len = 6, .timeout_ms = 20000, .stop = &stop };
	struct outbound *o = outbound(true);
	int64_t began = clock_mono_ms();
	struct outbound_answer a;
	struct receiver r;

	(void)state;
	open_receiver(&r, NULL);
	p.url = r.url;
	outbound_post(o, &p, &a);
	assert_int_equal(a.status, 0);
	assert_true(a.stopped);
	assert_true(clock_mono_ms() - began < 10000);
	p.stop = NULL;
	p.timeout_ms = 200;
	outbound_post(o, &p, &a);
	assert_int_equal(a.status, 0);
	assert_false(a.stopped || a.refused);
	outbound_free(o);
	close_receiver(&r);
}

static enum status
check(const char *url, bool loopback, char message[1024])
{
	struct outbound *o = outbound(loopback);
	struct parts parts = { .outbound = o };
	struct arena *arena = arena_new();
	struct ctx cx;
	enum status st;

	ctx_init(&cx, arena, &parts);
	st = outbound_check(&cx, "webhook URL", url);
	memcpy(message, cx.message, 1024);
	arena_free(arena);
	outbound_free(o);
	return st;
}

static void
a_url_is_checked_before_it_is_kept(void **state)
{
	char message[1024];

	(void)state;
	assert_int_equal(check("https://8.8.8.8/hook", false, message), OK);
	assert_int_equal(check("https://127.0.0.1:1/hook", true, message), OK);
	assert_int_equal(check("http://localhost:1/hook", true, message), OK); /* though it may be ::1 too */
	assert_int_equal(check("http://127.0.0.1:1/hook", true, message), OK);
	assert_int_equal(check("https://127.0.0.1/", false, message), INVALID);
	assert_string_equal(message, "Webhook URL must not resolve to a non-public IP address. "
				     "'127.0.0.1' resolves to 127.0.0.1.");
	assert_int_equal(check("http://8.8.8.8/", true, message), INVALID);
	assert_non_null(strstr(message, "Invalid webhook URL scheme: 'http'"));
	assert_int_equal(check("ftp://8.8.8.8/", true, message), INVALID);
	assert_string_equal(message, "Invalid webhook URL scheme: 'ftp'. Allowed schemes are: https.");
	assert_int_equal(check("  ", true, message), INVALID);
	assert_non_null(strstr(message, "Webhook URL cannot be empty or just whitespace"));
	assert_int_equal(check("https:///8.8.8.8", true, message), INVALID);
	assert_string_equal(message, "Invalid webhook URL 'https:///8.8.8.8': it has no host");
	assert_int_equal(check("https://", true, message), INVALID);
	assert_non_null(strstr(message, "Invalid webhook URL"));
	assert_int_equal(check("hook", true, message), INVALID);
	assert_non_null(strstr(message, "Invalid webhook URL scheme"));
}

static int
setup(void **state)
{
	(void)state;
	return hash_setup() ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listed_address_is_sent_to),
		cmocka_unit_test(an_address_that_is_not_listed_gets_no_connection),
		cmocka_unit_test(other_spellings_of_loopback_are_seen_through),
		cmocka_unit_test(a_redirect_is_an_answer),
		cmocka_unit_test(only_the_beginning_of_an_answer_is_kept),
		cmocka_unit_test(other_protocols_are_refused),
		cmocka_unit_test(it_ends_soon_when_the_server_stops),
		cmocka_unit_test(a_url_is_checked_before_it_is_kept),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
