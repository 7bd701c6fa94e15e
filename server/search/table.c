#include "search/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "search/aggregate.h"

#define LIST_BYTES  (16u << 20)
#define GARBAGE_MIN (1u << 20) /* texts are not looked through for less */

static const char *const dataset_names[] = { "name", "digest", "context" };

union cell {
	double number;
	uint32_t text;
};

static double
no_number(void)
{
	uint64_t bits = NO_NUMBER;
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

void
table_init(struct table *t)
{
	*t = (struct table){ 0 };
	texts_init(&t->texts);
}

static void
pages_fini(struct pages *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->at[i]);
	free(p->at);
}

static void
column_free(struct column *c)
{
	pages_fini(&c->pages);
	free(c->few);
	free(c);
}

void
table_fini(struct table *t)
{
	struct pages *fixed[] = { &t->run_ids, &t->uuids, &t->starts, &t->ends, &t->states, &t->versions,
		&t->kept };

	table_drop_kept(t);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		pages_fini(fixed[i]);
	for (size_t i = 0; i < t->column_count; i++)
		column_free(t->columns[i]);
	free(t->columns);
	free(t->wanted);
	free(t->uri_prefix);
	free(t->column_index);
	free(t->index);
	texts_fini(&t->texts);
}

size_t
table_bytes(const struct table *t)
{
	return sizeof(*t) + t->bytes + t->kept_bytes + texts_bytes(&t->texts);
}

/* ---- pages ---- */

static void *
pages_make(struct table *t, struct pages *p, size_t page, size_t size)
{
	if (page >= p->n) {
		size_t n = page + 1 + page / 8;

		p->at = mem_resize(p->at, n, sizeof(*p->at));
		memset(p->at + p->n, 0, (n - p->n) * sizeof(*p->at));
		t->bytes += (n - p->n) * sizeof(*p->at);
		p->n = n;
	}
	if (p->at[page] == NULL) {
		p->at[page] = mem_array(PAGE_ROWS, size);
		t->bytes += PAGE_ROWS * size;
	}
	return p->at[page];
}

static void *
cell_at(struct table *t, struct pages *p, uint32_t row, size_t size)
{
	return (char *)pages_make(t, p, row / PAGE_ROWS, size) + row % PAGE_ROWS * size;
}

static void
set_int64(struct table *t, struct pages *p, uint32_t row, int64_t v)
{
	*(int64_t *)cell_at(t, p, row, sizeof(v)) = v;
}

static void
clear_page(void *page, bool number)
{
	double *cells = page;

	if (number)
		for (size_t i = 0; i < PAGE_ROWS; i++)
			cells[i] = no_number();
	else
		memset(page, 0, PAGE_ROWS * sizeof(uint32_t));
}

/* ---- columns ---- */

static size_t
cell_size(const struct column *c)
{
	return c->number ? sizeof(double) : sizeof(uint32_t);
}

static uint32_t
few_place(const struct column *c, uint32_t row)
{
	uint32_t lo = 0, hi = c->few_count;

	if (hi > 0 && c->few[hi - 1].row < row)
		return hi;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (c->few[mid].row < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct few *
few_at(const struct column *c, uint32_t row)
{
	uint32_t at = few_place(c, row);

	return at < c->few_count && c->few[at].row == row ? &c->few[at] : NULL;
}

double
column_number(const struct column *c, uint32_t row)
{
	const double *page = pages_page(&c->pages, row / PAGE_ROWS);
	const struct few *few;

	if (page != NULL)
		return page[row % PAGE_ROWS];
	few = c->few_count > 0 ? few_at(c, row) : NULL;
	return few != NULL ? few->number : no_number();
}

uint32_t
column_text(const struct column *c, uint32_t row)
{
	const uint32_t *page = pages_page(&c->pages, row / PAGE_ROWS);
	const struct few *few;

	if (page != NULL)
		return page[row % PAGE_ROWS];
	few = c->few_count > 0 ? few_at(c, row) : NULL;
	return few != NULL ? few->text : 0;
}

const void *
column_page(const struct column *c, size_t page, void *scratch)
{
	uint32_t from = (uint32_t)page * PAGE_ROWS, at;

	if (c->few_count == 0)
		return pages_page(&c->pages, page);
	at = few_place(c, from);
	if (at == c->few_count || c->few[at].row >= from + PAGE_ROWS)
		return NULL;
	clear_page(scratch, c->number);
	for (; at < c->few_count && c->few[at].row < from + PAGE_ROWS; at++)
		if (c->number)
			((double *)scratch)[c->few[at].row - from] = c->few[at].number;
		else
			((uint32_t *)scratch)[c->few[at].row - from] = c->few[at].text;
	return scratch;
}

static void
page_put(struct table *t, struct column *c, uint32_t row, union cell v)
{
	bool fresh = pages_page(&c->pages, row / PAGE_ROWS) == NULL;
	void *page = pages_make(t, &c->pages, row / PAGE_ROWS, cell_size(c));

	if (fresh && c->number)
		clear_page(page, true);
	if (c->number)
		((double *)page)[row % PAGE_ROWS] = v.number;
	else
		((uint32_t *)page)[row % PAGE_ROWS] = v.text;
}

static void
few_to_pages(struct table *t, struct column *c)
{
	struct few *few = c->few;
	uint32_t n = c->few_count;

	t->bytes -= c->few_room * sizeof(*few);
	c->few = NULL;
	c->few_count = c->few_room = 0;
	for (uint32_t i = 0; i < n; i++)
		page_put(t, c, few[i].row,
			c->number ? (union cell){ .number = few[i].number }
				  : (union cell){ .text = few[i].text });
	free(few);
}

static void
few_put(struct table *t, struct column *c, uint32_t row, union cell v)
{
	uint32_t at = few_place(c, row);

	if (at == c->few_count || c->few[at].row != row) {
		if (c->few_count == c->few_room) {
			uint32_t room = c->few_room == 0 ? 4 : c->few_room * 2;

			c->few = mem_resize(c->few, room, sizeof(*c->few));
			t->bytes += (room - c->few_room) * sizeof(*c->few);
			c->few_room = room;
		}
		memmove(c->few + at + 1, c->few + at, (c->few_count - at) * sizeof(*c->few));
		c->few_count++;
	}
	c->few[at] = (struct few){ .row = row };
	if (c->number)
		c->few[at].number = v.number;
	else
		c->few[at].text = v.text;
}

static void
column_put(struct table *t, struct column *c, uint32_t row, union cell v)
{
	c->stamp = t->stamp;
	if (c->pages.n == 0 && c->few_count == FEW_MOST && few_at(c, row) == NULL)
		few_to_pages(t, c);
	if (c->pages.n > 0)
		page_put(t, c, row, v);
	else
		few_put(t, c, row, v);
}

static void
column_clear(struct table *t, struct column *c, uint32_t row)
{
	const struct few *few;

	if (c->pages.n > 0) {
		if (pages_page(&c->pages, row / PAGE_ROWS) != NULL)
			page_put(t, c, row,
				c->number ? (union cell){ .number = no_number() }
					  : (union cell){ .text = 0 });
	} else if ((few = few_at(c, row)) != NULL) {
		size_t at = (size_t)(few - c->few);

		memmove(c->few + at, c->few + at + 1, (c->few_count - at - 1) * sizeof(*few));
		c->few_count--;
	}
}

static size_t
spread(uint64_t v)
{
	return (size_t)(v * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

size_t
column_bytes(const struct column *c)
{
	size_t bytes = sizeof(*c) + c->few_room * sizeof(*c->few) + c->pages.n * sizeof(*c->pages.at);

	for (size_t i = 0; i < c->pages.n; i++)
		bytes += c->pages.at[i] == NULL ? 0 : PAGE_ROWS * cell_size(c);
	return bytes;
}

static uint32_t *
column_slot(const struct table *t, enum search_entity entity, enum search_aggregate aggregate, uint32_t name)
{
	size_t mask = t->column_index_size - 1;
	size_t at = spread((uint64_t)name * 64 + (uint64_t)aggregate * 8 + (uint64_t)entity) & mask;

	for (; t->column_index[at] != 0; at = (at + 1) & mask) {
		const struct column *c = t->columns[t->column_index[at] - 1];

		if (c->entity == entity && c->aggregate == aggregate && c->name == name)
			break;
	}
	return &t->column_index[at];
}

static void
index_columns(struct table *t, size_t size)
{
	t->bytes += (size - t->column_index_size) * sizeof(*t->column_index);
	t->column_index_size = size;
	free(t->column_index);
	t->column_index = mem_array(size, sizeof(*t->column_index));
	for (size_t i = 0; i < t->column_count; i++) {
		const struct column *c = t->columns[i];

		*column_slot(t, c->entity, c->aggregate, c->name) = (uint32_t)i + 1;
	}
}

static struct column *
column_new(struct table *t, enum search_entity entity, enum search_aggregate aggregate, uint32_t name)
{
	struct column *c = mem_alloc(sizeof(*c));

	if (t->column_count == t->column_room) {
		t->bytes += (t->column_room + 16) * sizeof(struct column *);
		t->column_room = t->column_room * 2 + 16;
		t->columns = mem_resize(t->columns, t->column_room, sizeof(*t->columns));
	}
	t->bytes += sizeof(*c);
	c->entity = entity;
	c->aggregate = aggregate;
	c->name = name;
	c->number = entity == ENTITY_METRIC;
	c->list = entity == ENTITY_DATASET;
	t->columns[t->column_count++] = c;
	return c;
}

static struct column *
column_of(struct table *t, enum search_entity entity, enum search_aggregate aggregate, const char *key)
{
	uint32_t name = texts_put(&t->texts, key, strlen(key)), *slot;
	struct column *c;

	if ((t->column_count + 1) * 2 > t->column_index_size)
		index_columns(t, t->column_index_size == 0 ? 64 : t->column_index_size * 2);
	slot = column_slot(t, entity, aggregate, name);
	if (*slot != 0)
		return t->columns[*slot - 1];
	c = column_new(t, entity, aggregate, name);
	*slot = (uint32_t)t->column_count;
	t->unfit = t->unfit || name == 0;
	return c;
}

const struct column *
table_column(
	const struct table *t, enum search_entity entity, enum search_aggregate aggregate, const char *name)
{
	uint32_t id = texts_find(&t->texts, name, strlen(name)), at;

	if (id == 0 || t->column_index_size == 0)
		return NULL;
	at = *column_slot(t, entity, aggregate, id);
	return at == 0 ? NULL : t->columns[at - 1];
}

/* ---- rows ---- */

static int64_t
run_id_at(const struct table *t, uint32_t row)
{
	return ((const int64_t *)t->run_ids.at[row / PAGE_ROWS])[row % PAGE_ROWS];
}

static uint32_t *
row_slot(const struct table *t, int64_t run_id)
{
	size_t at = spread((uint64_t)run_id) & (t->index_size - 1);

	while (t->index[at] != 0 && run_id_at(t, t->index[at] - 1) != run_id)
		at = (at + 1) & (t->index_size - 1);
	return &t->index[at];
}

static void
more_index(struct table *t)
{
	if ((t->rows + 1) * 4 < t->index_size * 3)
		return;
	t->bytes += (t->index_size == 0 ? 64 : t->index_size) * sizeof(*t->index);
	t->index_size = t->index_size == 0 ? 64 : t->index_size * 2;
	free(t->index);
	t->index = mem_array(t->index_size, sizeof(*t->index));
	for (uint32_t row = 0; row < t->rows; row++)
		*row_slot(t, run_id_at(t, row)) = row + 1;
}

/* The row of a run; a new one is at the end. */
static uint32_t
row_of(struct table *t, int64_t run_id, bool *fresh)
{
	uint32_t *slot;

	more_index(t);
	slot = row_slot(t, run_id);
	*fresh = *slot == 0;
	if (*fresh) {
		set_int64(t, &t->run_ids, (uint32_t)t->rows, run_id);
		*slot = (uint32_t)++t->rows;
	}
	return *slot - 1;
}

static uint8_t
state_at(const struct table *t, uint32_t row)
{
	return ((const uint8_t *)t->states.at[row / PAGE_ROWS])[row % PAGE_ROWS];
}

static void
set_state(struct table *t, uint32_t row, unsigned state)
{
	*(uint8_t *)cell_at(t, &t->states, row, 1) = (uint8_t)state;
}

static void
put_text(struct table *t, enum search_entity entity, const char *key, uint32_t row, const char *text)
{
	uint32_t id = text == NULL ? 0 : texts_put(&t->texts, text, strlen(text));

	if (id != 0)
		column_put(t, column_of(t, entity, AGGREGATE_LAST, key), row, (union cell){ .text = id });
	else if (text != NULL)
		t->unfit = true;
}

static void
put_pairs(struct table *t, enum search_entity entity, uint32_t row, const struct key_value *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_text(t, entity, pairs[i].key, row, pairs[i].value);
}

static void
put_number(struct table *t, struct column *c, uint32_t row, double v)
{
	column_put(t, c, row, (union cell){ .number = isnan(v) ? (double)NAN : v });
}

static void
put_metrics(struct table *t, uint32_t row, const struct run_latest *metrics)
{
	for (size_t i = 0; metrics != NULL && i < metrics->n; i++)
		put_number(t, column_of(t, ENTITY_METRIC, AGGREGATE_LAST, metrics->keys[i].key), row,
			metrics->keys[i].last.value);
	for (size_t i = 0; metrics != NULL && i < t->wanted_count; i++) {
		struct column *c = t->wanted[i];
		const struct latest *l = aggregate_source(metrics, texts_get(&t->texts, c->name));

		if (l != NULL)
			put_number(t, c, row, aggregate_of(l, c->aggregate));
	}
}

static void
put_list(struct table *t, const char *key, uint32_t row, const struct search_value *list)
{
	struct buf b;
	uint32_t id;

	if (list->kind != VALUE_TEXTS || list->text_count == 0)
		return;
	buf_init(&b, LIST_BYTES);
	for (size_t i = 0; i < list->text_count; i++)
		buf_add(&b, list->texts[i], strlen(list->texts[i]) + 1);
	id = b.overflow ? 0 : texts_put(&t->texts, b.data, b.len);
	buf_fini(&b);
	if (id != 0)
		column_put(t, column_of(t, ENTITY_DATASET, AGGREGATE_LAST, key), row,
			(union cell){ .text = id });
	else
		t->unfit = true;
}

static void
put_uuid(struct table *t, uint32_t row, const char *uuid)
{
	uint8_t bytes[UUID_BYTES];
	char hex[2 * UUID_BYTES + 1];

	if (!hex_decode(bytes, sizeof(bytes), uuid)) {
		t->unfit = true;
		return;
	}
	hex_encode(hex, bytes, sizeof(bytes));
	t->unfit = t->unfit || strcmp(hex, uuid) != 0;
	memcpy(cell_at(t, &t->uuids, row, UUID_BYTES), bytes, UUID_BYTES);
}

/* What the row had and has no longer. */
static void
sweep(struct table *t, uint32_t row)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (t->columns[i]->stamp != t->stamp)
			column_clear(t, t->columns[i], row);
}

/* ---- whole runs ---- */

uint32_t
table_version(const struct table *t, uint32_t row)
{
	return ((const uint32_t *)t->versions.at[row / PAGE_ROWS])[row % PAGE_ROWS];
}

const struct kept *
table_kept(const struct table *t, uint32_t row)
{
	struct kept *const *page = pages_page(&t->kept, row / PAGE_ROWS);

	return page == NULL ? NULL : page[row % PAGE_ROWS];
}

static void
drop_kept(struct table *t, uint32_t row)
{
	struct kept **page = row / PAGE_ROWS < t->kept.n ? t->kept.at[row / PAGE_ROWS] : NULL;

	if (page == NULL || page[row % PAGE_ROWS] == NULL)
		return;
	t->kept_bytes -= kept_bytes(page[row % PAGE_ROWS]);
	free(page[row % PAGE_ROWS]);
	page[row % PAGE_ROWS] = NULL;
}

void
table_drop_kept(struct table *t)
{
	for (uint32_t row = 0; t->kept_bytes > 0 && row < t->rows; row++)
		drop_kept(t, row);
}

void
table_keep(struct table *t, const struct run *run, uint32_t version)
{
	const uint32_t *slot = t->index_size == 0 ? NULL : row_slot(t, run->run_id);
	struct kept *k;

	if (slot == NULL || *slot == 0 || table_version(t, *slot - 1) != version)
		return;
	drop_kept(t, *slot - 1);
	k = kept_new(run);
	t->kept_bytes += kept_bytes(k);
	*(struct kept **)cell_at(t, &t->kept, *slot - 1, sizeof(struct kept *)) = k;
}

static void
row_changed(struct table *t, uint32_t row)
{
	t->stamp++;
	drop_kept(t, row);
	++*(uint32_t *)cell_at(t, &t->versions, row, sizeof(uint32_t));
}

#define URI_END "/artifacts"

/* The first run's uri says how those of the others begin. */
static bool
has_usual_uri(struct table *t, const struct run *run)
{
	const char *uri = run->artifact_uri == NULL ? "" : run->artifact_uri;
	size_t len = strlen(uri), tail = 2 * UUID_BYTES + strlen(URI_END);

	if (len < tail || strcmp(uri + len - strlen(URI_END), URI_END) != 0 ||
		memcmp(uri + len - tail, run->uuid, 2 * UUID_BYTES) != 0)
		return false;
	if (t->uri_prefix == NULL) {
		t->uri_prefix = mem_alloc(len - tail + 1);
		memcpy(t->uri_prefix, uri, len - tail);
	}
	return strlen(t->uri_prefix) == len - tail && memcmp(t->uri_prefix, uri, len - tail) == 0;
}

static unsigned
state_of(struct table *t, const struct run *run)
{
	bool plain = !run->deleted && !run->has_inputs && !run->has_outputs &&
		     strlen(run->uuid) == 2 * UUID_BYTES && has_usual_uri(t, run);

	return ROW_THERE | (run->deleted ? ROW_DELETED : 0u) | (run->has_end ? ROW_ENDED : 0u) |
	       (plain ? ROW_PLAIN : 0u) | ROW_STATUS * (unsigned)run->status;
}

void
table_put(struct table *t, const struct table_run *in)
{
	const struct run *run = in->run;
	bool fresh;
	uint32_t row;

	if (t->rows >= UINT32_MAX - PAGE_ROWS) {
		t->unfit = true;
		return;
	}
	row = row_of(t, run->run_id, &fresh);
	row_changed(t, row);
	put_uuid(t, row, run->uuid);
	set_int64(t, &t->starts, row, run->start_unix_ms);
	set_int64(t, &t->ends, row, run->end_unix_ms);
	set_state(t, row, state_of(t, run));
	put_text(t, ENTITY_ATTRIBUTE, "run_name", row, run->name);
	put_text(t, ENTITY_ATTRIBUTE, "user_id", row, run->user_text);
	put_text(t, ENTITY_ATTRIBUTE, "status", row, in->status);
	put_pairs(t, ENTITY_PARAM, row, run->params, run->param_count);
	put_pairs(t, ENTITY_TAG, row, run->tags, run->tag_count);
	put_metrics(t, row, in->metrics);
	for (size_t i = 0; i < 3; i++)
		put_list(t, dataset_names[i], row, &in->datasets[i]);
	if (!fresh)
		sweep(t, row);
}

void
table_remove(struct table *t, int64_t run_id)
{
	uint32_t *slot = t->index_size == 0 ? NULL : row_slot(t, run_id);

	if (slot == NULL || *slot == 0)
		return;
	row_changed(t, *slot - 1);
	set_state(t, *slot - 1, 0);
	sweep(t, *slot - 1);
}

/* ---- other numbers of metrics ---- */

void
table_want(struct table *t, enum search_aggregate aggregate, const char *key)
{
	struct column *c = column_of(t, ENTITY_METRIC, aggregate, key);

	for (size_t i = 0; i < t->wanted_count; i++)
		if (t->wanted[i] == c)
			return;
	t->wanted = mem_resize(t->wanted, t->wanted_count + 1, sizeof(struct column *));
	t->wanted[t->wanted_count++] = c;
}

static struct column *
wanted_column(const struct table *t, enum search_aggregate aggregate, const char *key)
{
	const struct column *found = table_column(t, ENTITY_METRIC, aggregate, key);

	for (size_t i = 0; i < t->wanted_count; i++)
		if (t->wanted[i] == found)
			return t->wanted[i];
	return NULL;
}

void
table_fill(struct table *t, enum search_aggregate aggregate, const char *key, const struct run_latest *latest)
{
	struct column *c = wanted_column(t, aggregate, key);
	const struct latest *l = aggregate_source(latest, key);
	const uint32_t *slot = t->index_size == 0 ? NULL : row_slot(t, latest->run_id);

	if (c == NULL || slot == NULL || *slot == 0 || state_at(t, *slot - 1) == 0)
		return;
	if (l != NULL)
		put_number(t, c, *slot - 1, aggregate_of(l, aggregate));
	else
		column_clear(t, c, *slot - 1);
}

/* The last column takes the place of the one that goes. */
void
table_drop(struct table *t, enum search_aggregate aggregate, const char *key)
{
	struct column *c = wanted_column(t, aggregate, key);
	size_t at = 0;

	if (c == NULL)
		return;
	while (t->wanted[at] != c)
		at++;
	t->wanted[at] = t->wanted[--t->wanted_count];
	for (at = 0; t->columns[at] != c;)
		at++;
	t->columns[at] = t->columns[--t->column_count];
	t->bytes -= column_bytes(c);
	column_free(c);
	index_columns(t, t->column_index_size);
}

/* ---- garbage ---- */

struct tidying {
	const struct texts *from;
	struct texts to;
	uint32_t *ids; /* old -> new */
};

static uint32_t
moved(struct tidying *w, uint32_t id)
{
	if (id != 0 && w->ids[id] == 0)
		w->ids[id] = texts_put(&w->to, texts_get(w->from, id), texts_length(w->from, id));
	return id == 0 ? 0 : w->ids[id];
}

static void
move_column(struct tidying *w, struct column *c)
{
	c->name = moved(w, c->name);
	if (c->number)
		return;
	for (uint32_t i = 0; i < c->few_count; i++)
		c->few[i].text = moved(w, c->few[i].text);
	for (size_t p = 0; p < c->pages.n; p++) {
		uint32_t *cells = c->pages.at[p];

		for (size_t i = 0; cells != NULL && i < PAGE_ROWS; i++)
			cells[i] = moved(w, cells[i]);
	}
}

void
table_tidy(struct table *t)
{
	struct tidying w = { .from = &t->texts };

	if (t->texts.len < 2 * t->tidied_len + GARBAGE_MIN)
		return;
	texts_init(&w.to);
	w.ids = mem_array(t->texts.n + 1, sizeof(*w.ids));
	for (size_t i = 0; i < t->column_count; i++)
		move_column(&w, t->columns[i]);
	free(w.ids);
	texts_fini(&t->texts);
	t->texts = w.to;
	t->tidied_len = t->texts.len;
	if (t->column_index_size > 0)
		index_columns(t, t->column_index_size);
}
