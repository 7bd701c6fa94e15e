#include "auth/token.h"

#include "auth/unit.h"

static void
a_token_has_its_shape_and_its_checksum(void **state)
{
	char text[TOKEN_TEXT], other[TOKEN_TEXT];

	(void)state;
	token_make(text);
	token_make(other);
	assert_int_equal(strlen(text), TOKEN_LENGTH);
	assert_int_equal(strncmp(text, "cairn_", 6), 0);
	assert_int_equal(
		strspn(text + 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 49);
	assert_string_not_equal(text, other);
	assert_true(token_is_well_formed(text));
}

static void
one_wrong_character_anywhere_shows(void **state)
{
	char text[TOKEN_TEXT], was;

	(void)state;
	token_make(text);
	for (size_t i = 0; i < TOKEN_LENGTH; i++) {
		was = text[i];
		text[i] = was == 'x' ? 'y' : 'x';
		assert_false(token_is_well_formed(text));
		text[i] = was;
	}
	assert_true(token_is_well_formed(text));
	text[TOKEN_LENGTH - 1] = '\0';
	assert_false(token_is_well_formed(text));
	assert_false(token_is_well_formed(""));
	assert_false(token_is_well_formed("cairn_"));
}

static void
hashes_differ_as_tokens_do(void **state)
{
	uint8_t a[SHA256_BYTES], b[SHA256_BYTES];
	char text[TOKEN_TEXT];

	(void)state;
	token_make(text);
	token_hash(text, a);
	token_hash(text, b);
	assert_memory_equal(a, b, sizeof(a));
	token_make(text);
	token_hash(text, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_has_its_shape_and_its_checksum),
		cmocka_unit_test(one_wrong_character_anywhere_shows),
		cmocka_unit_test(hashes_differ_as_tokens_do),
	};

	return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
