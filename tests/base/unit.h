/* What every test here includes, and a ctx without a server. */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include "base/ctx.h" /* before cmocka.h, whose fail() is a macro */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
/* our fail() writes the sentence of a ctx; cmocka's macro of that name would hide it */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error("ERROR: " __VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct parts no_parts;

static inline int
unit_setup(void **state)
{
	struct ctx *cx = calloc(1, sizeof(*cx));

	assert_true(hash_setup());
	assert_non_null(cx);
	ctx_init(cx, arena_new(), &no_parts);
	*state = cx;
	return 0;
}

static inline int
unit_teardown(void **state)
{
	struct ctx *cx = *state;

	arena_free(cx->arena);
	free(cx);
	return 0;
}

#define unit_case(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

#endif
