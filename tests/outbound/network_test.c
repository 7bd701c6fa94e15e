#include "outbound/network.h"

#include <string.h>
#include "outbound/outbound.h"
#include "cm.h"

static bool public(const char *text)
{
	struct address a;

	if (!address_parse(text, &a))
		fail_msg("%s is no address", text);
	return address_is_public(&a);
}

static void
strangers_addresses_are_public(void **state)
{
	static const char *const all[] = { "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2606:4700::1111", "2001:4860:4860::8888", "2a00::1", "3ffe:ffff::", "64:ff9b::8.8.8.8",
		"::ffff:8.8.8.8" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!public(all[i]))
			fail_msg("%s is public", all[i]);
}

static void
everything_of_ones_own_is_not_public(void **state)
{
	static const char *const all[] = { "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.0",
		"100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
		"198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
		"::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8",
		"100::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1", "2001::1", "2001:db8::1",
		"2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fd00:ec2::254" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (public(all[i]))
			fail_msg("%s is not public", all[i]);
}

static void
a_network_is_an_address_with_a_length(void **state)
{
	static const char *const good[] = { "10.0.0.0/8", "0.0.0.0/0", "127.0.0.1", "127.0.0.1/32", "::/0",
		"fd00::/8", "::1", "fe80::1/128" };
	static const char *const bad[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
		"10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.1/8", "fd00::1/8", "fd00::/129", "10.0.0/8", "127.1",
		"0x7f.0.0.1", "0177.0.0.1", "localhost", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8" };
	struct network n;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!network_parse(good[i], &n))
			fail_msg("%s is a network", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (network_parse(bad[i], &n))
			fail_msg("\"%s\" is no network", bad[i]);
}

static bool
covers(const char *network, const char *address)
{
	struct network n;
	struct address a;

	assert_true(network_parse(network, &n) && address_parse(address, &a));
	return network_covers(&n, &a);
}

static void
a_network_covers_what_begins_like_it(void **state)
{
	(void)state;
	assert_true(covers("10.0.0.0/8", "10.255.0.1"));
	assert_false(covers("10.0.0.0/8", "11.0.0.0"));
	assert_true(covers("172.16.0.0/12", "172.31.255.255"));
	assert_false(covers("172.16.0.0/12", "172.32.0.0"));
	assert_true(covers("0.0.0.0/0", "1.2.3.4"));
	assert_false(covers("0.0.0.0/0", "::1"));
	assert_true(covers("127.0.0.0/8", "::ffff:127.0.0.1"));
	assert_false(covers("::/0", "::ffff:127.0.0.1"));
	assert_true(covers("fd00::/8", "fdff::1"));
	assert_false(covers("fd00::/8", "fc00::1"));
}

static bool
reaches(const struct outbound *o, const char *address, bool https)
{
	struct address a;

	assert_true(address_parse(address, &a));
	return outbound_may_reach(o, &a, https);
}

static void
what_is_not_public_is_reached_only_when_it_is_listed(void **state)
{
	static const char *const allow[] = { "127.0.0.0/8", "fd00::/8" };
	char error[200];
	struct outbound *none = outbound_new(NULL, 0, error, sizeof(error));
	struct outbound *some = outbound_new(allow, 2, error, sizeof(error));

	(void)state;
	assert_non_null(none);
	assert_non_null(some);
	assert_true(reaches(none, "8.8.8.8", true));
	assert_false(reaches(none, "8.8.8.8", false));
	assert_false(reaches(none, "127.0.0.1", true));
	assert_false(reaches(some, "8.8.8.8", false));
	assert_true(reaches(some, "8.8.8.8", true));
	assert_true(reaches(some, "127.9.9.9", false));
	assert_true(reaches(some, "fd00::1", true));
	assert_false(reaches(some, "10.0.0.1", true));
	assert_false(reaches(some, "64:ff9b::10.0.0.1", true));
	outbound_free(none);
	outbound_free(some);
	assert_null(outbound_new((const char *const[]){ "10.0.0.0/8", "nowhere" }, 2, error, sizeof(error)));
	assert_non_null(strstr(error, "nowhere"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_addresses_are_public),
		cmocka_unit_test(everything_of_ones_own_is_not_public),
		cmocka_unit_test(a_network_is_an_address_with_a_length),
		cmocka_unit_test(a_network_covers_what_begins_like_it),
		cmocka_unit_test(what_is_not_public_is_reached_only_when_it_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
