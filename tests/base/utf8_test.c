#include "base/unit.h"

#include "base/utf8.h"

static void
well_formed_text_is_valid(void **state)
{
	static const struct {
		const char *text;
		size_t characters;
	} good[] = { { "", 0 }, { "a", 1 }, { "\x7f", 1 }, { "\xc2\x80", 1 }, { "\xdf\xbf", 1 },
		{ "\xe0\xa0\x80", 1 }, { "\xed\x9f\xbf", 1 }, { "\xee\x80\x80", 1 }, { "\xef\xbf\xbf", 1 },
		{ "\xf0\x90\x80\x80", 1 }, { "\xf4\x8f\xbf\xbf", 1 },
		{ "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z", 5 } };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(utf8_valid(good[i].text, strlen(good[i].text)));
		assert_int_equal(utf8_count(good[i].text, strlen(good[i].text)), good[i].characters);
	}
}

static void
malformed_text_is_not(void **state)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80",
		"\xe0\x9f\xbf",                                                         /* overlong */
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", /* surrogates */
		"\xed\xa0\xbd\xed\xb8\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xfe", "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xc2z", "\xe2z\xac", "\xe2\x82z",
		"\xf0\x9fz\x80", "\xf0\x9f\x98z", "ok\xe2\x82" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (utf8_valid(bad[i], strlen(bad[i])))
			print_error("number %zu is taken for valid\n", i);
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	}
	assert_false(utf8_valid("a\0b", 3));
	assert_false(utf8_valid("\xe2\x82\xac", 2)); /* cut by its length */
}

static void
every_code_point_is_written_and_read(void **state)
{
	(void)state;
	for (uint32_t cp = 1; cp <= 0x10ffff; cp++) {
		char text[4];
		const char *p = text;
		size_t n;

		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		n = utf8_put(text, cp);
		if (!utf8_valid(text, n) || utf8_next(&p, text + n) != cp || p != text + n)
			fail_msg("U+%04X does not come back", cp);
	}
}

static void
a_walk_over_malformed_text_ends(void **state)
{
	static const char text[] = "\xff\xe2\x82\xf0\x9f"
				   "a\xc3";
	const char *p = text, *end = text + sizeof(text) - 1;
	int steps = 0;

	(void)state;
	while (p < end) {
		utf8_next(&p, end);
		assert_true(p <= end);
		steps++;
	}
	assert_int_equal(steps, 7);
	assert_int_equal(utf8_next(&p, end), 0);
}

static void
letters_fold_to_one_form(void **state)
{
	static const struct {
		uint32_t from, to;
	} folds[] = { { 'A', 'a' }, { 'Z', 'z' }, { 'a', 'a' }, { '[', '[' }, { '0', '0' }, { 0xc9, 0xe9 },
		{ 0xd7, 0xd7 }, { 0x100, 0x101 }, { 0x101, 0x101 }, { 0x178, 0xff }, { 0x391, 0x3b1 },
		{ 0x3a3, 0x3c3 }, { 0x3c2, 0x3c3 }, { 0x416, 0x436 }, { 0x531, 0x561 }, { 0x10a0, 0x2d00 },
		{ 0xff21, 0xff41 }, { 0x10400, 0x10428 }, { 0x4e00, 0x4e00 }, { 0x1f600, 0x1f600 },
		{ 0x1e9e, 0xdf } };

	(void)state;
	for (size_t i = 0; i < COUNT(folds); i++) {
		if (utf8_fold(folds[i].from) != folds[i].to)
			print_error("U+%04X\n", folds[i].from);
		assert_int_equal(utf8_fold(folds[i].from), folds[i].to);
	}
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++)
		if (utf8_fold(utf8_fold(cp)) != utf8_fold(cp))
			fail_msg("the fold of U+%04X folds on", cp);
}

static void
words_are_letters_digits_and_marks_of_any_script(void **state)
{
	static const uint32_t word[] = { '_', 'a', 'Z', '0', 0xe9, 0x3b1, 0x416, 0x5d0, 0x627, 0x905, 0x4e2d,
		0xac00, 0x660, 0x2160, 0xb2, 0x20000 };
	static const uint32_t other[] = { ' ', '-', '.', '/', ':', '!', '\n', 0, 0x7f, 0xa0, 0xd7, 0x2013,
		0x2028, 0x3000, 0x1f600, 0xfffd, 0x10ffff };

	(void)state;
	for (size_t i = 0; i < COUNT(word); i++)
		assert_true(utf8_is_word(word[i]));
	for (size_t i = 0; i < COUNT(other); i++)
		assert_false(utf8_is_word(other[i]));
	assert_true(utf8_is_control(0) && utf8_is_control(0x1f) && utf8_is_control(0x7f) &&
		    utf8_is_control(0x9f));
	assert_false(utf8_is_control(' ') || utf8_is_control(0xa0) || utf8_is_control(0x200b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_text_is_valid),
		cmocka_unit_test(malformed_text_is_not),
		cmocka_unit_test(every_code_point_is_written_and_read),
		cmocka_unit_test(a_walk_over_malformed_text_ends),
		cmocka_unit_test(letters_fold_to_one_form),
		cmocka_unit_test(words_are_letters_digits_and_marks_of_any_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
