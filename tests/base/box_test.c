#include "base/box.h"

#include "unit.h"

static const uint8_t key[BOX_KEY_BYTES] = { 1, 2, 3 }, other[BOX_KEY_BYTES] = { 1, 2, 4 };

static void
what_was_sealed_opens_again(void **state)
{
	struct box *b = box_new(key), *again = box_new(key);
	uint8_t sealed[6 + BOX_OVERHEAD], twice[6 + BOX_OVERHEAD];
	char out[6];

	(void)state;
	box_seal(b, "row 1", "secret", 6, sealed);
	box_seal(b, "row 1", "secret", 6, twice);
	assert_memory_not_equal(sealed, twice, sizeof(sealed));
	assert_true(box_open(again, "row 1", sealed, sizeof(sealed), out));
	assert_memory_equal(out, "secret", 6);
	assert_string_equal(box_key_id(b), box_key_id(again));
	box_free(b);
	box_free(again);
}

static void
it_opens_under_no_other_key_for_no_other_row_and_not_changed(void **state)
{
	struct box *b = box_new(key), *stranger = box_new(other);
	uint8_t sealed[6 + BOX_OVERHEAD];
	char out[6 + BOX_OVERHEAD];

	(void)state;
	box_seal(b, "row 1", "secret", 6, sealed);
	assert_false(box_open(stranger, "row 1", sealed, sizeof(sealed), out));
	assert_string_not_equal(box_key_id(b), box_key_id(stranger));
	assert_false(box_open(b, "row 2", sealed, sizeof(sealed), out));
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_false(box_open(b, "row 1", sealed, sizeof(sealed), out));
		sealed[i] ^= 1;
	}
	for (size_t n = 0; n < sizeof(sealed); n++)
		assert_false(box_open(b, "row 1", sealed, n, out));
	assert_true(box_open(b, "row 1", sealed, sizeof(sealed), out));
	box_free(b);
	box_free(stranger);
}

static void
nothing_can_be_sealed_too(void **state)
{
	struct box *b = box_new(key);
	uint8_t sealed[BOX_OVERHEAD];
	char out[1];

	(void)state;
	box_seal(b, "", "", 0, sealed);
	assert_true(box_open(b, "", sealed, sizeof(sealed), out));
	box_free(b);
	box_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(what_was_sealed_opens_again),
		unit_case(it_opens_under_no_other_key_for_no_other_row_and_not_changed),
		unit_case(nothing_can_be_sealed_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
