#include "auth/cache.h"

#include <pthread.h>
#include "auth/unit.h"
#include "base/clock.h"

static const struct actor ada = { 7, 0, "ada", true };
static const struct actor tok = { 8, 21, "bob", false };

static void
put(const char *credential, const struct actor *who)
{
	uint8_t key[AUTH_CACHE_KEY];

	auth_cache_key(AUTH_CACHE_HEADER, credential, key);
	auth_cache_put(key, who, 0, auth_cache_generation());
}

static bool
get(struct ctx *cx, const char *credential, struct actor *out)
{
	uint8_t key[AUTH_CACHE_KEY];

	auth_cache_key(AUTH_CACHE_HEADER, credential, key);
	return auth_cache_get(key, cx->arena, out);
}

static int
fresh(void **state)
{
	(void)state;
	auth_cache_setup();
	return 0;
}

static void
what_was_put_is_found_under_the_same_credential_only(void **state)
{
	uint8_t key[AUTH_CACHE_KEY];
	struct ctx *cx = *state;
	struct actor a;

	put("Basic one", &ada);
	put("Bearer two", &tok);
	assert_true(get(cx, "Basic one", &a));
	assert_int_equal(a.user_id, 7);
	assert_int_equal(a.token_id, 0);
	assert_string_equal(a.user_name, "ada");
	assert_true(a.is_admin);
	assert_true(get(cx, "Bearer two", &a));
	assert_int_equal(a.token_id, 21);
	assert_false(a.is_admin);
	assert_false(get(cx, "Basic onf", &a));
	auth_cache_key(AUTH_CACHE_COOKIE, "Basic one", key);
	assert_false(auth_cache_get(key, cx->arena, &a));
}

static void
a_user_or_a_token_is_forgotten_alone(void **state)
{
	struct ctx *cx = *state;
	struct actor a;

	put("Basic one", &ada);
	put("Basic another password of hers", &ada);
	put("Bearer two", &tok);
	auth_cache_forget_user(7);
	assert_false(get(cx, "Basic one", &a));
	assert_false(get(cx, "Basic another password of hers", &a));
	assert_true(get(cx, "Bearer two", &a));
	auth_cache_forget_token(21);
	assert_false(get(cx, "Bearer two", &a));
}

static void
what_was_verified_before_a_change_is_not_remembered_after_it(void **state)
{
	uint64_t before = auth_cache_generation();
	uint8_t key[AUTH_CACHE_KEY];
	struct ctx *cx = *state;
	struct actor a;

	auth_cache_key(AUTH_CACHE_HEADER, "Basic one", key);
	auth_cache_forget_user(7);
	auth_cache_put(key, &ada, 0, before);
	assert_false(auth_cache_get(key, cx->arena, &a));
}

static void
a_credential_that_ends_sooner_is_forgotten_sooner(void **state)
{
	uint8_t key[AUTH_CACHE_KEY];
	struct ctx *cx = *state;
	struct actor a;

	auth_cache_key(AUTH_CACHE_HEADER, "Bearer two", key);
	auth_cache_put(key, &tok, clock_unix_ms() - 1, auth_cache_generation());
	assert_false(auth_cache_get(key, cx->arena, &a));
	auth_cache_put(key, &tok, clock_unix_ms() + 50, auth_cache_generation());
	assert_true(auth_cache_get(key, cx->arena, &a));
	for (int64_t until = clock_mono_ms() + 60; clock_mono_ms() < until;)
		;
	assert_false(auth_cache_get(key, cx->arena, &a));
}

static void
a_flood_leaves_the_cache_bounded_and_the_newest_in_it(void **state)
{
	struct ctx *cx = *state;
	char credential[32];
	struct actor a;
	int found = 0;

	for (int i = 0; i < 20000; i++) {
		snprintf(credential, sizeof(credential), "Basic %d", i);
		put(credential, &ada);
	}
	assert_true(get(cx, credential, &a));
	for (int i = 0; i < 20000; i++) {
		snprintf(credential, sizeof(credential), "Basic %d", i);
		found += get(cx, credential, &a);
	}
	assert_true(found > 2000 && found <= 4096);
}

static void *
look(void *arg)
{
	struct ctx *cx = unit_ctx();
	struct actor a;

	(void)arg;
	for (int i = 0; i < 20000; i++) {
		if (i % 100 == 0)
			put("Basic shared", &ada);
		if (i % 1000 == 0)
			auth_cache_forget_user(7);
		if (get(cx, "Basic shared", &a))
			assert_string_equal(a.user_name, "ada");
		arena_reset(cx->arena);
	}
	unit_ctx_free(cx);
	return NULL;
}

static void
threads_look_while_others_forget(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* Printed, not asserted. */
static void
a_lookup_takes_about_a_microsecond(void **state)
{
	const char *credential = "Basic YWRtaW46b3R0ZXIgdmlvbGluIGdyYXZlbA==";
	const int n = 200000;
	struct ctx *cx = *state;
	struct actor a;
	int64_t began;
	int found = 0;

	put(credential, &ada);
	began = clock_mono_us();
	for (int i = 0; i < n; i++) {
		found += get(cx, credential, &a);
		if (i % 1000 == 0)
			arena_reset(cx->arena);
	}
	printf("cache lookup, key and all: %lld ns\n", (long long)((clock_mono_us() - began) * 1000 / n));
	assert_int_equal(found, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_put_is_found_under_the_same_credential_only, fresh),
		cmocka_unit_test_setup(a_user_or_a_token_is_forgotten_alone, fresh),
		cmocka_unit_test_setup(what_was_verified_before_a_change_is_not_remembered_after_it, fresh),
		cmocka_unit_test_setup(a_credential_that_ends_sooner_is_forgotten_sooner, fresh),
		cmocka_unit_test_setup(a_flood_leaves_the_cache_bounded_and_the_newest_in_it, fresh),
		cmocka_unit_test_setup(threads_look_while_others_forget, fresh),
		cmocka_unit_test_setup(a_lookup_takes_about_a_microsecond, fresh),
	};
	int failed = cmocka_run_group_tests(tests, unit_setup, unit_teardown);

	auth_cache_fini();
	return failed;
}
