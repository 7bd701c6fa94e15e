#include "auth/password.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include "auth/common.h"
#include "auth/unit.h"
#include "base/clock.h"

static const struct password_cost cheap = { 64, 1, 1 };

static void
a_password_is_verified_and_another_is_not(void **state)
{
	struct ctx *cx = *state;
	char phc[PASSWORD_PHC], again[PASSWORD_PHC];
	bool right, weak;

	assert_int_equal(password_setup(cx, NULL), OK);
	assert_int_equal(password_make(cx, "a long way from home", phc), OK);
	assert_int_equal(password_make(cx, "a long way from home", again), OK);
	assert_int_equal(strncmp(phc, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_string_not_equal(phc, again);
	assert_int_equal(password_verify(cx, phc, "a long way from home", &right, &weak), OK);
	assert_true(right);
	assert_false(weak);
	assert_int_equal(password_verify(cx, phc, "a long way from homE", &right, &weak), OK);
	assert_false(right);
	assert_int_equal(password_verify(cx, phc, "", &right, &weak), OK);
	assert_false(right);
}

static void
no_hash_is_never_right(void **state)
{
	struct ctx *cx = *state;
	bool right = true, weak = true;

	assert_int_equal(password_setup(cx, &cheap), OK);
	assert_int_equal(password_verify(cx, NULL, "whatever it may be", &right, &weak), OK);
	assert_false(right);
	assert_false(weak);
}

static void
a_hash_of_lower_cost_is_weak(void **state)
{
	struct ctx *cx = *state;
	char phc[PASSWORD_PHC];
	bool right, weak;

	assert_int_equal(password_setup(cx, &cheap), OK);
	assert_int_equal(password_make(cx, "a long way from home", phc), OK);
	assert_int_equal(password_setup(cx, NULL), OK);
	assert_int_equal(password_verify(cx, phc, "a long way from home", &right, &weak), OK);
	assert_true(right);
	assert_true(weak);
	assert_int_equal(password_verify(cx, phc, "something else", &right, &weak), OK);
	assert_false(weak);
}

static void
length_is_twelve_characters_to_1024_bytes(void **state)
{
	struct ctx *cx = *state;
	char text[PASSWORD_MOST + 2];

	assert_int_equal(password_rules(cx, "kq7vhtz2mwp", "ada"), INVALID);
	assert_string_equal(cx->message, "the password must be at least 12 characters long");
	assert_int_equal(password_rules(cx, "kq7vhtz2mwpj", "ada"), OK);
	/* six characters of two bytes are six */
	assert_int_equal(
		password_rules(cx, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8", "ada"), INVALID);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "kq7vhtz2mwpj"[i % 12];
	for (size_t i = 0; i < 200; i++)
		text[i] = (char)('a' + (i * i) % 26);
	text[PASSWORD_MOST + 1] = '\0';
	assert_int_equal(password_rules(cx, text, "ada"), INVALID);
	text[PASSWORD_MOST] = '\0';
	assert_int_equal(password_rules(cx, text, "ada"), OK);
	assert_int_equal(password_rules(cx, "kq7vhtz2mwp\xff\xff", "ada"), INVALID);
}

static void
common_passwords_are_refused(void **state)
{
	static const char *const common[] = { "password1234", "Password1234!", "P4ssw0rd1234", "123456789012",
		"qwertyuiop12", "qwerty123456", "1q2w3e4r5t6y", "1qaz2wsx3EDC", "abcabcabcabc",
		"aaaaaaaaaaaa", "abcdefghijkl", "iloveyou1234", "administrator", "correcthorsebatterystaple",
		"cairn-cairn-cairn", "Cairn-2026-2027", "welcome12345", "letmein123456", "MLflow-admin-1",
		"changeme1234", "lovelace-2026", "L0velace12345" };
	static const char *const good[] = { "kq7vhtz2mwpj", "otter violin gravel", "Xw9!pL2#vR7q",
		"839274618273", "the cairn on the ridge is tall",
		"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\xd1\x87\xd0\xb8\xd0\xba" };

	(void)state;
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		if (!password_is_common(common[i], "lovelace"))
			fail_msg("\"%s\" passes", common[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (password_is_common(good[i], "lovelace"))
			fail_msg("\"%s\" is refused", good[i]);
	}
}

static void
random_passwords_differ_and_pass_the_rules(void **state)
{
	char a[PASSWORD_RANDOM], b[PASSWORD_RANDOM];

	for (int i = 0; i < 200; i++) {
		password_random(a);
		password_random(b);
		assert_int_equal(strlen(a), PASSWORD_RANDOM - 1);
		assert_string_not_equal(a, b);
		assert_int_equal(password_rules(*state, a, "admin"), OK);
	}
}

/* ---- the gate ---- */

static atomic_int inside, most, refused, passed;

static void *
enter_and_stay(void *arg)
{
	struct ctx *cx = unit_ctx();
	int now;

	(void)arg;
	if (password_enter(cx) != OK) {
		assert_int_equal(cx->status, UNAVAILABLE);
		atomic_fetch_add(&refused, 1);
	} else {
		now = atomic_fetch_add(&inside, 1) + 1;
		for (int seen = atomic_load(&most);
			now > seen && !atomic_compare_exchange_weak(&most, &seen, now);)
			;
		usleep(50000);
		atomic_fetch_sub(&inside, 1);
		password_leave();
		atomic_fetch_add(&passed, 1);
	}
	unit_ctx_free(cx);
	return NULL;
}

static void
two_are_inside_sixteen_wait_and_more_are_sent_away(void **state)
{
	pthread_t threads[30];

	(void)state;
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, enter_and_stay, NULL), 0);
	for (size_t i = 0; i < 30; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&most), 2);
	assert_true(atomic_load(&passed) >= 18);
	assert_true(atomic_load(&refused) >= 1);
	assert_int_equal(atomic_load(&passed) + atomic_load(&refused), 30);
}

static void
waiting_ends_with_the_deadline(void **state)
{
	struct ctx *cx = *state;
	int64_t began = clock_mono_ms();

	assert_int_equal(password_enter(cx), OK);
	assert_int_equal(password_enter(cx), OK);
	cx->deadline_mono_ms = began + 30;
	assert_int_equal(password_enter(cx), UNAVAILABLE);
	assert_true(clock_mono_ms() - began >= 30);
	password_leave();
	assert_int_equal(password_enter(cx), OK);
	password_leave();
	password_leave();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_is_verified_and_another_is_not),
		cmocka_unit_test(no_hash_is_never_right),
		cmocka_unit_test(a_hash_of_lower_cost_is_weak),
		cmocka_unit_test(length_is_twelve_characters_to_1024_bytes),
		cmocka_unit_test(common_passwords_are_refused),
		cmocka_unit_test(random_passwords_differ_and_pass_the_rules),
		cmocka_unit_test(two_are_inside_sixteen_wait_and_more_are_sent_away),
		cmocka_unit_test(waiting_ends_with_the_deadline),
	};

	return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
