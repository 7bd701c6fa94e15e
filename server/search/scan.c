/*
 * The filter goes block by block: each comparison of the tree makes a mask of 1,024 bytes. A comparison of texts is made once for
 * each text, not for each row (a small memory of verdicts by the text's number); one of doubles is a loop without branches.
 *
 * The order: each row that is left gets a key of 64 bits for the first two columns of the order, which never contradicts
 * search_compare(); where the keys are equal and not exact, that one decides. Of many rows only `limit` are kept: they gather in a
 * buffer, which is cut down to the best when it is full. From then on rows whose first value comes after that of the worst that is kept
 * are left out before the filter is looked at, which leaves few. Blocks are read from the end: the newest runs are there, and mostly asked for.
 */
#include "search/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "search/compare.h"

#define MEMOS       512u
#define BUFFER      1024u       /* rows gathered beyond the limit before they are cut */
#define EXACT_BELOW (1LL << 53) /* integers that a double holds */
#define KEYS        2
#define KEY_MEMOS   4096u      /* keys of texts */
#define NOTHING     UINT64_MAX /* the key of a row without a value */
#define NAN_KEY     (UINT64_MAX - 1)
#define LAST_KEY    (UINT64_MAX - 2) /* the greatest of a value */

enum slot_kind { SLOT_NONE, SLOT_NUMBER, SLOT_TEXT, SLOT_LIST, SLOT_START, SLOT_END, SLOT_UUID };

struct slot {
	enum slot_kind kind;
	const struct column *column;
};

struct source {
	const struct table *table;
	const struct slot *slots;
};

/* A comparison or AND, OR, NOT of the tree, with what this scan keeps for it. */
struct step {
	const struct node *node;
	struct step *first, *next;
	uint32_t *memo;    /* (text's number + 1) * 2 + verdict */
	uint8_t *masks[2]; /* for what is below */
};

struct hit {
	uint64_t key[KEYS];
	const struct source *source;
	uint32_t row;
};

enum key_kind { KEY_NUMBER, KEY_INTEGER, KEY_TEXT };

struct key_memo {
	uint64_t key;
	uint32_t id; /* 0: none */
};

struct scan {
	struct ctx *cx;
	const struct search *search;
	enum view view;
	const struct search_value *after;
	size_t limit;
	struct step *root; /* NULL: every row */
	const struct source *source;
	size_t page;
	const void **cells; /* by slot, of this page */
	bool *fetched;
	void **scratch;
	uint8_t *live, *mask;
	size_t keys; /* 1 or 2 */
	enum key_kind kinds[KEYS];
	uint64_t after_key;
	bool after_keyed;
	struct hit *hits;
	size_t count, room, found;
	bool full; /* `worst` is the last of the best so far */
	struct hit worst;
	struct key_memo *memos;         /* of the first column of the order, when it is one of texts */
	struct search_value *values[2]; /* for comparisons, by slot */
	char (*uuids)[2][2 * UUID_BYTES + 1];
	const char **list;
	size_t list_room;
};

/* ---- values ---- */

static const uint8_t *
uuid_at(const struct table *t, uint32_t row)
{
	return (const uint8_t *)t->uuids.at[row / PAGE_ROWS] + row % PAGE_ROWS * UUID_BYTES;
}

static int64_t
int64_at(const struct pages *p, uint32_t row)
{
	return ((const int64_t *)p->at[row / PAGE_ROWS])[row % PAGE_ROWS];
}

static bool
has_ended(const struct table *t, uint32_t row)
{
	return (((const uint8_t *)t->states.at[row / PAGE_ROWS])[row % PAGE_ROWS] & ROW_ENDED) != 0;
}

static struct search_value
text_value(const char *text)
{
	return (struct search_value){ .kind = VALUE_TEXT, .text = text };
}

static struct search_value
integer_value(int64_t v)
{
	return (struct search_value){
		.kind = VALUE_NUMBER, .number = (double)v, .integer = v, .is_integer = true
	};
}

static struct search_value
number_value(double v)
{
	return is_there(v) ? (struct search_value){ .kind = VALUE_NUMBER, .number = v }
			   : (struct search_value){ 0 };
}

/* text NUL text NUL … */
static struct search_value
list_value(struct scan *s, const struct texts *t, uint32_t id)
{
	const char *at = texts_get(t, id), *end = at + texts_length(t, id);
	size_t n = 0;

	for (; at < end; at += strlen(at) + 1) {
		if (n == s->list_room) {
			const char **more = arena_array(s->cx->arena, n * 2 + 8, sizeof(*more));

			if (n > 0)
				memcpy(more, s->list, n * sizeof(*more));
			s->list = more;
			s->list_room = n * 2 + 8;
		}
		s->list[n++] = at;
	}
	return (struct search_value){ .kind = VALUE_TEXTS, .texts = s->list, .text_count = n };
}

/* A text of this table by its number. */
static struct search_value
known_value(struct scan *s, const struct slot *slot, uint32_t id)
{
	const struct texts *t = &s->source->table->texts;

	if (id == 0)
		return (struct search_value){ 0 };
	return slot->kind == SLOT_LIST ? list_value(s, t, id) : text_value(texts_get(t, id));
}

/* Not of lists: no order asks for them. `hex` is room for a uuid. */
static struct search_value
value_at(const struct source *source, size_t slot, uint32_t row, char *hex)
{
	const struct slot *at = &source->slots[slot];
	const struct table *t = source->table;
	uint32_t id;

	switch (at->kind) {
	case SLOT_NUMBER:
		return number_value(column_number(at->column, row));
	case SLOT_TEXT:
		id = column_text(at->column, row);
		return id == 0 ? (struct search_value){ 0 } : text_value(texts_get(&t->texts, id));
	case SLOT_START:
		return integer_value(int64_at(&t->starts, row));
	case SLOT_END:
		return has_ended(t, row) ? integer_value(int64_at(&t->ends, row))
					 : (struct search_value){ 0 };
	case SLOT_UUID:
		hex_encode(hex, uuid_at(t, row), UUID_BYTES);
		return text_value(hex);
	default:
		return (struct search_value){ 0 };
	}
}

/* ---- the tree, block by block ---- */

static struct step *
step_new(struct arena *arena, const struct node *node)
{
	struct step *st = arena_alloc(arena, sizeof(*st)), **last = &st->first;

	st->node = node;
	if (node->kind == NODE_TERM) {
		st->memo = arena_array(arena, MEMOS, sizeof(*st->memo));
		return st;
	}
	for (size_t i = 0; i < 2; i++)
		st->masks[i] = arena_alloc(arena, PAGE_ROWS);
	for (const struct node *child = node->first; child != NULL; child = child->next) {
		*last = step_new(arena, child);
		last = &(*last)->next;
	}
	return st;
}

/* What a text was compared to in another table means nothing here. */
static void
step_forget(struct step *st)
{
	if (st->memo != NULL)
		memset(st->memo, 0, MEMOS * sizeof(*st->memo));
	for (struct step *child = st->first; child != NULL; child = child->next)
		step_forget(child);
}

static const void *
cells_of(struct scan *s, size_t slot)
{
	const struct column *c = s->source->slots[slot].column;

	if (c == NULL)
		return NULL;
	if (!s->fetched[slot]) {
		if (c->few_count > 0 && s->scratch[slot] == NULL)
			s->scratch[slot] = arena_alloc(s->cx->arena, PAGE_ROWS * sizeof(double));
		s->cells[slot] = column_page(c, s->page, s->scratch[slot]);
		s->fetched[slot] = true;
	}
	return s->cells[slot];
}

/* A comparison that a bare one of doubles can stand for: infinities, cut or not, lie on the same side of any other number. */
static bool
is_plain(const struct node *n, double *number)
{
	if (!n->is_metric || n->text_side || n->nan_is_zero || n->integers != NULL || n->op > OP_GE)
		return false;
	*number = n->integral ? (double)n->integer : n->number;
	if (n->integral)
		return n->integer <= EXACT_BELOW && n->integer >= -EXACT_BELOW;
	return fabs(*number) < DBL_MAX;
}

__attribute__((always_inline)) static inline void
double_loop(enum compare_op op, const double *restrict v, double number, const uint8_t *restrict live,
	uint8_t *restrict out)
{
	for (size_t i = 0; i < PAGE_ROWS; i++)
		out[i] = live[i] & (uint8_t)double_holds(op, v[i], number) & (uint8_t)is_there(v[i]);
}

static void
match_doubles(enum compare_op op, const double *v, double number, const uint8_t *live, uint8_t *out)
{
	switch (op) {
	case OP_EQ:
		double_loop(OP_EQ, v, number, live, out);
		break;
	case OP_NE:
		double_loop(OP_NE, v, number, live, out);
		break;
	case OP_LT:
		double_loop(OP_LT, v, number, live, out);
		break;
	case OP_LE:
		double_loop(OP_LE, v, number, live, out);
		break;
	case OP_GT:
		double_loop(OP_GT, v, number, live, out);
		break;
	default:
		double_loop(OP_GE, v, number, live, out);
	}
}

static uint8_t
match_known(struct scan *s, const struct step *st, const struct slot *slot, uint32_t id)
{
	uint32_t *memo = &st->memo[id % MEMOS];

	if (*memo >> 1 != id + 1) {
		struct search_value v = known_value(s, slot, id);

		*memo = (id + 1) << 1 | term_matches(st->node, &v);
	}
	return *memo & 1;
}

static void
match_texts(struct scan *s, const struct step *st, const uint32_t *ids, const uint8_t *live, uint8_t *out)
{
	const struct slot *slot = &s->source->slots[st->node->slot];

	for (size_t i = 0; i < PAGE_ROWS; i++)
		out[i] = live[i] ? match_known(s, st, slot, ids[i]) : 0;
}

static void
match_rows(struct scan *s, const struct step *st, const uint8_t *live, uint8_t *out)
{
	char hex[2 * UUID_BYTES + 1];

	for (size_t i = 0; i < PAGE_ROWS; i++) {
		out[i] = live[i];
		if (live[i]) {
			struct search_value v = value_at(
				s->source, (size_t)st->node->slot, (uint32_t)(s->page * PAGE_ROWS + i), hex);

			out[i] = term_matches(st->node, &v);
		}
	}
}

static void
match_nothing(const struct step *st, const uint8_t *live, uint8_t *out)
{
	if (term_matches(st->node, &(struct search_value){ 0 }))
		memcpy(out, live, PAGE_ROWS);
	else
		memset(out, 0, PAGE_ROWS);
}

static void
match_term(struct scan *s, const struct step *st, const uint8_t *live, uint8_t *out)
{
	size_t slot = (size_t)st->node->slot;
	enum slot_kind kind = s->source->slots[slot].kind;
	const void *cells = cells_of(s, slot);
	double number;

	if (kind == SLOT_START || kind == SLOT_END || kind == SLOT_UUID)
		match_rows(s, st, live, out);
	else if (cells == NULL)
		match_nothing(st, live, out);
	else if (kind != SLOT_NUMBER)
		match_texts(s, st, cells, live, out);
	else if (is_plain(st->node, &number))
		match_doubles(st->node->op, cells, number, live, out);
	else
		match_rows(s, st, live, out);
}

static bool
any(const uint8_t *mask)
{
	return memchr(mask, 1, PAGE_ROWS) != NULL;
}

/* out: those rows of `live` that match. */
static void
match_block(struct scan *s, const struct step *st, const uint8_t *live, uint8_t *out)
{
	uint8_t *found = st->masks[0], *left = st->masks[1];

	switch (st->node->kind) {
	case NODE_TERM:
		match_term(s, st, live, out);
		return;
	case NODE_AND:
		memcpy(out, live, PAGE_ROWS);
		for (st = st->first; st != NULL && any(out); st = st->next) {
			match_block(s, st, out, found);
			memcpy(out, found, PAGE_ROWS);
		}
		return;
	case NODE_OR:
		memset(out, 0, PAGE_ROWS);
		memcpy(left, live, PAGE_ROWS);
		for (st = st->first; st != NULL && any(left); st = st->next) {
			match_block(s, st, left, found);
			for (size_t i = 0; i < PAGE_ROWS; i++) {
				out[i] |= found[i];
				left[i] &= (uint8_t)!found[i];
			}
		}
		return;
	case NODE_NOT:
		match_block(s, st->first, live, found);
		for (size_t i = 0; i < PAGE_ROWS; i++)
			out[i] = live[i] & (uint8_t)!found[i];
		return;
	default:
		memcpy(out, live, PAGE_ROWS);
	}
}

static size_t
rows_of(const struct table *t, size_t page)
{
	size_t left = t->rows - page * PAGE_ROWS;

	return left < PAGE_ROWS ? left : PAGE_ROWS;
}

static void
find_live(struct scan *s)
{
	const uint8_t *restrict states = pages_page(&s->source->table->states, s->page);
	uint8_t *restrict live = s->live;
	size_t n = rows_of(s->source->table, s->page);
	uint8_t want = s->view == VIEW_DELETED ? ROW_THERE | ROW_DELETED : ROW_THERE;
	uint8_t look = s->view == VIEW_ALL ? ROW_THERE : ROW_THERE | ROW_DELETED;

	for (size_t i = 0; i < PAGE_ROWS; i++)
		live[i] = (states[i] & look) == want;
	memset(live + n, 0, PAGE_ROWS - n);
}

/* ---- the order ---- */

static uint64_t
key_of_number(double v, bool descending)
{
	uint64_t bits;

	if (!is_there(v))
		return NOTHING;
	if (isnan(v))
		return NAN_KEY;
	v = metric_stored(v, false) + 0.0; /* the two zeros are equal */
	memcpy(&bits, &v, sizeof(bits));
	bits = bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
	return descending ? ~bits : bits;
}

static uint64_t
no_more_than_last(uint64_t key)
{
	return key < LAST_KEY ? key : LAST_KEY;
}

static uint64_t
key_of_integer(int64_t v, bool descending)
{
	uint64_t bits = (uint64_t)v ^ UINT64_C(1) << 63;

	return no_more_than_last(descending ? ~bits : bits);
}

static uint64_t
key_of_text(const char *text, bool descending)
{
	uint64_t bits = 0;

	for (int shift = 56; shift >= 0 && *text != '\0'; shift -= 8)
		bits |= (uint64_t)(unsigned char)*text++ << shift;
	return no_more_than_last(descending ? ~bits : bits);
}

/* Do equal keys mean equal values? */
static bool
is_exact(enum key_kind kind, bool descending, uint64_t key)
{
	if (key == NOTHING || kind == KEY_NUMBER)
		return true;
	if (kind == KEY_INTEGER)
		return key != LAST_KEY;
	return ((descending ? ~key : key) & 0xff) == 0; /* shorter than eight bytes */
}

/* Of the table that is scanned; the first column of the order. */
static uint64_t
key_of_known(const struct scan *s, uint32_t id)
{
	struct key_memo *memo = &s->memos[id % KEY_MEMOS];

	if (memo->id != id)
		*memo = (struct key_memo){ key_of_text(texts_get(&s->source->table->texts, id),
						   s->search->orders[0].descending),
			id };
	return memo->key;
}

static uint64_t
key_of_row(const struct scan *s, size_t k, const struct source *source, uint32_t row)
{
	const struct order *o = &s->search->orders[k];
	const struct slot *slot = &source->slots[o->slot];
	const struct table *t = source->table;
	char hex[9];
	uint32_t id;

	switch (slot->kind) {
	case SLOT_NUMBER:
		return key_of_number(column_number(slot->column, row), o->descending);
	case SLOT_TEXT:
		id = column_text(slot->column, row);
		if (id != 0 && k == 0)
			return key_of_known(s, id);
		return id == 0 ? NOTHING : key_of_text(texts_get(&t->texts, id), o->descending);
	case SLOT_START:
		return key_of_integer(int64_at(&t->starts, row), o->descending);
	case SLOT_END:
		return has_ended(t, row) ? key_of_integer(int64_at(&t->ends, row), o->descending) : NOTHING;
	case SLOT_UUID:
		hex_encode(hex, uuid_at(t, row), 4);
		return key_of_text(hex, o->descending);
	default:
		return NOTHING;
	}
}

/* The token's key, in the same terms. */
static void
find_after_key(struct scan *s)
{
	const struct order *o = &s->search->orders[0];
	const struct search_value *v = &s->after[o->slot];

	s->after_keyed = true;
	if (v->kind == VALUE_MISSING)
		s->after_key = NOTHING;
	else if (s->kinds[0] == KEY_TEXT && v->kind == VALUE_TEXT)
		s->after_key = key_of_text(v->text, o->descending);
	else if (s->kinds[0] == KEY_INTEGER && v->kind == VALUE_NUMBER && v->is_integer)
		s->after_key = key_of_integer(v->integer, o->descending);
	else if (s->kinds[0] == KEY_NUMBER && v->kind == VALUE_NUMBER && !v->is_integer)
		s->after_key = isnan(v->number) ? NAN_KEY : key_of_number(v->number, o->descending);
	else
		s->after_keyed = false;
}

static const struct search_value *
order_values(const struct scan *s, int which, const struct source *source, uint32_t row)
{
	struct search_value *values = s->values[which];

	for (size_t i = 0; i < s->search->order_count; i++) {
		size_t slot = (size_t)s->search->orders[i].slot;

		values[slot] = value_at(source, slot, row, s->uuids[0][which]);
	}
	return values;
}

static int
compare_hits(const struct scan *s, const struct hit *a, const struct hit *b)
{
	for (size_t k = 0; k < s->keys; k++) {
		if (a->key[k] != b->key[k])
			return a->key[k] < b->key[k] ? -1 : 1;
		if (!is_exact(s->kinds[k], s->search->orders[k].descending, a->key[k]))
			break;
	}
	return search_compare(
		s->search, order_values(s, 0, a->source, a->row), order_values(s, 1, b->source, b->row));
}

static bool
comes_after(const struct scan *s, const struct hit *h)
{
	if (s->after == NULL)
		return true;
	if (s->after_keyed && h->key[0] != s->after_key)
		return h->key[0] > s->after_key;
	return search_compare(s->search, order_values(s, 0, h->source, h->row), s->after) > 0;
}

static void
swap(struct hit *a, struct hit *b)
{
	struct hit c = *a;

	*a = *b;
	*b = c;
}

/* Quickselect: the best `limit` of the gathered ones come first; the rest is forgotten. */
static void
cut(struct scan *s)
{
	size_t lo = 0, hi = s->count - 1, at = s->limit - 1;

	while (lo < hi) {
		struct hit pivot = s->hits[lo + (hi - lo) / 2];
		size_t i = lo, j = hi;

		for (;;) {
			while (compare_hits(s, &s->hits[i], &pivot) < 0)
				i++;
			while (compare_hits(s, &pivot, &s->hits[j]) < 0)
				j--;
			if (i >= j)
				break;
			swap(&s->hits[i++], &s->hits[j--]);
		}
		if (at <= j)
			hi = j;
		else
			lo = j + 1;
	}
	s->count = s->limit;
	s->worst = s->hits[at];
	s->full = true;
}

static void
take(struct scan *s, uint32_t row)
{
	struct hit h = { .source = s->source, .row = row };

	h.key[0] = key_of_row(s, 0, s->source, row);
	if (!comes_after(s, &h))
		return;
	s->found++;
	if (s->full && h.key[0] > s->worst.key[0])
		return;
	if (s->keys > 1)
		h.key[1] = key_of_row(s, 1, s->source, row);
	if (s->full && compare_hits(s, &h, &s->worst) >= 0)
		return;
	s->hits[s->count++] = h;
	if (s->count == s->room)
		cut(s);
}

/* ---- rows that cannot be among the best ---- */

/* Most blocks have none: whether there is one is quickly counted. */
static void
leave_numbers(const double *restrict v, double worst, bool descending, uint8_t *restrict live)
{
	int64_t n = 0;

	if (descending)
		for (size_t i = 0; i < PAGE_ROWS; i++)
			n += v[i] >= worst;
	else
		for (size_t i = 0; i < PAGE_ROWS; i++)
			n += v[i] <= worst;
	for (size_t i = 0; n > 0 && i < PAGE_ROWS; i++)
		live[i] &= (uint8_t)(descending ? v[i] >= worst : v[i] <= worst);
	if (n == 0)
		memset(live, 0, PAGE_ROWS);
}

static void
leave_integers(const int64_t *restrict v, int64_t worst, bool descending, uint8_t *restrict live)
{
	int64_t n = 0;

	if (descending)
		for (size_t i = 0; i < PAGE_ROWS; i++)
			n += v[i] >= worst;
	else
		for (size_t i = 0; i < PAGE_ROWS; i++)
			n += v[i] <= worst;
	for (size_t i = 0; n > 0 && i < PAGE_ROWS; i++)
		live[i] &= (uint8_t)(descending ? v[i] >= worst : v[i] <= worst);
	if (n == 0)
		memset(live, 0, PAGE_ROWS);
}

static void
leave_texts(const struct scan *s, const uint32_t *ids, uint8_t *live)
{
	for (size_t i = 0; i < PAGE_ROWS; i++)
		if (live[i])
			live[i] = ids[i] != 0 && key_of_known(s, ids[i]) <= s->worst.key[0];
}

/* The number that a key was made of; the outermost stands for the infinity beyond it too. */
static double
number_of_key(uint64_t key, bool descending)
{
	double v, last = descending ? -DBL_MAX : DBL_MAX;

	key = descending ? ~key : key;
	key = key >> 63 ? key ^ UINT64_C(1) << 63 : ~key;
	memcpy(&v, &key, sizeof(v));
	return v == last ? 2 * last : v;
}

/*
 * Takes rows out of `live` that come after the worst one in the first column of the order; others may stay. Not where the worst has
 * nothing there, is NaN, or has a key that stands for several values.
 */
static void
leave_worse(struct scan *s, uint8_t *live)
{
	const struct order *o = &s->search->orders[0];
	const struct slot *slot = &s->source->slots[o->slot];
	uint64_t key = s->worst.key[0];
	const void *cells;

	if (!s->full || key >= LAST_KEY)
		return;
	if (slot->kind == SLOT_START) {
		leave_integers(s->source->table->starts.at[s->page],
			(int64_t)((o->descending ? ~key : key) ^ UINT64_C(1) << 63), o->descending, live);
		return;
	}
	if (slot->kind != SLOT_NUMBER && slot->kind != SLOT_TEXT)
		return;
	cells = cells_of(s, (size_t)o->slot);
	if (cells == NULL)
		memset(live, 0, PAGE_ROWS);
	else if (slot->kind == SLOT_NUMBER)
		leave_numbers(cells, number_of_key(key, o->descending), o->descending, live);
	else
		leave_texts(s, cells, live);
}

/* ---- from outside ---- */

bool
scan_can(const struct search *s)
{
	if (s->prompt_slot >= 0 || s->schema->nan_is_zero || s->order_count == 0)
		return false;
	for (size_t i = 0; i < s->column_count; i++)
		if (s->columns[i].entity == ENTITY_ATTRIBUTE &&
			strcmp(s->columns[i].name, "artifact_uri") == 0)
			return false;
	return true;
}

static enum key_kind
key_kind_of(const struct search *s, const struct order *o)
{
	if (o->is_metric)
		return KEY_NUMBER;
	return s->columns[o->slot].numeric ? KEY_INTEGER : KEY_TEXT;
}

struct scan *
scan_new(struct ctx *cx, const struct search *search, enum view view, const struct search_value *after,
	size_t limit)
{
	struct scan *s = arena_alloc(cx->arena, sizeof(*s));
	size_t n = search->column_count + 1;

	*s = (struct scan){ .cx = cx, .search = search, .view = view, .after = after, .limit = limit };
	s->root = search->root == NULL ? NULL : step_new(cx->arena, search->root);
	s->cells = arena_array(cx->arena, n, sizeof(*s->cells));
	s->fetched = arena_array(cx->arena, n, sizeof(*s->fetched));
	s->scratch = arena_array(cx->arena, n, sizeof(*s->scratch));
	s->live = arena_alloc(cx->arena, PAGE_ROWS);
	s->mask = arena_alloc(cx->arena, PAGE_ROWS);
	s->values[0] = arena_array(cx->arena, n, sizeof(struct search_value));
	s->values[1] = arena_array(cx->arena, n, sizeof(struct search_value));
	s->uuids = arena_alloc(cx->arena, sizeof(*s->uuids));
	s->room = limit + BUFFER;
	s->hits = arena_array(cx->arena, s->room, sizeof(*s->hits));
	s->keys = search->order_count < KEYS ? search->order_count : KEYS;
	for (size_t k = 0; k < s->keys; k++)
		s->kinds[k] = key_kind_of(search, &search->orders[k]);
	if (s->kinds[0] == KEY_TEXT)
		s->memos = arena_array(cx->arena, KEY_MEMOS, sizeof(*s->memos));
	if (after != NULL)
		find_after_key(s);
	return s;
}

static struct slot
slot_of(const struct table *t, const struct search_column *c)
{
	struct slot slot = { SLOT_NONE, NULL };

	if (c->entity == ENTITY_ATTRIBUTE && strcmp(c->name, "run_id") == 0) {
		slot.kind = SLOT_UUID;
	} else if (c->entity == ENTITY_ATTRIBUTE && c->numeric) {
		slot.kind = strcmp(c->name, "start_time") == 0 ? SLOT_START : SLOT_END;
	} else if ((slot.column = table_column(t, c->entity, c->aggregate, c->name)) != NULL) {
		slot.kind = slot.column->number ? SLOT_NUMBER : slot.column->list ? SLOT_LIST : SLOT_TEXT;
	}
	return slot;
}

static const struct source *
source_new(const struct scan *s, const struct table *t)
{
	struct source *source = arena_alloc(s->cx->arena, sizeof(*source));
	struct slot *slots = arena_array(s->cx->arena, s->search->column_count + 1, sizeof(*slots));

	for (size_t i = 0; i < s->search->column_count; i++)
		slots[s->search->columns[i].slot] = slot_of(t, &s->search->columns[i]);
	*source = (struct source){ t, slots };
	return source;
}

static void
scan_page(struct scan *s)
{
	const uint8_t *mask = s->live;

	memset(s->fetched, 0, s->search->column_count * sizeof(*s->fetched));
	find_live(s);
	leave_worse(s, s->live);
	if (!any(s->live))
		return;
	if (s->root != NULL) {
		match_block(s, s->root, s->live, s->mask);
		mask = s->mask;
	}
	for (size_t i = PAGE_ROWS; i-- > 0;)
		if (mask[i])
			take(s, (uint32_t)(s->page * PAGE_ROWS + i));
}

void
scan_table(struct scan *s, const struct table *t)
{
	s->source = source_new(s, t);
	if (s->root != NULL)
		step_forget(s->root);
	if (s->memos != NULL)
		memset(s->memos, 0, KEY_MEMOS * sizeof(*s->memos));
	for (s->page = (t->rows + PAGE_ROWS - 1) / PAGE_ROWS; s->page-- > 0;)
		scan_page(s);
}

static int
by_order(const void *a, const void *b, void *scan)
{
	return compare_hits(scan, a, b);
}

void
scan_end(struct scan *s, struct scan_hit **hits, size_t *n, const char **next_token)
{
	const struct hit *last;

	if (s->count > s->limit)
		cut(s);
	if (s->count > 1)
		qsort_r(s->hits, s->count, sizeof(*s->hits), by_order, s);
	*n = s->count;
	*hits = arena_array(s->cx->arena, s->count + 1, sizeof(**hits));
	for (size_t i = 0; i < s->count; i++)
		(*hits)[i] = (struct scan_hit){ s->hits[i].source->table, s->hits[i].row };
	*next_token = NULL;
	if (s->found > s->limit) {
		last = &s->hits[s->count - 1];
		*next_token = search_token(s->cx, s->search, order_values(s, 0, last->source, last->row));
	}
}
