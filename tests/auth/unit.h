/* What every test here includes, and a ctx without a database. */
#ifndef AUTH_UNIT_H
#define AUTH_UNIT_H

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

static const struct parts no_parts;

static inline struct ctx *
unit_ctx(void)
{
	struct ctx *cx = calloc(1, sizeof(*cx));

	assert_non_null(cx);
	ctx_init(cx, arena_new(), &no_parts);
	return cx;
}

static inline void
unit_ctx_free(struct ctx *cx)
{
	arena_free(cx->arena);
	free(cx);
}

static inline int
unit_setup(void **state)
{
	assert_true(hash_setup());
	*state = unit_ctx();
	return 0;
}

static inline int
unit_teardown(void **state)
{
	unit_ctx_free(*state);
	return 0;
}

#endif
