/* Putting a search together. */
#include "search/parts.h"

#include <string.h>
#include "base/hash.h"
#include "base/str.h"

static bool
same_column(const struct search_column *a, const struct search_column *b)
{
	return a->entity == b->entity && a->latest == b->latest && a->aggregate == b->aggregate &&
	       str_eq(a->name, b->name) && str_eq(a->dataset_name, b->dataset_name) &&
	       str_eq(a->dataset_digest, b->dataset_digest);
}

int
search_column_add(struct search *s, const struct search_column *column)
{
	for (size_t i = 0; i < s->column_count; i++)
		if (same_column(&s->columns[i], column))
			return (int)i;
	if (s->column_count == s->column_size) {
		struct search_column *old = s->columns;

		s->column_size = s->column_size ? s->column_size * 2 : 8;
		s->columns = arena_array(s->arena, s->column_size, sizeof *s->columns);
		if (old)
			memcpy(s->columns, old, s->column_count * sizeof *old);
	}
	s->columns[s->column_count] = *column;
	s->columns[s->column_count].slot = (int)s->column_count;
	return (int)s->column_count++;
}

const struct search_column *
search_columns(const struct search *s, size_t *n)
{
	*n = s->column_count;
	return s->columns;
}

static struct search *
search_new(struct ctx *cx, enum search_target target)
{
	struct search *s = arena_alloc(cx->arena, sizeof *s);

	s->arena = cx->arena;
	s->target = target;
	s->schema = schema_of(target);
	s->prompt_slot = -1;
	return s;
}

/* The length goes first, so that no two lists of texts run together to the same bytes. */
static void
hash_text(struct sha256 *h, const char *text)
{
	uint64_t len = text ? strlen(text) + 1 : 0;

	sha256_add(h, &len, sizeof len);
	if (text)
		sha256_add(h, text, (size_t)len);
}

static void
hash_start(struct sha256 *h, const struct search *s, const char *filter)
{
	uint32_t target = (uint32_t)s->target;

	sha256_init(h);
	sha256_add(h, &target, sizeof target);
	hash_text(h, str_empty(filter) ? NULL : filter);
}

void
search_scope(struct search *s, const char *scope)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, s->hash, sizeof s->hash);
	hash_text(&h, scope);
	sha256_end(&h, s->hash);
}

enum status
search_compile(struct ctx *cx, enum search_target target, const char *filter, const char *const *order_by,
	size_t order_count, struct search **out)
{
	struct search *s = search_new(cx, target);
	struct sha256 h;
	enum status st;

	if ((st = filter_parse(cx, s, filter)) != OK ||
		(st = order_parse(cx, s, order_by, order_count)) != OK)
		return st;
	hash_start(&h, s, filter);
	for (size_t i = 0; i < order_count; i++)
		hash_text(&h, order_by[i]);
	sha256_end(&h, s->hash);
	*out = s;
	return OK;
}

enum status
search_compile_fields(struct ctx *cx, const char *filter, const struct search_field *order_by,
	size_t order_count, struct search **out)
{
	struct search *s = search_new(cx, SEARCH_LOGGED_MODELS);
	struct sha256 h;
	enum status st;

	if ((st = filter_parse(cx, s, filter)) != OK ||
		(st = order_fields(cx, s, order_by, order_count)) != OK)
		return st;
	hash_start(&h, s, filter);
	for (size_t i = 0; i < order_count; i++) {
		hash_text(&h, order_by[i].name);
		hash_text(&h, order_by[i].descending ? "d" : "a");
		hash_text(&h, order_by[i].dataset_name);
		hash_text(&h, order_by[i].dataset_digest);
	}
	sha256_end(&h, s->hash);
	*out = s;
	return OK;
}
