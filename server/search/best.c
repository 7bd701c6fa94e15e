/* A heap whose top is the last of the best so far: what comes after it is forgotten at once, what comes before replaces it. */
#include "search/best.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "search/parts.h"

struct row {
	int64_t id;
	struct search_value *values; /* owned, one for each column of the order */
	char *texts;                 /* owned: those of the values */
	size_t room;
};

struct best {
	const struct search *search;
	const struct search_value *after;
	size_t limit, n, room;
	struct row *rows;
	struct search_value *offered; /* by order, of the row that is looked at */
};

struct best *
best_new(const struct search *s, const struct search_value *after, size_t limit)
{
	struct best *b = mem_alloc(sizeof(*b));

	*b = (struct best){ .search = s, .after = after, .limit = limit };
	b->offered = mem_array(s->order_count + 1, sizeof(*b->offered));
	return b;
}

void
best_free(struct best *b)
{
	for (size_t i = 0; b != NULL && i < b->n; i++) {
		free(b->rows[i].values);
		free(b->rows[i].texts);
	}
	if (b == NULL)
		return;
	free(b->rows);
	free(b->offered);
	free(b);
}

/* ---- the heap ---- */

static int
compare_rows(const struct best *b, const struct row *x, const struct row *y)
{
	return order_compare(b->search, x->values, y->values);
}

static void
swap(struct row *x, struct row *y)
{
	struct row z = *x;

	*x = *y;
	*y = z;
}

static void
sift_up(struct best *b, size_t at)
{
	for (size_t up = (at - 1) / 2; at > 0 && compare_rows(b, &b->rows[up], &b->rows[at]) < 0;
		up = (at - 1) / 2) {
		swap(&b->rows[up], &b->rows[at]);
		at = up;
	}
}

static void
sift_down(struct best *b)
{
	for (size_t at = 0, child = 1; child < b->n; child = 2 * at + 1) {
		if (child + 1 < b->n && compare_rows(b, &b->rows[child], &b->rows[child + 1]) < 0)
			child++;
		if (compare_rows(b, &b->rows[at], &b->rows[child]) >= 0)
			return;
		swap(&b->rows[at], &b->rows[child]);
		at = child;
	}
}

/* ---- rows ---- */

/* The values of the order, with texts of its own. */
static void
row_set(struct best *b, struct row *r, int64_t id)
{
	size_t count = b->search->order_count, need = 0;
	char *at;

	for (size_t i = 0; i < count; i++)
		if (b->offered[i].kind == VALUE_TEXT)
			need += strlen(b->offered[i].text) + 1;
	if (need > r->room) {
		r->room = need;
		r->texts = mem_resize(r->texts, need, 1);
	}
	at = r->texts;
	r->id = id;
	memcpy(r->values, b->offered, count * sizeof(*r->values));
	for (size_t i = 0; i < count; i++)
		if (r->values[i].kind == VALUE_TEXT) {
			size_t size = strlen(b->offered[i].text) + 1;

			r->values[i].text = memcpy(at, b->offered[i].text, size);
			at += size;
		}
}

static struct row *
row_new(struct best *b)
{
	if (b->n == b->room) {
		b->room = b->room * 2 + 64;
		b->rows = mem_resize(b->rows, b->room, sizeof(*b->rows));
	}
	b->rows[b->n] =
		(struct row){ .values = mem_array(b->search->order_count, sizeof(struct search_value)) };
	return &b->rows[b->n++];
}

void
best_offer(struct best *b, int64_t id, const struct search_value *values)
{
	const struct search *s = b->search;

	if (!search_matches(s, values) || (b->after != NULL && search_compare(s, values, b->after) <= 0))
		return;
	for (size_t i = 0; i < s->order_count; i++)
		b->offered[i] = values[s->orders[i].slot];
	if (b->n <= b->limit) {
		row_set(b, row_new(b), id);
		sift_up(b, b->n - 1);
	} else if (order_compare(s, b->offered, b->rows[0].values) < 0) {
		row_set(b, &b->rows[0], id);
		sift_down(b);
	}
}

static int
by_order(const void *x, const void *y, void *best)
{
	return compare_rows(best, x, y);
}

static const char *
token_of(const struct best *b, struct ctx *cx, const struct row *r)
{
	struct search_value *values = arena_array(cx->arena, b->search->column_count, sizeof(*values));

	for (size_t i = 0; i < b->search->order_count; i++)
		values[b->search->orders[i].slot] = r->values[i];
	return search_token(cx, b->search, values);
}

void
best_end(struct best *b, struct ctx *cx, int64_t **ids, size_t *n, const char **next_token)
{
	if (b->n > 1)
		qsort_r(b->rows, b->n, sizeof(*b->rows), by_order, b);
	*n = b->n < b->limit ? b->n : b->limit;
	*ids = arena_array(cx->arena, *n + 1, sizeof(**ids));
	for (size_t i = 0; i < *n; i++)
		(*ids)[i] = b->rows[i].id;
	*next_token = b->n > b->limit ? token_of(b, cx, &b->rows[b->limit - 1]) : NULL;
}
