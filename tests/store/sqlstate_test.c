#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/sqlstate.h"

static void
each_code_has_its_status(void **state)
{
	static const struct {
		const char *code;
		enum status status;
		bool drop;
	} want[] = {
		{ "23505", ALREADY_EXISTS, false },
		{ "23503", NOT_FOUND, false },
		{ "22021", INVALID, false },
		{ "22P05", INVALID, false },
		{ "40001", UNAVAILABLE, false },
		{ "40P01", UNAVAILABLE, false },
		{ "53100", UNAVAILABLE, false },
		{ "53200", UNAVAILABLE, false },
		{ "53300", UNAVAILABLE, false },
		{ "54000", INVALID, false },
		{ "55P03", UNAVAILABLE, false },
		{ "57014", TIMED_OUT, false },
		{ "57P01", UNAVAILABLE, true },
		{ "57P02", UNAVAILABLE, true },
		{ "57P03", UNAVAILABLE, true },
		{ "08006", UNAVAILABLE, true },
		{ "25006", UNAVAILABLE, true },
		{ "42601", INTERNAL, false },
		{ "XX000", INTERNAL, false },
		{ "", UNAVAILABLE, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct sqlstate *s = sqlstate_find(want[i].code);

		assert_int_equal(s->status, want[i].status);
		assert_int_equal(s->drop, want[i].drop);
		assert_true(s->sentence[0] != '\0');
	}
}

static void
no_code_at_all_is_a_lost_connection(void **state)
{
	(void)state;
	assert_int_equal(sqlstate_find(NULL)->status, UNAVAILABLE);
	assert_true(sqlstate_find(NULL)->drop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_status),
		cmocka_unit_test(no_code_at_all_is_a_lost_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
