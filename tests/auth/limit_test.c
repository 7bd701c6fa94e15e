#include "auth/limit.h"

#include "auth/unit.h"

#define NOW 1800000000000 /* unix ms */

static int
fresh(void **state)
{
	(void)state;
	auth_limit_setup();
	return 0;
}

static void
an_account_pauses_from_the_fifth_failure_and_longer_each_time(void **state)
{
	(void)state;
	assert_int_equal(auth_limit_pause_ms(0, 0, NOW), 0);
	assert_int_equal(auth_limit_pause_ms(4, NOW, NOW), 0);
	assert_int_equal(auth_limit_pause_ms(5, NOW, NOW), 1000);
	assert_int_equal(auth_limit_pause_ms(6, NOW, NOW), 2000);
	assert_int_equal(auth_limit_pause_ms(8, NOW - 3000, NOW), 5000);
	assert_int_equal(auth_limit_pause_ms(5, NOW - 1000, NOW), 0);
	assert_int_equal(auth_limit_pause_ms(14, NOW, NOW), 512000);
	assert_int_equal(auth_limit_pause_ms(15, NOW, NOW), 900000);
	assert_int_equal(auth_limit_pause_ms(1000, NOW, NOW), 900000);
}

static void
a_day_later_all_is_forgotten_and_a_clock_that_went_back_holds_nobody(void **state)
{
	(void)state;
	assert_int_equal(auth_limit_pause_ms(1000, NOW - AUTH_LIMIT_FORGET_MS, NOW), 0);
	assert_int_equal(auth_limit_pause_ms(1000, NOW + 3600000, NOW), 0);
}

static void
a_name_that_nobody_has_pauses_alike(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		auth_limit_name_failed("nobody", NOW);
	assert_int_equal(auth_limit_name_ms("nobody", NOW), 0);
	auth_limit_name_failed("nobody", NOW);
	assert_int_equal(auth_limit_name_ms("nobody", NOW), 1000);
	auth_limit_name_failed("nobody", NOW + 1000);
	assert_int_equal(auth_limit_name_ms("nobody", NOW + 1000), 2000);
	assert_int_equal(auth_limit_name_ms("somebody", NOW), 0);
}

static void
an_address_has_twenty_then_one_each_three_seconds(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(auth_limit_address_ms("192.0.2.1", 5000), 0);
		auth_limit_address_failed("192.0.2.1", 5000);
	}
	assert_int_equal(auth_limit_address_ms("192.0.2.1", 5000), 3000);
	assert_int_equal(auth_limit_address_ms("::ffff:192.0.2.1", 5000), 3000);
	assert_int_equal(auth_limit_address_ms("192.0.2.2", 5000), 0);
	assert_int_equal(auth_limit_address_ms("192.0.2.1", 8000), 0);
	auth_limit_address_failed("192.0.2.1", 8000);
	assert_int_equal(auth_limit_address_ms("192.0.2.1", 8000), 3000);
	assert_int_equal(auth_limit_address_ms("192.0.2.1", 8000 + 60000), 0);
}

static void
a_network_of_ipv6_is_counted_as_one(void **state)
{
	char address[64];

	(void)state;
	for (int i = 0; i < 60; i++) {
		snprintf(address, sizeof(address), "2001:db8:0:1::%x", i);
		assert_int_equal(auth_limit_address_ms(address, 5000), 0);
		auth_limit_address_failed(address, 5000);
	}
	assert_int_equal(auth_limit_address_ms("2001:db8:0:1::ffff", 5000), 1000);
	assert_int_equal(auth_limit_address_ms("2001:db8:0:2::ffff", 5000), 0);
}

static void
loopback_is_not_counted_but_all_together_are(void **state)
{
	(void)state;
	for (int i = 0; i < 599; i++)
		auth_limit_address_failed(i % 2 ? "127.0.0.1" : "::1", 5000);
	assert_int_equal(auth_limit_address_ms("127.0.0.1", 5000), 0);
	auth_limit_address_failed("127.0.0.1", 5000);
	assert_int_equal(auth_limit_address_ms("198.51.100.9", 5000), 100);
	assert_int_equal(auth_limit_address_ms("198.51.100.9", 5100), 0);
}

static void
a_flood_of_addresses_stays_in_its_tables(void **state)
{
	char address[64];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(address, sizeof(address), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		auth_limit_address_failed(address, 5000 + i * 100);
	}
	/* the newest is still known: nineteen more fill its bucket */
	for (int i = 0; i < 19; i++)
		auth_limit_address_failed(address, 5000 + 99999 * 100);
	assert_int_equal(auth_limit_address_ms(address, 5000 + 99999 * 100), 3000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_account_pauses_from_the_fifth_failure_and_longer_each_time, fresh),
		cmocka_unit_test_setup(
			a_day_later_all_is_forgotten_and_a_clock_that_went_back_holds_nobody, fresh),
		cmocka_unit_test_setup(a_name_that_nobody_has_pauses_alike, fresh),
		cmocka_unit_test_setup(an_address_has_twenty_then_one_each_three_seconds, fresh),
		cmocka_unit_test_setup(a_network_of_ipv6_is_counted_as_one, fresh),
		cmocka_unit_test_setup(loopback_is_not_counted_but_all_together_are, fresh),
		cmocka_unit_test_setup(a_flood_of_addresses_stays_in_its_tables, fresh),
	};

	return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
