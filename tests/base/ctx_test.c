#include "base/unit.h"

#include "base/utf8.h"

static void
a_failure_has_its_sentence_and_its_status(void **state)
{
	struct ctx *cx = *state;

	assert_int_equal(fail(cx, NOT_FOUND, "run \"%s\" does not exist", "r1"), NOT_FOUND);
	assert_string_equal(cx->message, "run \"r1\" does not exist");
	assert_int_equal(cx->status, NOT_FOUND);
}

static void
a_sentence_is_one_line(void **state)
{
	struct ctx *cx = *state;

	assert_int_equal(fail(cx, INVALID,
				 "a\nb\rc\td\x01"
				 "e\x7f"
				 "f"),
		INVALID);
	assert_string_equal(cx->message, "a b c d e f");
	assert_int_equal(fail(cx, INVALID, "x\xc2\x85y\xc2\x9bz"), INVALID); /* C1 controls too */
	assert_string_equal(cx->message, "x y z");
}

static void
a_sentence_that_is_cut_stays_valid_text(void **state)
{
	struct ctx *cx = *state;
	char text[4000];

	for (size_t shift = 0; shift < 8; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 5);
		assert_int_equal(fail(cx, INVALID, "Invalid path: %.300s", text), INVALID);
		assert_true(utf8_valid(cx->message, strlen(cx->message)));
		assert_true(strlen(cx->message) > 300);
		assert_int_equal(fail(cx, INVALID, "%s", text), INVALID);
		assert_true(utf8_valid(cx->message, strlen(cx->message)));
		assert_true(strlen(cx->message) > 1000);
	}
	assert_int_equal(fail(cx, INVALID,
				 "\xff"
				 "a\xc3"),
		INVALID);
	assert_string_equal(cx->message, "a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(a_failure_has_its_sentence_and_its_status),
		unit_case(a_sentence_is_one_line),
		unit_case(a_sentence_that_is_cut_stays_valid_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
