#include "client/cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/queue.h"

static struct queue q;
static struct batch b;

static int
teardown(void **state)
{
	(void)state;
	batch_clear(&b);
	queue_fini(&q);
	return 0;
}

static void
add(const char *key, int64_t step)
{
	assert_int_equal(queue_point(&q, key, (double)step, step, 1), CAIRN_OK);
}

static void
points_come_out_in_their_order(void **state)
{
	(void)state;
	assert_true(queue_init(&q, 10, CAIRN_DROP_OLDEST));
	for (int64_t round = 0; round < 5; round++) {
		for (int64_t i = 0; i < 7; i++)
			add(i % 2 == 0 ? "even" : "odd", round * 7 + i);
		assert_true(queue_take(&q, &b, 0));
		assert_int_equal(b.count, 7);
		for (size_t i = 0; i < 7; i++) {
			assert_int_equal(b.items[i].step, round * 7 + (int64_t)i);
			assert_string_equal(b.items[i].key, i % 2 == 0 ? "even" : "odd");
		}
		queue_sent(&q, &b, 0, b.count);
	}
}

static void
the_oldest_goes_when_it_is_full(void **state)
{
	cairn_run_counts n;

	(void)state;
	assert_true(queue_init(&q, 3, CAIRN_DROP_OLDEST));
	for (int64_t i = 0; i < 5; i++)
		add("k", i);
	queue_counts(&q, &n);
	assert_int_equal(n.dropped, 2);
	assert_int_equal(n.queued, 3);
	assert_true(queue_take(&q, &b, 0));
	assert_int_equal(b.items[0].step, 2);
	assert_int_equal(b.items[2].step, 4);
	assert_int_equal(q.lost.code, CAIRN_ECONFLICT);
}

static void
the_newest_goes_when_it_is_told_so(void **state)
{
	cairn_run_counts n;

	(void)state;
	assert_true(queue_init(&q, 3, CAIRN_DROP_NEWEST));
	for (int64_t i = 0; i < 3; i++)
		add("k", i);
	assert_int_equal(queue_point(&q, "k", 0, 3, 1), CAIRN_ECONFLICT);
	queue_counts(&q, &n);
	assert_int_equal(n.dropped, 1);
	assert_int_equal(n.queued, 3);
}

static void
many_keys_keep_their_names(void **state)
{
	char key[32];

	(void)state;
	assert_true(queue_init(&q, 5000, CAIRN_DROP_OLDEST));
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "layer/%d", i % 2500);
		add(key, i);
	}
	assert_int_equal(q.key_count, 2500);
	for (int i = 0; i < 5000; i += LIMIT_BATCH) {
		assert_true(queue_take(&q, &b, 0));
		for (size_t j = 0; j < b.count; j++) {
			snprintf(key, sizeof(key), "layer/%d", (int)b.items[j].step % 2500);
			assert_string_equal(b.items[j].key, key);
		}
	}
}

static void
two_values_of_a_parameter_do_not_share_a_request(void **state)
{
	(void)state;
	assert_true(queue_init(&q, 10, CAIRN_DROP_OLDEST));
	assert_int_equal(queue_label(&q, ITEM_PARAM, "rate", "0.1"), CAIRN_OK);
	assert_int_equal(queue_label(&q, ITEM_TAG, "rate", "a tag of that name is something else"), CAIRN_OK);
	assert_int_equal(queue_label(&q, ITEM_PARAM, "rate", "0.2"), CAIRN_OK);
	assert_true(queue_take(&q, &b, 0));
	assert_int_equal(b.count, 2);
	batch_clear(&b);
	assert_true(queue_take(&q, &b, 0));
	assert_int_equal(b.count, 1);
	assert_string_equal(b.items[0].text, "0.2");
}

static void
keys_follow_the_rule_of_mlflow(void **state)
{
	static const char *good[] = { "loss", "train/loss", "a b", "größe", "損失", "x:y", "_", "a.b-c", ".a",
		"1" };
	static const char *bad[] = { "", ".", "..", "../a", "/a", "a/", "a//b", "a/./b", "a/../b", "a,b",
		"a\nb", "a\\b", "\xff", "a@b", "a=b", "..a" };
	char longest[252];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!key_allowed(good[i]))
			fail_msg("\"%s\" should be allowed", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (key_allowed(bad[i]))
			fail_msg("\"%s\" should not be allowed", bad[i]);
	memset(longest, 'k', sizeof(longest));
	longest[250] = '\0';
	assert_true(key_allowed(longest));
	longest[250] = 'k';
	longest[251] = '\0';
	assert_false(key_allowed(longest));
	assert_true(queue_init(&q, 1, CAIRN_DROP_OLDEST));
}

static void
a_refused_point_counts_as_dropped_and_is_not_waited_for(void **state)
{
	cairn_run_counts n;

	(void)state;
	assert_true(queue_init(&q, 10, CAIRN_DROP_OLDEST));
	assert_int_equal(queue_point(&q, "a,b", 1, 1, 1), CAIRN_EINVAL);
	assert_int_equal(queue_point(&q, "a", 1, 1, -1), CAIRN_EINVAL);
	assert_int_equal(queue_label(&q, ITEM_PARAM, "a", "\xff"), CAIRN_EINVAL);
	queue_counts(&q, &n);
	assert_int_equal(n.dropped, 3);
	assert_int_equal(n.queued, 0);
	assert_true(queue_wait(&q, clock_mono_ms() + 1000));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		CASE(points_come_out_in_their_order),
		CASE(the_oldest_goes_when_it_is_full),
		CASE(the_newest_goes_when_it_is_told_so),
		CASE(many_keys_keep_their_names),
		CASE(two_values_of_a_parameter_do_not_share_a_request),
		CASE(keys_follow_the_rule_of_mlflow),
		CASE(a_refused_point_counts_as_dropped_and_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
