#include "support/pg.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "auth/account.h"
#include "auth/auth.h"
#include "auth/cache.h"
#include "auth/caller.h"
#include "auth/limit.h"
#include "auth/password.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/hash.h"

#define GOOD  "otter violin gravel"
#define OTHER "heron cello pebbles"

/* ---- asking ---- */

static const char *
basic(struct pg_test *t, const char *name, const char *password)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *both = arena_printf(t->arena, "%s:%s", name, password), *out, *at;
	size_t len = strlen(both);
	uint32_t three;

	at = out = arena_alloc(t->arena, len * 2 + 16);
	memcpy(at, "Basic ", 6);
	at += 6;
	for (size_t i = 0; i < len; i += 3) {
		three = (uint32_t)(uint8_t)both[i] << 16;
		three |= i + 1 < len ? (uint32_t)(uint8_t)both[i + 1] << 8 : 0;
		three |= i + 2 < len ? (uint8_t)both[i + 2] : 0;
		*at++ = alphabet[three >> 18];
		*at++ = alphabet[three >> 12 & 63];
		*at++ = i + 1 < len ? alphabet[three >> 6 & 63] : '=';
		*at++ = i + 2 < len ? alphabet[three & 63] : '=';
	}
	return out;
}

static struct caller_input
request(const char *authorization, const char *cookie)
{
	return (struct caller_input){ { "GET", "127.0.0.1:5000", NULL, NULL, NULL }, authorization, cookie,
		"192.0.2.7", false };
}

static enum status
ask(struct pg_test *t, const char *authorization, const char *cookie)
{
	const struct caller_input in = request(authorization, cookie);
	int64_t retry_after_s;

	return caller_check(&t->cx, &in, &retry_after_s);
}

static enum status
ask_on_loop(struct pg_test *t, const char *authorization, const char *cookie)
{
	struct caller_input in = request(authorization, cookie);
	int64_t retry_after_s;

	in.on_loop = true;
	return caller_check(&t->cx, &in, &retry_after_s);
}

static void
fresh(struct pg_test *t)
{
	auth_cache_setup();
	auth_limit_setup();
	t->cx.actor = (struct actor){ 0, 0, "", false };
}

static struct user
add(struct pg_test *t, const char *name, bool is_admin)
{
	struct user u = { 0 };

	assert_int_equal(account_add(&t->cx, name, GOOD, is_admin, &u), OK);
	return u;
}

static const char *
cookie_of(struct pg_test *t, int64_t user_id)
{
	char value[SESSION_VALUE];

	assert_int_equal(session_start(&t->cx, user_id, value), OK);
	return arena_printf(t->arena, "theme=dark; cairn=%s", value);
}

/* ---- the three ways in ---- */

static void
nobody_is_nobody(void **state)
{
	struct pg_test *t = *state;

	fresh(t);
	assert_int_equal(ask(t, NULL, NULL), OK);
	assert_int_equal(t->cx.actor.user_id, 0);
	assert_string_equal(t->cx.actor.user_name, "");
	assert_int_equal(ask(t, NULL, "cairn=short"), OK);
	assert_int_equal(ask_on_loop(t, NULL, NULL), OK);
}

static void
basic_comes_in_and_then_from_memory(void **state)
{
	struct pg_test *t = *state;
	const char *header = basic(t, "ada", GOOD);
	struct user u;

	fresh(t);
	u = add(t, "ada", true);
	assert_int_equal(ask_on_loop(t, header, NULL), NEEDS_WORKER);
	assert_int_equal(ask(t, header, NULL), OK);
	assert_int_equal(t->cx.actor.user_id, u.user_id);
	assert_true(t->cx.actor.is_admin);
	assert_int_equal(ask_on_loop(t, header, NULL), OK);
	assert_int_equal(t->cx.actor.user_id, u.user_id);
	assert_string_equal(t->cx.actor.user_name, "ada");
	assert_int_equal(t->cx.actor.token_id, 0);
}

static void
bearer_comes_in_and_then_from_memory(void **state)
{
	struct pg_test *t = *state;
	struct user_token token;
	char text[TOKEN_TEXT];
	const char *header;
	struct user u;

	fresh(t);
	u = add(t, "ada", false);
	assert_int_equal(account_token_add(&t->cx, u.user_id, "laptop", 1, text, &token), OK);
	header = arena_printf(t->arena, "Bearer %s", text);
	assert_int_equal(ask_on_loop(t, header, NULL), NEEDS_WORKER);
	assert_int_equal(ask(t, header, NULL), OK);
	assert_int_equal(t->cx.actor.token_id, token.token_id);
	assert_int_equal(ask_on_loop(t, header, NULL), OK);
	assert_int_equal(t->cx.actor.token_id, token.token_id);
	assert_int_equal(account_token_revoke(&t->cx, u.user_id, token.token_id), OK);
	assert_int_equal(ask(t, header, NULL), UNAUTHENTICATED);
	/* a mistyped one is known without asking anybody */
	assert_int_equal(ask_on_loop(t, "Bearer cairn_x", NULL), UNAUTHENTICATED);
}

static void
a_cookie_comes_in_and_changes_things_only_from_our_pages(void **state)
{
	struct pg_test *t = *state;
	struct caller_input in;
	int64_t retry_after_s;
	const char *cookie;
	struct user u;

	fresh(t);
	u = add(t, "ada", false);
	cookie = cookie_of(t, u.user_id);
	assert_int_equal(ask_on_loop(t, NULL, cookie), NEEDS_WORKER);
	assert_int_equal(ask(t, NULL, cookie), OK);
	assert_int_equal(t->cx.actor.user_id, u.user_id);
	assert_int_equal(ask_on_loop(t, NULL, cookie), OK);
	in = request(NULL, cookie);
	in.origin.method = "POST";
	assert_int_equal(caller_check(&t->cx, &in, &retry_after_s), DENIED);
	in.origin.fetch_site = "cross-site";
	assert_int_equal(caller_check(&t->cx, &in, &retry_after_s), DENIED);
	in.origin.fetch_site = "same-origin";
	assert_int_equal(caller_check(&t->cx, &in, &retry_after_s), OK);
	/* the same browser with Basic */
	in.authorization = basic(t, "ada", GOOD);
	in.origin.fetch_site = "cross-site";
	assert_int_equal(caller_check(&t->cx, &in, &retry_after_s), DENIED);
	assert_int_equal(session_end(&t->cx, strstr(cookie, "cairn=") + 6), OK);
	assert_int_equal(ask(t, NULL, cookie), UNAUTHENTICATED);
}

static void
authorization_goes_before_the_cookie(void **state)
{
	struct pg_test *t = *state;
	const char *cookie;
	struct user u;

	fresh(t);
	u = add(t, "ada", false);
	cookie = cookie_of(t, u.user_id);
	assert_int_equal(ask(t, basic(t, "ada", "wrong password here"), cookie), UNAUTHENTICATED);
	assert_int_equal(t->cx.actor.user_id, 0);
}

static void
what_is_wrong_is_not_told(void **state)
{
	struct pg_test *t = *state;
	const char *first;

	fresh(t);
	add(t, "root", true);
	add(t, "ada", false);
	assert_int_equal(ask(t, basic(t, "ada", "wrong password here"), NULL), UNAUTHENTICATED);
	first = arena_str(t->arena, t->cx.message);
	assert_int_equal(ask(t, basic(t, "nobody", GOOD), NULL), UNAUTHENTICATED);
	assert_string_equal(t->cx.message, first);
	assert_int_equal(account_enable(&t->cx, "ada", false), OK);
	assert_int_equal(ask(t, basic(t, "ada", GOOD), NULL), UNAUTHENTICATED);
	assert_string_equal(t->cx.message, first);
	pg_sql(t, "UPDATE cairn.user_account SET disabled = false, password = NULL WHERE name = 'ada'");
	assert_int_equal(ask(t, basic(t, "ada", GOOD), NULL), UNAUTHENTICATED);
	assert_string_equal(t->cx.message, first);
}

static void
malformed_headers_are_refused(void **state)
{
	static const char *const bad[] = { "Basic", "Basic ", "Basic !!!", "Basic bm9jb2xvbg==", "Basic OnB3",
		"Basic YQA6Yg==", "Digest x", "Bearer", "Bearer ", "" };
	struct pg_test *t = *state;

	fresh(t);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ask(t, bad[i], NULL) != UNAUTHENTICATED)
			fail_msg("\"%s\"", bad[i]);
	}
}

static void
latin_1_names_and_passwords_come_in(void **state)
{
	struct pg_test *t = *state;
	struct user u;

	fresh(t);
	assert_int_equal(account_add(&t->cx, "zo\xc3\xab", "\xc3\xa9toile filante bleue", false, &u), OK);
	assert_int_equal(ask(t, basic(t, "zo\xc3\xab", "\xc3\xa9toile filante bleue"), NULL), OK);
	auth_cache_setup();
	assert_int_equal(ask(t, basic(t, "zo\xeb", "\xe9toile filante bleue"), NULL), OK);
	assert_int_equal(t->cx.actor.user_id, u.user_id);
}

/* ---- what changes ---- */

static void
a_change_is_felt_at_once(void **state)
{
	struct pg_test *t = *state;
	const char *header = basic(t, "ada", GOOD);

	fresh(t);
	add(t, "root", true);
	add(t, "ada", false);
	assert_int_equal(ask(t, header, NULL), OK);
	assert_int_equal(account_admin(&t->cx, "ada", true), OK);
	assert_int_equal(ask(t, header, NULL), OK);
	assert_true(t->cx.actor.is_admin);
	assert_int_equal(account_enable(&t->cx, "ada", false), OK);
	assert_int_equal(ask(t, header, NULL), UNAUTHENTICATED);
	assert_int_equal(account_enable(&t->cx, "ada", true), OK);
	assert_int_equal(ask(t, header, NULL), OK);
	assert_int_equal(account_password(&t->cx, "ada", OTHER), OK);
	assert_int_equal(ask(t, header, NULL), UNAUTHENTICATED);
	assert_int_equal(ask(t, basic(t, "ada", OTHER), NULL), OK);
	assert_int_equal(account_remove(&t->cx, "ada"), OK);
	assert_int_equal(ask(t, basic(t, "ada", OTHER), NULL), UNAUTHENTICATED);
}

static void
a_weak_hash_is_made_anew(void **state)
{
	static const struct password_cost cheap = { 64, 1, 1 };
	struct pg_test *t = *state;

	fresh(t);
	assert_int_equal(password_setup(&t->cx, &cheap), OK);
	add(t, "ada", false);
	assert_memory_equal(
		pg_sql(t, "SELECT password FROM cairn.user_account"), "$argon2id$v=19$m=64,t=1,p=1$", 28);
	assert_int_equal(password_setup(&t->cx, NULL), OK);
	assert_int_equal(ask(t, basic(t, "ada", GOOD), NULL), OK);
	assert_memory_equal(
		pg_sql(t, "SELECT password FROM cairn.user_account"), "$argon2id$v=19$m=19456,t=2,p=1$", 31);
	auth_cache_setup();
	assert_int_equal(ask(t, basic(t, "ada", GOOD), NULL), OK);
}

static void
without_postgresql_the_known_come_in_and_others_try_again(void **state)
{
	struct pg_test *t = *state;
	const char *header = basic(t, "ada", GOOD);

	fresh(t);
	add(t, "ada", false);
	assert_int_equal(ask(t, header, NULL), OK);
	pg_stop_server(true);
	assert_int_equal(ask(t, header, NULL), OK);
	assert_int_equal(ask(t, basic(t, "ada", OTHER), NULL), UNAVAILABLE);
	pg_start_server();
}

/* ---- guessing ---- */

static void
an_account_pauses_but_not_for_who_is_known(void **state)
{
	struct caller_input in = request(NULL, NULL);
	struct pg_test *t = *state;
	const char *header = basic(t, "ada", GOOD), *wrong = basic(t, "ada", "wrong password here");
	int64_t retry_after_s = 0;

	fresh(t);
	add(t, "ada", false);
	assert_int_equal(ask(t, header, NULL), OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(t, wrong, NULL), UNAUTHENTICATED);
	in.authorization = wrong;
	assert_int_equal(caller_check(&t->cx, &in, &retry_after_s), TOO_MANY);
	assert_int_equal(retry_after_s, 1);
	assert_int_equal(ask(t, header, NULL), OK);
	/* the right one waits too once it is unknown, and then forgives */
	auth_cache_setup();
	assert_int_equal(ask(t, header, NULL), TOO_MANY);
	pg_sql(t, "UPDATE cairn.user_account SET failed_unix_ms = failed_unix_ms - 1000");
	assert_int_equal(ask(t, header, NULL), OK);
	assert_string_equal(pg_sql(t, "SELECT failed_count::text FROM cairn.user_account"), "0");
}

static void
a_name_that_nobody_has_pauses_as_one_that_somebody_has(void **state)
{
	struct pg_test *t = *state;
	const char *wrong = basic(t, "nobody", "wrong password here");

	fresh(t);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(t, wrong, NULL), UNAUTHENTICATED);
	assert_int_equal(ask(t, wrong, NULL), TOO_MANY);
}

static void
an_address_that_guesses_names_is_slowed_down(void **state)
{
	struct pg_test *t = *state;
	struct caller_input in;
	int64_t retry_after_s;
	int tries = 0;

	fresh(t);
	add(t, "ada", false);
	/* twenty, and one more for each 3 s that they took */
	while (ask(t, basic(t, arena_printf(t->arena, "user%d", tries), GOOD), NULL) == UNAUTHENTICATED)
		assert_true(++tries < 60);
	assert_true(tries >= 20);
	assert_int_equal(ask(t, basic(t, "ada", GOOD), NULL), TOO_MANY);
	in = request(basic(t, "ada", GOOD), NULL);
	in.address = "192.0.2.8";
	assert_int_equal(caller_check(&t->cx, &in, &retry_after_s), OK);
}

/* ---- many at once ---- */

struct one_of_many {
	struct pg_test *t;
	const char *header;
	enum status st;
	int64_t user_id;
};

static void *
ask_alone(void *arg)
{
	struct one_of_many *o = arg;
	const struct caller_input in = request(o->header, NULL);
	int64_t retry_after_s;
	struct ctx cx;

	ctx_init(&cx, arena_new(), &o->t->parts);
	o->st = caller_check(&cx, &in, &retry_after_s);
	o->user_id = cx.actor.user_id;
	arena_free(cx.arena);
	return NULL;
}

static void
all_ask(struct pg_test *t, const char *header, struct one_of_many *many, size_t n)
{
	pthread_t threads[64];

	for (size_t i = 0; i < n; i++) {
		many[i] = (struct one_of_many){ t, header, INTERNAL, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, ask_alone, &many[i]), 0);
	}
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void
sixty_four_with_one_password_come_in_for_one_hash(void **state)
{
	struct pg_test *t = *state;
	struct one_of_many many[64];
	struct user u;

	fresh(t);
	u = add(t, "ada", false);
	all_ask(t, basic(t, "ada", GOOD), many, 64);
	for (size_t i = 0; i < 64; i++) {
		assert_int_equal(many[i].st, OK);
		assert_int_equal(many[i].user_id, u.user_id);
	}
}

static void
sixty_four_with_one_wrong_password_count_as_few(void **state)
{
	struct pg_test *t = *state;
	struct one_of_many many[64];

	fresh(t);
	add(t, "ada", false);
	all_ask(t, basic(t, "ada", "wrong password here"), many, 64);
	for (size_t i = 0; i < 64; i++) {
		assert_true(many[i].st == UNAUTHENTICATED || many[i].st == TOO_MANY);
		assert_int_equal(many[i].user_id, 0);
	}
}

/* Printed, and compared roughly: the hash must have run for both. */
static void
an_unknown_user_takes_as_long(void **state)
{
	struct pg_test *t = *state;
	int64_t began, known = 0, unknown = 0;

	fresh(t);
	add(t, "ada", false);
	for (int i = 0; i < 4; i++) {
		began = clock_mono_us();
		assert_int_equal(ask(t, basic(t, "ada", "wrong password here"), NULL), UNAUTHENTICATED);
		known += clock_mono_us() - began;
		began = clock_mono_us();
		assert_int_equal(ask(t, basic(t, "eve", "wrong password here"), NULL), UNAUTHENTICATED);
		unknown += clock_mono_us() - began;
	}
	printf("a wrong password: %lld us, an unknown user: %lld us\n", (long long)known / 4,
		(long long)unknown / 4);
	assert_true(unknown > 4 * 5000);
}

static void
with_auth_off_nobody_is_asked_but_other_sites_stay_out(void **state)
{
	const struct auth_options off = { false, NULL }, on = { true, NULL };
	struct pg_test *t = *state;
	struct caller_input in = request(NULL, NULL);
	int64_t retry_after_s;

	fresh(t);
	assert_int_equal(auth_setup(&t->cx, &off), OK);
	assert_int_equal(ask(t, "Basic !!!", NULL), OK);
	assert_int_equal(t->cx.actor.user_id, 0);
	in.origin.method = "POST";
	in.origin.fetch_site = "cross-site";
	assert_int_equal(caller_check(&t->cx, &in, &retry_after_s), DENIED);
	assert_int_equal(auth_setup(&t->cx, &on), OK);
}

static int
group_setup(void **state)
{
	const struct auth_options options = { true, NULL };
	struct parts parts = { 0 };
	struct ctx cx;
	enum status st;

	assert_true(hash_setup());
	ctx_init(&cx, arena_new(), &parts);
	st = auth_setup(&cx, &options);
	arena_free(cx.arena);
	return st == OK ? pg_group_setup(state) : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pg_test(nobody_is_nobody),
		pg_test(basic_comes_in_and_then_from_memory),
		pg_test(bearer_comes_in_and_then_from_memory),
		pg_test(a_cookie_comes_in_and_changes_things_only_from_our_pages),
		pg_test(authorization_goes_before_the_cookie),
		pg_test(what_is_wrong_is_not_told),
		pg_test(malformed_headers_are_refused),
		pg_test(latin_1_names_and_passwords_come_in),
		pg_test(a_change_is_felt_at_once),
		pg_test(a_weak_hash_is_made_anew),
		pg_test(an_account_pauses_but_not_for_who_is_known),
		pg_test(a_name_that_nobody_has_pauses_as_one_that_somebody_has),
		pg_test(an_address_that_guesses_names_is_slowed_down),
		pg_test(sixty_four_with_one_password_come_in_for_one_hash),
		pg_test(sixty_four_with_one_wrong_password_count_as_few),
		pg_test(an_unknown_user_takes_as_long),
		pg_test(with_auth_off_nobody_is_asked_but_other_sites_stay_out),
		pg_test(without_postgresql_the_known_come_in_and_others_try_again),
	};
	int failed = cmocka_run_group_tests(tests, group_setup, pg_group_teardown);

	auth_fini();
	return failed;
}
