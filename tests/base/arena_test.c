#include "base/unit.h"

static void
pieces_are_aligned_zeroed_and_apart(void **state)
{
	struct arena *a = arena_new();
	char *pieces[400];

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		pieces[i] = arena_alloc(a, i * 7);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < i * 7; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)(i & 0xff), i * 7);
	}
	for (size_t i = 0; i < COUNT(pieces); i++)
		for (size_t k = 0; k < i * 7; k++)
			assert_int_equal((unsigned char)pieces[i][k], i & 0xff);
	arena_free(a);
	arena_free(NULL);
}

static void
memory_after_a_reset_is_zero_again(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	arena_reset(a);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			char *p = arena_alloc(a, 1000);

			for (int k = 0; k < 1000; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xee, 1000);
		}
		arena_reset(a);
		assert_true(arena_size(a) < 300000);
	}
	arena_free(a);
}

static void
a_large_piece_is_held_once(void **state)
{
	struct arena *a = arena_new();
	char *p = arena_alloc(a, 5 << 20);

	(void)state;
	p[(5 << 20) - 1] = 1;
	assert_true(arena_size(a) >= 5 << 20);
	assert_true(arena_size(a) < 6 << 20);
	arena_alloc(a, 10);
	assert_true(arena_size(a) < 6 << 20);
	arena_free(a);
}

static void
many_small_pieces_cost_little_more_than_themselves(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (int i = 0; i < 100000; i++)
		arena_alloc(a, 16);
	assert_true(arena_size(a) < 1600000 + 400000);
	arena_free(a);
}

static void
text_is_copied_and_formatted(void **state)
{
	struct arena *a = arena_new();
	char longer[5000];
	char *s;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_null(arena_str(a, NULL));
	assert_string_equal(arena_str(a, ""), "");
	assert_string_equal(arena_strn(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strn(a, NULL, 0), "");
	s = arena_printf(a, "%s-%d-%s", longer, 42, "end");
	assert_int_equal(strlen(s), 4999 + 7);
	assert_string_equal(s + 4999, "-42-end");
	assert_memory_equal(arena_copy(a, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_array(a, 0, 0));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
		cmocka_unit_test(memory_after_a_reset_is_zero_again),
		cmocka_unit_test(a_large_piece_is_held_once),
		cmocka_unit_test(many_small_pieces_cost_little_more_than_themselves),
		cmocka_unit_test(text_is_copied_and_formatted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
