/* What the tests of search share: compile or fail the test, and rows of a few values. */
#ifndef TESTS_SEARCH_H
#define TESTS_SEARCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "search/search.h"
#include <cmocka.h> /* last: it has a macro fail() */

struct fixture {
	struct arena *arena;
	struct ctx cx;
};

static inline int
fixture_new(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->arena = arena_new();
	ctx_init(&f->cx, f->arena, NULL);
	*state = f;
	return 0;
}

static inline int
fixture_free(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	free(f);
	return 0;
}

static inline struct search *
compiled(void **state, enum search_target target, const char *filter)
{
	struct fixture *f = *state;
	struct search *s = NULL;

	if (search_compile(&f->cx, target, filter, NULL, 0, &s) != OK)
		fail_msg("%s: %s", filter ? filter : "", f->cx.message);
	return s;
}

/* The sentence of a refusal. */
static inline const char *
refused(void **state, enum search_target target, const char *filter)
{
	struct fixture *f = *state;
	struct search *s = NULL;

	if (search_compile(&f->cx, target, filter, NULL, 0, &s) == OK)
		fail_msg("accepted: %.200s", filter);
	assert_int_equal(f->cx.status, INVALID);
	return f->cx.message;
}

static inline void
assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static inline int
slot_of(const struct search *s, enum search_entity entity, const char *name)
{
	size_t n;
	const struct search_column *c = search_columns(s, &n);

	for (size_t i = 0; i < n; i++)
		if (c[i].entity == entity && str_eq(c[i].name, name))
			return c[i].slot;
	return -1;
}

#define NUMBER(v)  ((struct search_value){ .kind = VALUE_NUMBER, .number = (v) })
#define INTEGER(v) ((struct search_value){ .kind = VALUE_NUMBER, .integer = (v), .is_integer = true })
#define TEXT(v)    ((struct search_value){ .kind = VALUE_TEXT, .text = (v) })
#define MISSING    ((struct search_value){ .kind = VALUE_MISSING })

#endif
