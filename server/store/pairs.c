#include "store/pairs.h"

#include <stdlib.h>
#include <string.h>

struct key_value *
row_pairs(struct row *row, const char *keys, const char *values, size_t *n)
{
	size_t value_count;
	const char **k = row_texts(row, keys, n), **v = row_texts(row, values, &value_count);
	struct key_value *out = arena_array(row_ctx(row)->arena, *n, sizeof(*out));

	for (size_t i = 0; i < *n; i++)
		out[i] = (struct key_value){ k[i], i < value_count ? v[i] : NULL };
	return out;
}

struct placed {
	struct key_value pair;
	size_t at;
};

static int
by_key(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = strcmp(x->pair.key, y->pair.key);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* Sorted too: writers of one run then take row locks in one order. */
void
query_pairs(struct query *q, const struct key_value *pairs, size_t n)
{
	struct arena *arena = tx_ctx(q->tx)->arena;
	struct placed *sorted = arena_array(arena, n, sizeof(*sorted));
	const char **keys = arena_array(arena, n, sizeof(*keys)),
		   **values = arena_array(arena, n, sizeof(*values));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct placed){ pairs[i], i };
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), by_key);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && strcmp(sorted[i].pair.key, sorted[i + 1].pair.key) == 0)
			continue;
		keys[kept] = sorted[i].pair.key;
		values[kept++] = sorted[i].pair.value == NULL ? "" : sorted[i].pair.value;
	}
	query_texts(q, keys, kept);
	query_texts(q, values, kept);
}

void
query_actor(struct query *q)
{
	const struct actor *who = &tx_ctx(q->tx)->actor;

	query_int8_or_null(q, who->user_id != 0, who->user_id);
	query_int8_or_null(q, who->token_id != 0, who->token_id);
}
