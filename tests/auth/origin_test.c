#include "auth/origin.h"

#include "auth/auth.h"
#include "auth/permission.h"
#include "auth/session.h"
#include "auth/unit.h"

static enum status
check(struct ctx *cx, enum origin_rule rule, const char *method, const char *site, const char *origin)
{
	const struct origin o = { method, "127.0.0.1:5000", origin, site, NULL };

	return origin_check(cx, rule, &o);
}

static void
public_url(struct ctx *cx, const char *url)
{
	const struct auth_options options = { true, url };

	assert_int_equal(auth_setup(cx, &options), OK);
}

static void
a_session_changes_things_only_from_our_own_pages(void **state)
{
	struct ctx *cx = *state;

	public_url(cx, NULL);
	assert_int_equal(check(cx, ORIGIN_STRICT, "POST", "same-origin", NULL), OK);
	assert_int_equal(check(cx, ORIGIN_STRICT, "POST", "none", NULL), OK);
	assert_int_equal(check(cx, ORIGIN_STRICT, "POST", "same-site", NULL), DENIED);
	assert_int_equal(check(cx, ORIGIN_STRICT, "POST", "cross-site", "http://127.0.0.1:5000"), DENIED);
	assert_int_equal(check(cx, ORIGIN_STRICT, "POST", "same-origin, same-origin", NULL), DENIED);
	assert_int_equal(check(cx, ORIGIN_STRICT, "DELETE", NULL, "http://127.0.0.1:5000"), OK);
	assert_int_equal(check(cx, ORIGIN_STRICT, "DELETE", NULL, "http://127.0.0.1:5001"), DENIED);
	assert_int_equal(check(cx, ORIGIN_STRICT, "PATCH", NULL, "http://evil.example"), DENIED);
	assert_int_equal(check(cx, ORIGIN_STRICT, "PUT", NULL, "null"), DENIED);
	assert_int_equal(
		check(cx, ORIGIN_STRICT, "POST", NULL, "http://127.0.0.1:5000.evil.example"), DENIED);
	assert_int_equal(
		check(cx, ORIGIN_STRICT, "POST", NULL, "http://evil.example://127.0.0.1:5000"), DENIED);
	assert_int_equal(check(cx, ORIGIN_STRICT, "POST", NULL, NULL), DENIED);
	assert_int_equal(check(cx, ORIGIN_STRICT, "GET", NULL, NULL), OK);
	assert_int_equal(check(cx, ORIGIN_STRICT, "HEAD", "cross-site", NULL), OK);
}

static void
basic_works_for_programs_and_not_for_other_sites(void **state)
{
	const struct origin link = { "GET", "127.0.0.1:5000", NULL, "cross-site", "navigate" };
	struct ctx *cx = *state;

	public_url(cx, NULL);
	assert_int_equal(check(cx, ORIGIN_LOOSE, "POST", NULL, NULL), OK);
	assert_int_equal(check(cx, ORIGIN_LOOSE, "POST", "same-origin", NULL), OK);
	assert_int_equal(check(cx, ORIGIN_LOOSE, "POST", "cross-site", NULL), DENIED);
	assert_int_equal(check(cx, ORIGIN_LOOSE, "POST", "same-site", NULL), DENIED);
	assert_int_equal(check(cx, ORIGIN_LOOSE, "POST", NULL, "http://evil.example"), DENIED);
	assert_int_equal(check(cx, ORIGIN_LOOSE, "GET", "cross-site", NULL), DENIED);
	assert_int_equal(origin_check(cx, ORIGIN_LOOSE, &link), OK);
}

static void
the_public_url_is_ours_and_its_http_twin_is_not(void **state)
{
	struct origin o = { "POST", "cairn.example", "https://cairn.example", NULL, NULL };
	struct ctx *cx = *state;

	public_url(cx, "https://cairn.example/");
	assert_string_equal(auth_public_url(), "https://cairn.example");
	assert_int_equal(origin_check(cx, ORIGIN_STRICT, &o), OK);
	o.host = "10.0.0.5:5000";
	assert_int_equal(origin_check(cx, ORIGIN_STRICT, &o), OK);
	o.host = "cairn.example";
	o.origin = "http://cairn.example";
	assert_int_equal(origin_check(cx, ORIGIN_STRICT, &o), DENIED);
	o.host = "localhost:5000";
	o.origin = "http://localhost:5000";
	assert_int_equal(origin_check(cx, ORIGIN_STRICT, &o), OK);
}

static void
beyond_loopback_a_sign_in_needs_a_public_url(void **state)
{
	struct ctx *cx = *state;

	public_url(cx, NULL);
	assert_int_equal(origin_signin(cx, "localhost:5000"), OK);
	assert_int_equal(origin_signin(cx, "127.0.0.1:5000"), OK);
	assert_int_equal(origin_signin(cx, "127.8.0.1"), OK);
	assert_int_equal(origin_signin(cx, "[::1]:5000"), OK);
	assert_int_equal(origin_signin(cx, "localhost.evil.example"), DENIED);
	assert_int_equal(origin_signin(cx, "127.0.0.1.evil.example"), DENIED);
	assert_int_equal(origin_signin(cx, NULL), DENIED);
	assert_int_equal(origin_signin(cx, "cairn.lan:5000"), DENIED);
	assert_non_null(strstr(cx->message, "--public-url"));
	public_url(cx, "http://cairn.lan:5000");
	assert_int_equal(origin_signin(cx, "cairn.lan:5000"), OK);
}

static void
the_cookie_says_what_the_url_allows(void **state)
{
	char cookie[SESSION_COOKIE], value[SESSION_VALUE];
	const char *secret = "0123456789012345678901234567890123456789abc";
	struct ctx *cx = *state;

	public_url(cx, "https://cairn.example");
	session_set_cookie(cookie, secret);
	assert_string_equal(cookie,
		"__Host-cairn=0123456789012345678901234567890123456789abc; Path=/; Max-Age=604800; "
		"HttpOnly; SameSite=Lax; Secure");
	assert_true(session_from_cookies(
		"a=b; __Host-cairn=0123456789012345678901234567890123456789abc; c=d", value));
	assert_string_equal(value, secret);
	assert_false(session_from_cookies("cairn=0123456789012345678901234567890123456789abc", value));
	public_url(cx, NULL);
	session_set_cookie(cookie, NULL);
	assert_string_equal(cookie, "cairn=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
	assert_true(session_from_cookies("cairn=0123456789012345678901234567890123456789abc", value));
	assert_false(session_from_cookies("xcairn=0123456789012345678901234567890123456789abc", value));
	assert_false(session_from_cookies("cairn=short", value));
	assert_false(session_from_cookies("", value));
	assert_false(session_from_cookies(";;; ;", value));
}

static void
a_public_url_is_scheme_and_host(void **state)
{
	static const char *const bad[] = { "cairn.example", "ftp://cairn.example", "https://", "https://a/b",
		"https://user@a", "https://a b", "https://a?x" };
	struct auth_options options = { true, NULL };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		options.public_url = bad[i];
		assert_int_equal(auth_setup(*state, &options), INVALID);
	}
}

static void
permissions_are_what_they_say(void **state)
{
	struct auth_options options = { true, NULL };
	struct ctx *cx = *state;

	assert_int_equal(auth_setup(cx, &options), OK);
	cx->actor = (struct actor){ 0, 0, "", false };
	assert_int_equal(permission_of(cx, PUBLIC), OK);
	for (int needs = SIGNED_IN; needs <= ADMIN; needs++)
		assert_int_equal(permission_of(cx, (enum permission)needs), UNAUTHENTICATED);
	cx->actor.user_id = 5;
	for (int needs = PUBLIC; needs < ADMIN; needs++)
		assert_int_equal(permission_of(cx, (enum permission)needs), OK);
	assert_int_equal(permission_of(cx, ADMIN), DENIED);
	cx->actor.is_admin = true;
	assert_int_equal(permission_of(cx, ADMIN), OK);
	options.on = false;
	assert_int_equal(auth_setup(cx, &options), OK);
	cx->actor = (struct actor){ 0, 0, "", false };
	for (int needs = PUBLIC; needs < ADMIN; needs++)
		assert_int_equal(permission_of(cx, (enum permission)needs), OK);
	assert_int_equal(permission_of(cx, ADMIN), NOT_IMPLEMENTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_changes_things_only_from_our_own_pages),
		cmocka_unit_test(basic_works_for_programs_and_not_for_other_sites),
		cmocka_unit_test(the_public_url_is_ours_and_its_http_twin_is_not),
		cmocka_unit_test(beyond_loopback_a_sign_in_needs_a_public_url),
		cmocka_unit_test(the_cookie_says_what_the_url_allows),
		cmocka_unit_test(a_public_url_is_scheme_and_host),
		cmocka_unit_test(permissions_are_what_they_say),
	};
	int failed = cmocka_run_group_tests(tests, unit_setup, unit_teardown);

	auth_fini();
	return failed;
}
