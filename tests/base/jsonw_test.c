#include "base/unit.h"

#include <math.h>
#include "base/json.h"
#include "base/jsonw.h"

static void
nan_and_infinities_are_strings(void **state)
{
	struct buf b;
	struct jsonw w;

	(void)state;
	buf_init(&b, 1000);
	jw_init(&w, &b);
	jw_array(&w);
	jw_real(&w, (double)NAN);
	jw_real(&w, (double)INFINITY);
	jw_real(&w, -(double)INFINITY);
	jw_end(&w);
	assert_string_equal(b.data, "[\"NaN\",\"Infinity\",\"-Infinity\"]");
	buf_fini(&b);
}

static void
commas_stand_between_values_only(void **state)
{
	struct buf b;
	struct jsonw w;

	(void)state;
	buf_init(&b, 1000);
	jw_init(&w, &b);
	jw_object(&w);
	jw_text_at(&w, "a", "x");
	jw_text_at(&w, "left out", NULL);
	jw_array_at(&w, "b");
	jw_end(&w);
	jw_array_at(&w, "c");
	jw_int(&w, 1);
	jw_object(&w);
	jw_end(&w);
	jw_null(&w);
	jw_text(&w, NULL);
	jw_raw(&w, "[2]", 3);
	jw_end(&w);
	jw_bool_at(&w, "d", false);
	jw_object_at(&w, "e");
	jw_real_at(&w, "f", 0.5);
	jw_end(&w);
	jw_int_at(&w, "g", 7);
	jw_end(&w);
	assert_string_equal(b.data,
		"{\"a\":\"x\",\"b\":[],\"c\":[1,{},null,null,[2]],\"d\":false,\"e\":{\"f\":0.5},\"g\":7}");
	buf_fini(&b);
}

static void
integers_keep_their_extremes(void **state)
{
	struct buf b;
	struct jsonw w;

	(void)state;
	buf_init(&b, 1000);
	jw_init(&w, &b);
	jw_array(&w);
	jw_int(&w, INT64_MAX);
	jw_int(&w, INT64_MIN);
	jw_int(&w, 0);
	jw_int(&w, -1);
	jw_end(&w);
	assert_string_equal(b.data, "[9223372036854775807,-9223372036854775808,0,-1]");
	buf_fini(&b);
}

static void
every_character_survives_its_escape(void **state)
{
	struct ctx *cx = *state;
	const struct json *v;
	char text[300];
	size_t n = 0;
	struct buf b;
	struct jsonw w;

	for (int c = 1; c < 128; c++)
		text[n++] = (char)c;
	memcpy(text + n, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa8", 13);
	buf_init(&b, 4000);
	jw_init(&w, &b);
	jw_object(&w);
	jw_text_at(&w, text, text);
	jw_end(&w);
	for (size_t i = 0; i < b.len; i++)
		assert_true((unsigned char)b.data[i] >= ' ' && b.data[i] != 0x7f);
	assert_int_equal(json_parse(cx, b.data, b.len, &v), OK);
	assert_string_equal(json_text(json_member(v, text)), text);
	buf_fini(&b);
}

static void
a_full_buffer_is_noticed_at_the_end(void **state)
{
	struct buf b;
	struct jsonw w;

	(void)state;
	buf_init(&b, 8);
	jw_init(&w, &b);
	jw_array(&w);
	for (int i = 0; i < 100; i++)
		jw_text(&w, "words");
	jw_end(&w);
	assert_true(b.overflow);
	assert_true(b.len <= 8);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(nan_and_infinities_are_strings),
		unit_case(commas_stand_between_values_only),
		unit_case(integers_keep_their_extremes),
		unit_case(every_character_survives_its_escape),
		unit_case(a_full_buffer_is_noticed_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
