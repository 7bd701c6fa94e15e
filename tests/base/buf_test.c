#include "base/unit.h"

#include "base/buf.h"

static void
exactly_the_limit_fits(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_add(&b, "0123456789", 10);
	assert_false(b.overflow);
	assert_int_equal(b.len, 10);
	assert_string_equal(b.data, "0123456789");
	buf_char(&b, 'x');
	assert_true(b.overflow);
	assert_int_equal(b.len, 10);
	buf_fini(&b);
}

static void
after_an_overflow_nothing_is_added(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_str(&b, "abc");
	buf_str(&b, "far too much text");
	assert_true(b.overflow);
	buf_str(&b, "d");
	buf_printf(&b, "%d", 7);
	assert_null(buf_room(&b, 1));
	assert_string_equal(b.data, "abc");
	buf_clear(&b);
	assert_false(b.overflow);
	buf_str(&b, "again");
	assert_string_equal(b.data, "again");
	buf_fini(&b);
	assert_null(b.data);
	assert_int_equal(b.limit, 10);
}

static void
printed_text_of_any_length_is_whole_or_absent(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_printf(&b, "%0900d", 5);
	assert_int_equal(b.len, 900);
	assert_int_equal(b.data[899], '5');
	buf_printf(&b, "%0101d", 5);
	assert_true(b.overflow);
	assert_int_equal(b.len, 900);
	assert_int_equal(b.data[900], '\0');
	buf_fini(&b);
}

static void
room_is_given_and_grows(void **state)
{
	struct buf b;
	char *room;

	(void)state;
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < 1000; i++) {
		room = buf_room(&b, 1000);
		assert_non_null(room);
		memset(room, 'r', 1000);
		b.len += 1000;
	}
	assert_int_equal(b.len, 1000000);
	assert_true(b.size <= 2u << 20);
	assert_null(buf_room(&b, 48577));
	buf_fini(&b);
	buf_init(&b, 16);
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(b.overflow);
	buf_fini(&b);
}

static void
nothing_added_is_an_empty_text(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_str(&b, "");
	assert_false(b.overflow);
	assert_string_equal(b.data, "");
	buf_char(&b, 'a');
	assert_true(b.overflow);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_the_limit_fits),
		cmocka_unit_test(after_an_overflow_nothing_is_added),
		cmocka_unit_test(printed_text_of_any_length_is_whole_or_absent),
		cmocka_unit_test(room_is_given_and_grows),
		cmocka_unit_test(nothing_added_is_an_empty_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
