/* The account routes on a real server and a real database, asked in raw HTTP as browsers and programs ask. */
#include "support/pg.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "api/accounts.h"
#include "auth/account.h"
#include "auth/auth.h"
#include "auth/cache.h"
#include "auth/caller.h"
#include "auth/limit.h"
#include "auth/permission.h"
#include "base/hash.h"
#include "base/str.h"
#include "http/server.h"

#define GOOD     "otter violin gravel"
#define OTHER    "heron cello pebbles"
#define ADA      "Authorization: Basic YWRhOm90dGVyIHZpb2xpbiBncmF2ZWw=\r\n" /* ada:GOOD */
#define ROOT     "Authorization: Basic cm9vdDpvdHRlciB2aW9saW4gZ3JhdmVs\r\n" /* root:GOOD */
#define BROWSER  "Sec-Fetch-Site: same-origin\r\nX-Requested-With: cairn-web\r\n"
#define LOCAL    "127.0.0.1"
#define LOGIN(p) "{\"username\":\"ada\",\"password\":\"" p "\"}"

static const struct route routes[] = {
	{ "POST", "/api/v1/login", "login", PUBLIC, &object_none, 4096, WORKER, api_login },
	{ "POST", "/api/v1/logout", "logout", SIGNED_IN, &object_none, 4096, WORKER, api_logout },
	{ "GET", "/api/v1/me", "getMe", SIGNED_IN, &object_none, 0, INLINE, api_me },
	{ "PUT", "/api/v1/me/password", "changePassword", SIGNED_IN, &object_none, 4096, WORKER,
		api_me_password },
	{ "GET", "/api/v1/tokens", "listTokens", SIGNED_IN, &object_none, 0, WORKER, api_token_list },
	{ "POST", "/api/v1/tokens", "createToken", SIGNED_IN, &object_none, 4096, WORKER, api_token_create },
	{ "DELETE", "/api/v1/tokens/{id}", "revokeToken", SIGNED_IN, &object_none, 0, WORKER,
		api_token_revoke },
	{ "GET", "/api/v1/users", "listUsers", ADMIN, &object_server, 0, WORKER, api_user_list },
	{ "POST", "/api/v1/users", "createUser", ADMIN, &object_server, 4096, WORKER, api_user_create },
	{ "PATCH", "/api/v1/users/{username}", "updateUser", ADMIN, &object_server, 4096, WORKER,
		api_user_update },
	{ "DELETE", "/api/v1/users/{username}", "deleteUser", ADMIN, &object_server, 0, WORKER,
		api_user_delete },
};

/* ---- the server: what api/dispatch.c does, as far as it matters here ---- */

static void
refuse(struct request *rq, struct response *rs, enum status st)
{
	static const int codes[] = { [INVALID] = 400,
		[BAD_REQUEST] = 400,
		[ALREADY_EXISTS] = 409,
		[UNAUTHENTICATED] = 401,
		[DENIED] = 403,
		[NOT_FOUND] = 404,
		[TOO_MANY] = 429,
		[NOT_IMPLEMENTED] = 501,
		[UNAVAILABLE] = 503,
		[INTERNAL] = 500 };

	if (st == UNAUTHENTICATED)
		caller_challenge(rq, rs);
	response_status(rs, codes[st] != 0 ? codes[st] : 599);
	buf_clear(response_body(rs));
	buf_str(response_body(rs), request_ctx(rq)->message);
}

static enum status
answer(struct request *rq, struct response *rs)
{
	enum status st = caller_find(rq);

	if (st == OK)
		st = permission_check(rq, request_route(rq));
	if (st == OK)
		st = request_route(rq)->handler(rq, rs);
	if (st != OK && st != NEEDS_WORKER && st != LATER)
		refuse(rq, rs, st);
	return st;
}

static struct http_server *server;

static void
start(struct pg_test *t, const struct auth_options *auth)
{
	static const char *const names[] = { "cairn.lan", NULL };
	struct http_options o = { .address = LOCAL,
		.listen_fd = -1,
		.loop_threads = 1,
		.workers = 3,
		.streams = 1,
		.connection_limit = 100,
		.allow_hosts = names,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.parts = &t->parts,
		.answer = answer,
		.refuse = refuse };
	char error[256] = "";
	struct user u;

	assert_int_equal(auth_setup(&t->cx, auth), OK);
	assert_int_equal(account_add(&t->cx, "root", GOOD, true, &u), OK);
	assert_int_equal(account_add(&t->cx, "ada", GOOD, false, &u), OK);
	server = http_start(&o, error, sizeof(error));
	assert_string_equal(error, "");
	assert_non_null(server);
}

static void
stop(void)
{
	http_stop(server, 1000);
	server = NULL;
}

/* ---- the client ---- */

struct reply {
	int status;
	char text[8192]; /* head and body */
	char body[4096];
};

static int
dial(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(http_port(server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static struct reply
ask_as(const char *host, const char *line, const char *headers, const char *body)
{
	struct reply r = { 0 };
	char text[4096], *end;
	ssize_t got = 1;
	size_t len = 0;
	int fd = dial();

	snprintf(text, sizeof(text),
		"%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s%sContent-Length: %zu\r\n\r\n%s", line,
		host, headers, *body != '\0' ? "Content-Type: application/json\r\n" : "", strlen(body), body);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	while (len < sizeof(r.text) - 1 && (got = recv(fd, r.text + len, sizeof(r.text) - 1 - len, 0)) > 0)
		len += (size_t)got;
	close(fd);
	assert_int_equal(sscanf(r.text, "HTTP/1.1 %d", &r.status), 1);
	end = strstr(r.text, "\r\n\r\n");
	assert_non_null(end);
	assert_true(str_copy(r.body, sizeof(r.body), end + 4));
	return r;
}

static struct reply
ask(const char *line, const char *headers, const char *body)
{
	return ask_as("localhost", line, headers, body);
}

static int
status_of(const char *line, const char *headers, const char *body)
{
	return ask(line, headers, body).status;
}

static bool
says(struct reply r, const char *text)
{
	return strstr(r.text, text) != NULL;
}

/* "Cookie: cairn=…" of a Set-Cookie */
static void
cookie_of(const struct reply *r, char *out, size_t size)
{
	const char *at = strstr(r->text, "Set-Cookie: ");

	assert_non_null(at);
	snprintf(out, size, "Cookie: %.*s\r\n", (int)strcspn(at + 12, ";"), at + 12);
}

static struct reply
sign_in(char *cookie, size_t size)
{
	struct reply r = ask("POST /api/v1/login", BROWSER, LOGIN(GOOD));

	if (r.status != 200)
		print_error("%s\n", r.text);
	assert_int_equal(r.status, 200);
	cookie_of(&r, cookie, size);
	return r;
}

/* ---- tests ---- */

static void
a_browser_signs_in_and_out(void **state)
{
	const struct auth_options auth = { true, NULL };
	char cookie[128], both[512];
	struct reply r;

	start(*state, &auth);
	r = sign_in(cookie, sizeof(cookie));
	assert_string_equal(r.body, "{\"user\":{\"id\":2,\"username\":\"ada\",\"is_admin\":false}}");
	assert_true(says(r, "HttpOnly; SameSite=Lax\r\n"));
	assert_true(says(r, "Cache-Control: no-store"));
	r = ask("GET /api/v1/me", cookie, "");
	assert_string_equal(
		r.body, "{\"user\":{\"id\":2,\"username\":\"ada\",\"is_admin\":false},\"auth\":true}");
	assert_int_equal(status_of("GET /api/v1/me", cookie, ""), 200);
	assert_int_equal(status_of("POST /api/v1/logout", cookie, ""), 403);
	snprintf(both, sizeof(both), "%s%s", cookie, BROWSER);
	r = ask("POST /api/v1/logout", both, "");
	assert_int_equal(r.status, 200);
	assert_true(says(r, "cairn=; Path=/; Max-Age=0"));
	assert_int_equal(status_of("GET /api/v1/me", cookie, ""), 401);
	stop();
}

static void
only_our_own_pages_sign_in(void **state)
{
	const struct auth_options auth = { true, NULL };
	struct reply r;

	start(*state, &auth);
	assert_int_equal(status_of("POST /api/v1/login", "", LOGIN(GOOD)), 403);
	assert_int_equal(status_of("POST /api/v1/login", "Sec-Fetch-Site: cross-site\r\n", LOGIN(GOOD)), 403);
	assert_int_equal(
		status_of("POST /api/v1/login", "Origin: http://evil.example\r\n", LOGIN(GOOD)), 403);
	assert_int_equal(status_of("POST /api/v1/login", "Origin: http://localhost\r\n", LOGIN(GOOD)), 200);
	assert_int_equal(status_of("POST /api/v1/login", BROWSER, LOGIN("wrong password here")), 401);
	assert_int_equal(status_of("POST /api/v1/login", BROWSER, "{\"username\":\"ada\"}"), 400);
	r = ask_as("cairn.lan", "POST /api/v1/login", BROWSER, LOGIN(GOOD));
	assert_int_equal(r.status, 403);
	assert_true(says(r, "--public-url"));
	stop();
}

static void
under_https_the_cookie_is_bound_to_it(void **state)
{
	const struct auth_options auth = { true, "https://cairn.lan" };
	struct reply r;

	start(*state, &auth);
	r = ask_as("cairn.lan", "POST /api/v1/login", "Origin: https://cairn.lan\r\n", LOGIN(GOOD));
	assert_int_equal(r.status, 200);
	assert_true(says(r, "Set-Cookie: __Host-cairn="));
	assert_true(says(r, "; Secure\r\n"));
	stop();
}

static void
programs_come_in_by_basic_and_bearer(void **state)
{
	const struct auth_options auth = { true, NULL };
	char bearer[128], token[64], line[64];
	long long id = 0;
	struct reply r;

	start(*state, &auth);
	assert_int_equal(status_of("GET /api/v1/me", ADA, ""), 200);
	r = ask("POST /api/v1/tokens", ADA, "{\"name\":\"laptop\",\"expires_in_days\":7}");
	assert_int_equal(r.status, 200);
	assert_int_equal(
		sscanf(r.body, "{\"token\":\"%55[^\"]\",\"id\":%lld,\"name\":\"laptop\"", token, &id), 2);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s\r\n", token);
	assert_int_equal(status_of("GET /api/v1/me", bearer, ""), 200);
	assert_int_equal(status_of("POST /api/v1/tokens", bearer, "{\"name\":\"another\"}"), 403);
	r = ask("GET /api/v1/tokens", bearer, "");
	assert_true(
		says(r, "\"name\":\"laptop\"") && says(r, "expires_unix_ms") && says(r, "last_used_unix_ms"));
	assert_false(says(r, token));
	snprintf(line, sizeof(line), "DELETE /api/v1/tokens/%lld", id);
	assert_int_equal(status_of(line, ADA, ""), 200);
	assert_int_equal(status_of(line, ADA, ""), 404);
	assert_int_equal(status_of("DELETE /api/v1/tokens/x", ADA, ""), 400);
	assert_int_equal(status_of("GET /api/v1/me", bearer, ""), 401);
	assert_int_equal(
		status_of("POST /api/v1/tokens", ADA, "{\"name\":\"x\",\"expires_in_days\":0}"), 400);
	stop();
}

static void
a_credential_in_the_query_is_none(void **state)
{
	const struct auth_options auth = { true, NULL };
	struct user_token token;
	struct pg_test *t = *state;
	char text[TOKEN_TEXT], line[256];

	start(t, &auth);
	assert_int_equal(account_token_add(&t->cx, 2, "laptop", 0, text, &token), OK);
	snprintf(line, sizeof(line), "GET /api/v1/me?token=%s&access_token=%s", text, text);
	assert_int_equal(status_of(line, "", ""), 401);
	stop();
}

static void
the_prompt_is_for_programs_and_not_for_our_pages(void **state)
{
	const struct auth_options auth = { true, NULL };
	struct reply r;

	start(*state, &auth);
	r = ask("GET /api/v1/me", "", "");
	assert_int_equal(r.status, 401);
	assert_true(says(r, "WWW-Authenticate: Basic realm=\"cairn\""));
	r = ask("GET /api/v1/me", BROWSER, "");
	assert_int_equal(r.status, 401);
	assert_false(says(r, "WWW-Authenticate"));
	stop();
}

static void
a_new_password_ends_other_sessions_and_keeps_this_one(void **state)
{
	const struct auth_options auth = { true, NULL };
	const char *change = "{\"current_password\":\"" GOOD "\",\"password\":\"" OTHER "\"}";
	char here[128], there[128], headers[256];
	struct reply r;

	start(*state, &auth);
	sign_in(here, sizeof(here));
	sign_in(there, sizeof(there));
	assert_int_equal(status_of("GET /api/v1/me", there, ""), 200);
	snprintf(headers, sizeof(headers), "%s%s", here, BROWSER);
	r = ask("PUT /api/v1/me/password", headers,
		"{\"current_password\":\"no\",\"password\":\"" OTHER "\"}");
	assert_int_equal(r.status, 400);
	r = ask("PUT /api/v1/me/password", headers, change);
	assert_int_equal(r.status, 200);
	assert_int_equal(status_of("GET /api/v1/me", here, ""), 401);
	assert_int_equal(status_of("GET /api/v1/me", there, ""), 401);
	cookie_of(&r, here, sizeof(here));
	assert_int_equal(status_of("GET /api/v1/me", here, ""), 200);
	assert_int_equal(status_of("GET /api/v1/me", ADA, ""), 401);
	stop();
}

static void
administrators_manage_users_and_others_do_not(void **state)
{
	const struct auth_options auth = { true, NULL };
	struct reply r;

	start(*state, &auth);
	assert_int_equal(status_of("GET /api/v1/users", ADA, ""), 403);
	r = ask("GET /api/v1/users", ROOT, "");
	assert_true(
		says(r, "{\"users\":[{\"id\":2,\"username\":\"ada\",\"is_admin\":false,\"disabled\":false,"));
	assert_int_equal(
		status_of("POST /api/v1/users", ADA, "{\"username\":\"b\",\"password\":\"" GOOD "\"}"), 403);
	r = ask("POST /api/v1/users", ROOT,
		"{\"username\":\"b\",\"password\":\"" GOOD "\",\"is_admin\":true}");
	assert_true(says(r, "{\"user\":{\"id\":3,\"username\":\"b\",\"is_admin\":true,"));
	assert_int_equal(
		status_of("POST /api/v1/users", ROOT, "{\"username\":\"b\",\"password\":\"" GOOD "\"}"), 409);
	assert_int_equal(
		status_of("POST /api/v1/users", ROOT, "{\"username\":\"c\",\"password\":\"short\"}"), 400);
	r = ask("PATCH /api/v1/users/ada", ROOT, "{\"disabled\":true}");
	assert_true(says(r, "\"disabled\":true"));
	assert_int_equal(status_of("GET /api/v1/me", ADA, ""), 401);
	assert_int_equal(status_of("PATCH /api/v1/users/root", ROOT, "{\"password\":\"" OTHER "\"}"), 400);
	assert_int_equal(status_of("DELETE /api/v1/users/ada", ROOT, ""), 200);
	assert_int_equal(status_of("DELETE /api/v1/users/ada", ROOT, ""), 404);
	assert_int_equal(status_of("DELETE /api/v1/users/b", ROOT, ""), 200);
	assert_int_equal(status_of("DELETE /api/v1/users/root", ROOT, ""), 400);
	stop();
}

static void
too_many_guesses_are_told_when_to_come_again(void **state)
{
	const struct auth_options auth = { true, NULL };
	struct reply r;

	start(*state, &auth);
	for (int i = 0; i < 5; i++)
		assert_int_equal(status_of("POST /api/v1/login", BROWSER, LOGIN("wrong password here")), 401);
	r = ask("POST /api/v1/login", BROWSER, LOGIN(GOOD));
	assert_int_equal(r.status, 429);
	assert_true(says(r, "Retry-After: 1\r\n"));
	stop();
}

static void
with_auth_off_there_is_nobody(void **state)
{
	const struct auth_options auth = { false, NULL };
	struct reply r;

	start(*state, &auth);
	r = ask("GET /api/v1/me", "", "");
	assert_string_equal(r.body, "{\"user\":null,\"auth\":false}");
	assert_int_equal(status_of("POST /api/v1/login", BROWSER, LOGIN(GOOD)), 501);
	assert_int_equal(status_of("GET /api/v1/tokens", "", ""), 501);
	assert_int_equal(status_of("GET /api/v1/users", ROOT, ""), 501);
	assert_int_equal(status_of("POST /api/v1/logout", "", ""), 200);
	stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(a_browser_signs_in_and_out),
		pg_test(only_our_own_pages_sign_in),
		pg_test(under_https_the_cookie_is_bound_to_it),
		pg_test(programs_come_in_by_basic_and_bearer),
		pg_test(a_credential_in_the_query_is_none),
		pg_test(the_prompt_is_for_programs_and_not_for_our_pages),
		pg_test(a_new_password_ends_other_sessions_and_keeps_this_one),
		pg_test(administrators_manage_users_and_others_do_not),
		pg_test(too_many_guesses_are_told_when_to_come_again),
		pg_test(with_auth_off_there_is_nobody),
	};
	int failed;

	if (!hash_setup())
		return 1;
	failed = cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);
	auth_fini();
	return failed;
}
