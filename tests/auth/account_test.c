#include "support/pg.h"

#include <pthread.h>
#include <string.h>
#include "auth/account.h"
#include "auth/auth.h"
#include "auth/password.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/hash.h"

#define GOOD  "otter violin gravel"
#define OTHER "heron cello pebbles"

static struct user
add(struct pg_test *t, const char *name, bool is_admin)
{
	struct user u = { 0 };

	assert_int_equal(account_add(&t->cx, name, GOOD, is_admin, &u), OK);
	return u;
}

static void
a_user_is_added_found_and_listed(void **state)
{
	struct pg_test *t = *state;
	struct user *users, u;
	size_t n;

	u = add(t, "  Zo\xc3\xab M. ", true);
	assert_string_equal(u.name, "Zo\xc3\xab M.");
	assert_true(u.is_admin);
	assert_false(u.disabled);
	assert_true(u.created_unix_ms > 1700000000000);
	add(t, "ada", false);
	assert_int_equal(account_list(&t->cx, &users, &n), OK);
	assert_int_equal(n, 2);
	assert_string_equal(users[0].name, "Zo\xc3\xab M.");
	assert_string_equal(users[1].name, "ada");
	assert_int_equal(account_find(&t->cx, "ada", &u), OK);
	assert_false(u.is_admin);
	assert_int_equal(account_find(&t->cx, "Ada", &u), NOT_FOUND);
	assert_string_equal(t->cx.message, "there is no user \"Ada\"");
	assert_memory_equal(pg_sql(t, "SELECT password FROM cairn.user_account WHERE name = 'ada'"),
		"$argon2id$v=19$m=19456,t=2,p=1$", 31);
}

static void
a_name_is_taken_once(void **state)
{
	struct pg_test *t = *state;
	struct user u;

	add(t, "ada", false);
	assert_int_equal(account_add(&t->cx, " ada ", GOOD, false, &u), ALREADY_EXISTS);
	assert_string_equal(t->cx.message, "there is already a user \"ada\"");
}

static void
bad_names_and_passwords_are_refused(void **state)
{
	static const char *const names[] = { "", "   ", "a:b", "a\nb", "\x7f", "a\xc2\x85", "\xff\xfe" };
	struct pg_test *t = *state;
	char name[257];
	struct user u;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(account_add(&t->cx, names[i], GOOD, false, &u), INVALID);
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_int_equal(account_add(&t->cx, name, GOOD, false, &u), INVALID);
	name[255] = '\0';
	assert_int_equal(account_add(&t->cx, name, GOOD, false, &u), OK);
	assert_int_equal(account_add(&t->cx, "ada", "short", false, &u), INVALID);
	assert_int_equal(account_add(&t->cx, "ada", "password1234", false, &u), INVALID);
	assert_int_equal(account_find(&t->cx, "ada", &u), NOT_FOUND);
}

static void
the_last_administrator_stays(void **state)
{
	struct pg_test *t = *state;

	add(t, "root", true);
	add(t, "ada", false);
	assert_int_equal(account_remove(&t->cx, "root"), INVALID);
	assert_int_equal(account_enable(&t->cx, "root", false), INVALID);
	assert_int_equal(account_admin(&t->cx, "root", false), INVALID);
	assert_int_equal(account_admin(&t->cx, "ada", true), OK);
	assert_int_equal(account_enable(&t->cx, "ada", false), OK);
	/* one who may not come in does not count */
	assert_int_equal(account_remove(&t->cx, "root"), INVALID);
	assert_int_equal(account_enable(&t->cx, "ada", true), OK);
	assert_int_equal(account_remove(&t->cx, "root"), OK);
	assert_int_equal(account_remove(&t->cx, "ada"), INVALID);
	assert_int_equal(account_remove(&t->cx, "root"), NOT_FOUND);
}

struct leaver {
	struct pg_test *t;
	const char *name;
	enum status st;
};

static void *
leave(void *arg)
{
	struct leaver *l = arg;
	struct ctx cx;

	ctx_init(&cx, arena_new(), &l->t->parts);
	l->st = account_remove(&cx, l->name);
	arena_free(cx.arena);
	return NULL;
}

static void
of_two_administrators_who_leave_at_once_one_stays(void **state)
{
	struct leaver a = { *state, "a", OK }, b = { *state, "b", OK };
	pthread_t threads[2];

	add(*state, "a", true);
	add(*state, "b", true);
	assert_int_equal(pthread_create(&threads[0], NULL, leave, &a), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, leave, &b), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_true((a.st == OK) != (b.st == OK));
	assert_int_equal(a.st == OK ? b.st : a.st, INVALID);
	assert_string_equal(pg_sql(*state, "SELECT count(*)::text FROM cairn.user_account"), "1");
}

static void
what_a_removed_user_made_stays(void **state)
{
	struct pg_test *t = *state;
	char text[TOKEN_TEXT];
	struct user_token token;
	struct user u;

	add(t, "root", true);
	u = add(t, "ada", false);
	assert_int_equal(account_token_add(&t->cx, u.user_id, "laptop", 0, text, &token), OK);
	pg_sql(t, "INSERT INTO cairn.experiment (name, artifact_location, created_unix_ms, updated_unix_ms, "
		  "created_by) "
		  "SELECT 'hers', 'x', 1, 1, user_id FROM cairn.user_account WHERE name = 'ada'");
	assert_int_equal(account_remove(&t->cx, "ada"), OK);
	assert_string_equal(
		pg_sql(t, "SELECT (created_by IS NULL)::text FROM cairn.experiment WHERE name = 'hers'"),
		"true");
	assert_string_equal(pg_sql(t, "SELECT count(*)::text FROM cairn.token"), "0");
}

static void
a_change_is_made_wholly_or_not_at_all(void **state)
{
	const struct account_change change = { .password = OTHER, .has_is_admin = true, .is_admin = false };
	struct pg_test *t = *state;
	const char *before;
	struct user u;

	add(t, "root", true);
	before = pg_sql(t, "SELECT password FROM cairn.user_account");
	assert_int_equal(account_change(&t->cx, "root", &change, &u), INVALID);
	assert_string_equal(pg_sql(t, "SELECT password FROM cairn.user_account"), before);
	add(t, "second", true);
	assert_int_equal(account_change(&t->cx, "root", &change, &u), OK);
	assert_false(u.is_admin);
	assert_string_not_equal(
		pg_sql(t, "SELECT password FROM cairn.user_account WHERE name = 'root'"), before);
}

/* ---- tokens ---- */

static void
a_token_is_shown_once_used_and_revoked(void **state)
{
	struct pg_test *t = *state;
	struct user_token token, *tokens;
	char text[TOKEN_TEXT];
	struct actor actor;
	int64_t expires;
	struct user u;
	size_t n;

	u = add(t, "ada", false);
	assert_int_equal(account_token_add(&t->cx, u.user_id, "laptop", 0, text, &token), OK);
	assert_false(token.has_expires_unix_ms);
	assert_int_equal(token_find(&t->cx, text, &actor, &expires), OK);
	assert_int_equal(actor.user_id, u.user_id);
	assert_int_equal(actor.token_id, token.token_id);
	assert_string_equal(actor.user_name, "ada");
	assert_int_equal(expires, 0);
	assert_int_equal(account_token_list(&t->cx, u.user_id, &tokens, &n), OK);
	assert_int_equal(n, 1);
	assert_true(tokens[0].has_last_used_unix_ms);
	assert_string_equal(pg_sql(t, "SELECT length(hash)::text FROM cairn.token"), "32");
	assert_int_equal(account_token_revoke(&t->cx, u.user_id + 1, token.token_id), NOT_FOUND);
	assert_int_equal(account_token_revoke(&t->cx, u.user_id, token.token_id), OK);
	assert_int_equal(account_token_revoke(&t->cx, u.user_id, token.token_id), NOT_FOUND);
	assert_int_equal(token_find(&t->cx, text, &actor, &expires), UNAUTHENTICATED);
	assert_int_equal(account_token_list(&t->cx, u.user_id, &tokens, &n), OK);
	assert_int_equal(n, 0);
}

static void
a_token_ends_with_its_days_and_sleeps_with_its_user(void **state)
{
	struct pg_test *t = *state;
	struct user_token token;
	char text[TOKEN_TEXT];
	struct actor actor;
	int64_t expires;
	struct user u;

	u = add(t, "ada", false);
	assert_int_equal(account_token_add(&t->cx, u.user_id, "laptop", 2, text, &token), OK);
	assert_int_equal(token.expires_unix_ms - token.created_unix_ms, 2 * 86400000);
	assert_int_equal(token_find(&t->cx, text, &actor, &expires), OK);
	assert_int_equal(expires, token.expires_unix_ms);
	assert_int_equal(account_enable(&t->cx, "ada", false), OK);
	assert_int_equal(token_find(&t->cx, text, &actor, &expires), UNAUTHENTICATED);
	assert_int_equal(account_enable(&t->cx, "ada", true), OK);
	assert_int_equal(token_find(&t->cx, text, &actor, &expires), OK);
	pg_sql(t, "UPDATE cairn.token SET expires_unix_ms = created_unix_ms");
	assert_int_equal(token_find(&t->cx, text, &actor, &expires), UNAUTHENTICATED);
	assert_int_equal(
		account_token_add(&t->cx, u.user_id, "x", ACCOUNT_DAYS_MOST + 1, text, &token), INVALID);
	assert_int_equal(account_token_add(&t->cx, u.user_id, "x", -1, text, &token), INVALID);
	assert_int_equal(account_token_add(&t->cx, u.user_id, " ", 0, text, &token), INVALID);
}

static void
tokens_of_a_user_are_bounded(void **state)
{
	struct pg_test *t = *state;
	struct user_token token;
	char text[TOKEN_TEXT];
	struct user u;

	u = add(t, "ada", false);
	pg_sql(t, "INSERT INTO cairn.token (user_id, hash, name, created_unix_ms) SELECT user_id, "
		  "sha256(i::text::bytea), 'x', 1 "
		  "FROM cairn.user_account, generate_series(1, 500) i");
	assert_int_equal(account_token_add(&t->cx, u.user_id, "one more", 0, text, &token), INVALID);
	pg_sql(t, "UPDATE cairn.token SET revoked = true WHERE token_id = (SELECT min(token_id) FROM "
		  "cairn.token)");
	assert_int_equal(account_token_add(&t->cx, u.user_id, "one more", 0, text, &token), OK);
}

/* ---- sessions ---- */

static enum status
look(struct pg_test *t, const char *value)
{
	struct actor actor;
	int64_t expires;

	return session_find(&t->cx, value, &actor, &expires);
}

static void
a_session_begins_and_ends(void **state)
{
	struct pg_test *t = *state;
	char value[SESSION_VALUE], other[SESSION_VALUE];
	struct user u;

	u = add(t, "ada", false);
	assert_int_equal(session_start(&t->cx, u.user_id, value), OK);
	assert_int_equal(session_start(&t->cx, u.user_id, other), OK);
	assert_string_not_equal(value, other);
	assert_int_equal(look(t, value), OK);
	assert_int_equal(session_end(&t->cx, value), OK);
	assert_int_equal(look(t, value), UNAUTHENTICATED);
	assert_int_equal(look(t, other), OK);
	assert_string_equal(pg_sql(t, "SELECT (encode(hash, 'escape') LIKE '%' || left(encode(hash, 'hex'), "
				      "8) || '%')::text "
				      "FROM cairn.session"),
		"false");
}

static void
a_session_is_over_when_unseen_or_old(void **state)
{
	struct pg_test *t = *state;
	char value[SESSION_VALUE];
	struct user u;

	u = add(t, "ada", false);
	assert_int_equal(session_start(&t->cx, u.user_id, value), OK);
	pg_sql(t, "UPDATE cairn.session SET last_seen_unix_ms = last_seen_unix_ms - 11 * 3600000");
	assert_int_equal(look(t, value), OK);
	/* seen: the clock of idleness starts again */
	pg_sql(t, "UPDATE cairn.session SET last_seen_unix_ms = last_seen_unix_ms - 11 * 3600000");
	assert_int_equal(look(t, value), OK);
	pg_sql(t, "UPDATE cairn.session SET last_seen_unix_ms = last_seen_unix_ms - 13 * 3600000");
	assert_int_equal(look(t, value), UNAUTHENTICATED);
	assert_int_equal(session_start(&t->cx, u.user_id, value), OK);
	assert_string_equal(pg_sql(t, "SELECT count(*)::text FROM cairn.session"), "1");
	pg_sql(t, "UPDATE cairn.session SET expires_unix_ms = expires_unix_ms - 7 * 86400000::bigint - 1");
	assert_int_equal(look(t, value), UNAUTHENTICATED);
}

static void
sessions_end_with_a_new_password_and_with_disabling(void **state)
{
	struct pg_test *t = *state;
	char value[SESSION_VALUE];
	struct user u;

	u = add(t, "ada", false);
	assert_int_equal(session_start(&t->cx, u.user_id, value), OK);
	assert_int_equal(account_password(&t->cx, "ada", OTHER), OK);
	assert_int_equal(look(t, value), UNAUTHENTICATED);
	assert_int_equal(session_start(&t->cx, u.user_id, value), OK);
	assert_int_equal(account_enable(&t->cx, "ada", false), OK);
	assert_int_equal(look(t, value), UNAUTHENTICATED);
	assert_int_equal(account_enable(&t->cx, "ada", true), OK);
	assert_int_equal(look(t, value), UNAUTHENTICATED);
}

static void
the_oldest_sessions_of_a_user_make_room(void **state)
{
	struct pg_test *t = *state;
	char value[SESSION_VALUE];
	struct user u;

	u = add(t, "ada", false);
	for (int i = 0; i < SESSION_MOST + 5; i++)
		assert_int_equal(session_start(&t->cx, u.user_id, value), OK);
	assert_string_equal(pg_sql(t, "SELECT count(*)::text FROM cairn.session"), "100");
	assert_int_equal(look(t, value), OK);
}

static void
ones_own_password_needs_the_old_one(void **state)
{
	struct account_own_password in = { "not this one, no", OTHER, "192.0.2.1" };
	struct pg_test *t = *state;
	int64_t retry_after_s;
	struct user u;

	u = add(t, "ada", false);
	t->cx.actor = (struct actor){ u.user_id, 0, "ada", false };
	assert_int_equal(account_own_password(&t->cx, &in, &retry_after_s), INVALID);
	assert_string_equal(t->cx.message, "the current password is wrong");
	in.current = GOOD;
	in.password = GOOD;
	assert_int_equal(account_own_password(&t->cx, &in, &retry_after_s), INVALID);
	in.password = "short";
	assert_int_equal(account_own_password(&t->cx, &in, &retry_after_s), INVALID);
	in.password = OTHER;
	assert_int_equal(account_own_password(&t->cx, &in, &retry_after_s), OK);
	assert_int_equal(account_own_password(&t->cx, &in, &retry_after_s), INVALID);
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
		pg_test(a_user_is_added_found_and_listed),
		pg_test(a_name_is_taken_once),
		pg_test(bad_names_and_passwords_are_refused),
		pg_test(the_last_administrator_stays),
		pg_test(of_two_administrators_who_leave_at_once_one_stays),
		pg_test(what_a_removed_user_made_stays),
		pg_test(a_change_is_made_wholly_or_not_at_all),
		pg_test(a_token_is_shown_once_used_and_revoked),
		pg_test(a_token_ends_with_its_days_and_sleeps_with_its_user),
		pg_test(tokens_of_a_user_are_bounded),
		pg_test(a_session_begins_and_ends),
		pg_test(a_session_is_over_when_unseen_or_old),
		pg_test(sessions_end_with_a_new_password_and_with_disabling),
		pg_test(the_oldest_sessions_of_a_user_make_room),
		pg_test(ones_own_password_needs_the_old_one),
	};
	int failed = cmocka_run_group_tests(tests, group_setup, pg_group_teardown);

	auth_fini();
	return failed;
}
