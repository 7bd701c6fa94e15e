#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "search/table.h"

#define CELLS_MOST 2000000 /* looked at for the runs of one page: some ten ms */

/* A param or a tag. */
struct named {
	const char *key;
	const struct column *column;
};

struct whole {
	const struct table *table;
	struct arena *arena;
	struct named *params, *tags; /* by key */
	size_t param_count, tag_count;
	const struct column *name, *user;
};

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->key, ((const struct named *)b)->key);
}

static struct named *
columns_of(const struct whole *w, enum search_entity entity, size_t *n)
{
	const struct table *t = w->table;
	struct named *out = arena_array(w->arena, t->column_count, sizeof(*out));

	*n = 0;
	for (size_t i = 0; i < t->column_count; i++)
		if (t->columns[i]->entity == entity)
			out[(*n)++] =
				(struct named){ texts_get(&t->texts, t->columns[i]->name), t->columns[i] };
	if (*n > 1)
		qsort(out, *n, sizeof(*out), by_key);
	return out;
}

struct whole *
whole_new(const struct table *t, struct arena *arena, size_t runs)
{
	struct whole *w;

	if (t->column_count * runs > CELLS_MOST)
		return NULL;
	w = arena_alloc(arena, sizeof(*w));
	*w = (struct whole){ .table = t, .arena = arena };
	w->params = columns_of(w, ENTITY_PARAM, &w->param_count);
	w->tags = columns_of(w, ENTITY_TAG, &w->tag_count);
	w->name = table_column(t, ENTITY_ATTRIBUTE, AGGREGATE_LAST, "run_name");
	w->user = table_column(t, ENTITY_ATTRIBUTE, AGGREGATE_LAST, "user_id");
	return w;
}

static const char *
text_of(const struct whole *w, const struct column *c, uint32_t row)
{
	uint32_t id = c == NULL ? 0 : column_text(c, row);

	return id == 0 ? NULL : arena_str(w->arena, texts_get(&w->table->texts, id));
}

static struct key_value *
pairs_of(const struct whole *w, const struct named *columns, size_t n, uint32_t row, size_t *found)
{
	struct key_value *out;

	*found = 0;
	for (size_t i = 0; i < n; i++)
		*found += column_text(columns[i].column, row) != 0;
	out = arena_array(w->arena, *found, sizeof(*out));
	*found = 0;
	for (size_t i = 0; i < n; i++) {
		const char *value = text_of(w, columns[i].column, row);

		if (value != NULL)
			out[(*found)++] = (struct key_value){ arena_str(w->arena, columns[i].key), value };
	}
	return out;
}

static int64_t
number_of(const struct pages *p, uint32_t row)
{
	return ((const int64_t *)p->at[row / PAGE_ROWS])[row % PAGE_ROWS];
}

struct run *
whole_run(const struct whole *w, uint32_t row)
{
	const struct table *t = w->table;
	const uint8_t *states = t->states.at[row / PAGE_ROWS], *uuids = t->uuids.at[row / PAGE_ROWS];
	uint8_t state = states[row % PAGE_ROWS];
	char *uuid;
	struct run *run;

	if ((state & ROW_PLAIN) == 0)
		return NULL;
	uuid = arena_alloc(w->arena, 2 * UUID_BYTES + 1);
	hex_encode(uuid, uuids + row % PAGE_ROWS * UUID_BYTES, UUID_BYTES);
	run = arena_alloc(w->arena, sizeof(*run));
	*run = (struct run){ .run_id = number_of(&t->run_ids, row),
		.uuid = uuid,
		.name = text_of(w, w->name, row),
		.user_text = text_of(w, w->user, row),
		.status = (enum run_status)(state / ROW_STATUS),
		.start_unix_ms = number_of(&t->starts, row),
		.has_end = (state & ROW_ENDED) != 0,
		.deleted = (state & ROW_DELETED) != 0,
		.artifact_uri = arena_printf(w->arena, "%s%s/artifacts", t->uri_prefix, uuid) };
	run->end_unix_ms = run->has_end ? number_of(&t->ends, row) : 0;
	run->params = pairs_of(w, w->params, w->param_count, row, &run->param_count);
	run->tags = pairs_of(w, w->tags, w->tag_count, row, &run->tag_count);
	return run;
}
