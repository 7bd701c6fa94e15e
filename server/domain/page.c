#include "domain/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void
page_text(struct search_value *v, const char *text)
{
	if (text != NULL)
		*v = (struct search_value){ .kind = VALUE_TEXT, .text = text };
}

void
page_int(struct search_value *v, int64_t i)
{
	*v = (struct search_value){
		.kind = VALUE_NUMBER, .number = (double)i, .integer = i, .is_integer = true
	};
}

void
page_number(struct search_value *v, double d)
{
	*v = (struct search_value){ .kind = VALUE_NUMBER, .number = d };
}

void
page_pair(const struct key_value *pairs, size_t n, const char *key, struct search_value *v)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = strcmp(pairs[mid].key, key);

		if (order == 0) {
			page_text(v, pairs[mid].value);
			return;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
}

const char *
page_scope(struct ctx *cx, const int64_t *ids, size_t n, enum view view)
{
	struct buf b;
	const char *out;

	buf_init(&b, 1 << 20);
	buf_printf(&b, "view=%d", (int)view);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, ",%lld", (long long)ids[i]);
	out = arena_strn(cx->arena, b.data, b.len);
	buf_fini(&b);
	return out;
}

enum status
page_begin(struct ctx *cx, const struct search_in *in, int64_t most, const char *scope, struct page *page)
{
	if (in->max_results < 1 || in->max_results > most)
		return fail(cx, INVALID,
			"Invalid value %lld for parameter 'max_results' supplied. It must be a positive "
			"integer of at most %lld",
			(long long)in->max_results, (long long)most);
	page->limit = (size_t)in->max_results;
	search_scope(page->search, scope);
	if (in->page_token == NULL || *in->page_token == '\0')
		return OK;
	return search_token_read(cx, page->search, in->page_token, &page->after);
}

enum status
page_open(struct ctx *cx, enum search_target target, const struct search_in *in, int64_t most,
	const char *scope, struct page *page)
{
	enum status st =
		search_compile(cx, target, in->filter, in->order_by, in->order_by_count, &page->search);

	return st == OK ? page_begin(cx, in, most, scope, page) : st;
}

/* A row that matched, with its values. */
struct hit {
	const struct search *search;
	const struct search_value *values;
	const void *row;
};

static int
hit_order(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return search_compare(x->search, x->values, y->values);
}

/* The hits, unsorted: rows that match and come after the token's. */
static struct hit *
find_hits(struct ctx *cx, const struct page *page, const char *rows, size_t n, size_t *found)
{
	size_t columns;
	const struct search_column *column = search_columns(page->search, &columns);
	struct hit *hits = arena_array(cx->arena, n, sizeof(*hits));
	struct search_value *values = arena_array(cx->arena, n * (columns + 1), sizeof(*values));

	*found = 0;
	for (size_t i = 0; i < n; i++) {
		const void *row = rows + i * page->size;

		for (size_t c = 0; c < columns; c++)
			page->value(row, &column[c], &values[column[c].slot]);
		if (search_matches(page->search, values) &&
			(page->after == NULL || search_compare(page->search, values, page->after) > 0)) {
			hits[(*found)++] = (struct hit){ page->search, values, row };
			values += columns;
		} else {
			memset(values, 0, columns * sizeof(*values));
		}
	}
	return hits;
}

enum status
page_take(struct ctx *cx, const struct page *page, const void *rows, size_t n, void **out, size_t *taken,
	const char **next_token)
{
	size_t found;
	struct hit *hits = find_hits(cx, page, rows, n, &found);
	char *copy;

	if (found > 1)
		qsort(hits, found, sizeof(*hits), hit_order);
	*next_token = NULL;
	if (found > page->limit) {
		found = page->limit;
		*next_token = search_token(cx, page->search, hits[found - 1].values);
	}
	copy = arena_array(cx->arena, found, page->size);
	for (size_t i = 0; i < found; i++)
		memcpy(copy + i * page->size, hits[i].row, page->size);
	*out = copy;
	*taken = found;
	return OK;
}
