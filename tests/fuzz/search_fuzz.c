/*
 * libFuzzer: any bytes as filter, order and page token of every target. First byte: the target; then filter, order and
 * token, divided by newlines. What compiles is matched and compared on made-up rows, and its own token must read back.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "search/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct search_value
made_up(const struct search_column *c, int seed)
{
	static const char *const texts[] = { "", "true", "ResNet-50", "größe", "a_b%c" };
	static const double numbers[] = { 0, -1.5, NAN, INFINITY, 0.5 };

	if (seed % 7 == 6)
		return (struct search_value){ .kind = VALUE_MISSING };
	if (c->entity == ENTITY_METRIC)
		return (struct search_value){ .kind = VALUE_NUMBER, .number = numbers[seed % 5] };
	if (c->numeric)
		return (struct search_value){ .kind = VALUE_NUMBER, .integer = seed - 3, .is_integer = true };
	if (c->entity == ENTITY_DATASET)
		return (struct search_value){
			.kind = VALUE_TEXTS, .texts = texts, .text_count = (size_t)seed % 5
		};
	return (struct search_value){ .kind = VALUE_TEXT, .text = texts[seed % 5] };
}

static struct search_value *
row_of(struct ctx *cx, const struct search *s, int seed)
{
	size_t n;
	const struct search_column *c = search_columns(s, &n);
	struct search_value *row = arena_array(cx->arena, n + 1, sizeof *row);

	for (size_t i = 0; i < n; i++)
		row[i] = made_up(&c[i], seed + (int)i);
	return row;
}

/* A row equals itself, and another the other way round; its token is the row. */
static void
use(struct ctx *cx, const struct search *s, const char *token)
{
	struct search_value *back;

	for (int i = 0; i < 8; i++) {
		struct search_value *a = row_of(cx, s, i), *b = row_of(cx, s, i + 1);

		if (search_compare(s, a, a) != 0 ||
			(search_compare(s, a, b) > 0) != (search_compare(s, b, a) < 0))
			abort();
		(void)search_matches(s, a);
	}
	if (search_token_read(cx, s, search_token(cx, s, row_of(cx, s, 1)), &back) != OK ||
		search_compare(s, row_of(cx, s, 1), back) != 0)
		abort();
	if (token && search_token_read(cx, s, token, &back) == OK)
		(void)search_compare(s, back, row_of(cx, s, 0));
}

static char *
next_part(char **at)
{
	char *part = *at;
	char *end = part ? strchr(part, '\n') : NULL;

	*at = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return part;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *at = size ? arena_strn(arena, (const char *)data + 1, size - 1) : NULL;
	char *filter = next_part(&at), *order = next_part(&at), *token = next_part(&at);
	enum search_target target = size ? (enum search_target)(data[0] % 5) : SEARCH_RUNS;
	const char *clause = order;
	struct search *s = NULL;
	struct ctx cx;
	enum status st;

	if (!hash_setup())
		abort();
	ctx_init(&cx, arena, NULL);
	if (target == SEARCH_LOGGED_MODELS)
		st = search_compile_fields(
			&cx, filter, &(struct search_field){ .name = order }, order ? 1 : 0, &s);
	else
		st = search_compile(&cx, target, filter, &clause, order ? 1 : 0, &s);
	if (st == OK)
		use(&cx, s, token);
	else if (st != INVALID || !cx.message[0])
		abort();
	arena_free(arena);
	return 0;
}
