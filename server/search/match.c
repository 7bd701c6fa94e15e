/* A row against the tree, and texts against patterns. Nothing here allocates once compiled. */
#include "search/compare.h"

#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "base/utf8.h"

/* ---- LIKE and ILIKE: % any text, _ one character, a backslash takes the next character as it is (PostgreSQL) ---- */

#define ANY_ONE  0x110000u /* beyond Unicode */
#define ANY_MANY 0x110001u

struct piece {
	const char *text;
	size_t len;
};

struct pattern {
	bool fold;
	/* without _ and folding: the texts between the %s, found by memmem */
	struct piece *pieces;
	size_t piece_count;
	/* else code points */
	uint32_t *points;
	size_t point_count;
};

static bool
read_points(struct pattern *p, struct arena *a, const char *text)
{
	const char *end = text + strlen(text);
	uint32_t cp;

	p->points = arena_array(a, (size_t)(end - text) + 1, sizeof *p->points);
	while (text < end) {
		cp = utf8_next(&text, end);
		if (cp == '%' && p->point_count > 0 && p->points[p->point_count - 1] == ANY_MANY)
			continue;
		if (cp == '%' || cp == '_') {
			p->points[p->point_count++] = cp == '%' ? ANY_MANY : ANY_ONE;
			continue;
		}
		if (cp == '\\' && text >= end)
			return false;
		if (cp == '\\')
			cp = utf8_next(&text, end);
		p->points[p->point_count++] = p->fold ? utf8_fold(cp) : cp;
	}
	return true;
}

/* The texts between the %s, also empty ones at either end: what stands first and last is anchored there. */
static void
cut_pieces(struct pattern *p, struct arena *a)
{
	char *out = arena_alloc(a, p->point_count * 4 + 1);
	struct piece *piece;

	p->pieces = arena_array(a, p->point_count + 1, sizeof *p->pieces);
	piece = &p->pieces[p->piece_count++];
	piece->text = out;
	for (size_t i = 0; i < p->point_count; i++) {
		if (p->points[i] == ANY_MANY) {
			piece = &p->pieces[p->piece_count++];
			piece->text = out;
			continue;
		}
		size_t n = utf8_put(out, p->points[i]);
		out += n;
		piece->len += n;
	}
}

struct pattern *
pattern_compile(struct arena *a, const char *text, bool fold)
{
	struct pattern *p = arena_alloc(a, sizeof *p);
	bool ones = false;

	p->fold = fold;
	if (!read_points(p, a, text))
		return NULL;
	for (size_t i = 0; i < p->point_count; i++)
		ones |= p->points[i] == ANY_ONE;
	if (!fold && !ones)
		cut_pieces(p, a);
	return p;
}

static bool
matches_pieces(const struct pattern *p, const char *text)
{
	const struct piece *first = &p->pieces[0];
	const struct piece *last = &p->pieces[p->piece_count - 1];
	size_t len = strlen(text);
	const char *end = text + len;

	if (p->piece_count == 1)
		return len == first->len && memcmp(text, first->text, len) == 0;
	if (len < first->len + last->len || memcmp(text, first->text, first->len) != 0 ||
		memcmp(end - last->len, last->text, last->len) != 0)
		return false;
	text += first->len;
	end -= last->len;
	for (const struct piece *m = first + 1; m < last; m++) {
		text = memmem(text, (size_t)(end - text), m->text, m->len);
		if (!text)
			return false;
		text += m->len;
	}
	return true;
}

/* Most text is ASCII, and folding by table costs more than all the rest. */
static uint32_t
next_point(const struct pattern *p, const char **text, const char *end)
{
	unsigned char c = (unsigned char)**text;
	uint32_t cp;

	if (c < 0x80) {
		(*text)++;
		return p->fold && c >= 'A' && c <= 'Z' ? c + 32u : c;
	}
	cp = utf8_next(text, end);
	return p->fold ? utf8_fold(cp) : cp;
}

/* The classic: at a mismatch, let the last % swallow one character more. */
static bool
matches_points(const struct pattern *p, const char *text)
{
	const char *end = text + strlen(text);
	const char *retry_text = NULL;
	size_t retry = 0, i = 0;

	while (text < end) {
		const char *next = text;
		uint32_t cp = next_point(p, &next, end);

		if (i < p->point_count && p->points[i] == ANY_MANY) {
			retry = ++i;
			retry_text = text;
		} else if (i < p->point_count && (p->points[i] == ANY_ONE || p->points[i] == cp)) {
			i++;
			text = next;
		} else if (retry_text) {
			utf8_next(&retry_text, end);
			text = retry_text;
			i = retry;
		} else {
			return false;
		}
	}
	while (i < p->point_count && p->points[i] == ANY_MANY)
		i++;
	return i == p->point_count;
}

bool
pattern_matches(const struct pattern *p, const char *text)
{
	return p->pieces ? matches_pieces(p, text) : matches_points(p, text);
}

/* ---- numbers ---- */

static bool
is_listed_integer(const struct node *n, int64_t v)
{
	size_t lo = 0, hi = n->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (n->integers[mid] == v)
			return true;
		if (n->integers[mid] < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool
is_listed(const struct node *n, const char *v)
{
	size_t lo = 0, hi = n->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(n->texts[mid], v);

		if (order == 0)
			return true;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_integer(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void
node_list_sort(struct node *n)
{
	if (n->integral)
		qsort(n->integers, n->count, sizeof *n->integers, by_integer);
	else
		qsort(n->texts, n->count, sizeof *n->texts, by_text);
}

/* ---- one comparison ---- */

static bool
number_matches(const struct node *n, struct search_value v)
{
	if (n->integers)
		return v.is_integer && is_listed_integer(n, v.integer) == (n->op == OP_IN);
	if (n->is_metric)
		v.number = metric_stored(v.number, n->nan_is_zero);
	if (!v.is_integer && (isnan(v.number) || !n->integral))
		return double_holds(n->op, v.number, n->number);
	return order_holds(n->op, number_against(&v, n->integer, n->integral, n->number));
}

static bool
double_matches(const struct node *n, double v)
{
	return number_matches(n, (struct search_value){ .kind = VALUE_NUMBER, .number = v });
}

static bool
text_matches(const struct node *n, const char *v)
{
	double number;

	if (n->as_number)
		return str_double(v, &number) && double_matches(n, number);
	switch (n->op) {
	case OP_EQ:
		return strcmp(v, n->text) == 0;
	case OP_NE:
		return strcmp(v, n->text) != 0;
	case OP_LIKE:
	case OP_ILIKE:
		return pattern_matches(n->pattern, v);
	case OP_IN:
	case OP_NOT_IN:
		return is_listed(n, v) == (n->op == OP_IN);
	default:
		return false;
	}
}

static bool
is_there(const struct search_value *v)
{
	switch (v->kind) {
	case VALUE_NUMBER:
	case VALUE_TEXT:
		return true;
	case VALUE_TEXTS:
		return v->text_count > 0;
	case VALUE_NUMBERS:
		return v->number_count > 0;
	default:
		return false;
	}
}

static bool
any_matches(const struct node *n, const struct search_value *v)
{
	for (size_t i = 0; v->kind == VALUE_TEXTS && n->text_side && i < v->text_count; i++)
		if (text_matches(n, v->texts[i]))
			return true;
	for (size_t i = 0; v->kind == VALUE_NUMBERS && !n->text_side && i < v->number_count; i++)
		if (double_matches(n, v->numbers[i]))
			return true;
	return false;
}

bool
term_matches(const struct node *n, const struct search_value *v)
{
	if (n->op == OP_IS_NULL || n->op == OP_NOT_NULL)
		return is_there(v) == (n->op == OP_NOT_NULL);
	switch (v->kind) {
	case VALUE_NUMBER:
		return !n->text_side && number_matches(n, *v);
	case VALUE_TEXT:
		return n->text_side && text_matches(n, v->text);
	default:
		return any_matches(n, v);
	}
}

/* ---- the tree: as deep as MAX_DEPTH allows ---- */

static bool
node_matches(const struct node *n, const struct search_value *values)
{
	switch (n->kind) {
	case NODE_AND:
		for (n = n->first; n; n = n->next)
			if (!node_matches(n, values))
				return false;
		return true;
	case NODE_OR:
		for (n = n->first; n; n = n->next)
			if (node_matches(n, values))
				return true;
		return false;
	case NODE_NOT:
		return !node_matches(n->first, values);
	case NODE_TERM:
		return term_matches(n, &values[n->slot]);
	default:
		return true;
	}
}

bool
search_matches(const struct search *s, const struct search_value *values)
{
	if (s->prompt_slot >= 0) {
		const struct search_value *v = &values[s->prompt_slot];

		if (v->kind == VALUE_TEXT && strcmp(v->text, "true") == 0)
			return false;
	}
	return !s->root || node_matches(s->root, values);
}

const char *
search_equals(const struct search *s, const char *attribute)
{
	const struct node *n = s->root;

	if (n && n->kind == NODE_AND)
		n = n->first;
	for (; n; n = n->next) {
		const struct search_column *c = n->kind == NODE_TERM ? &s->columns[n->slot] : NULL;

		if (c && n->op == OP_EQ && n->text && c->entity == ENTITY_ATTRIBUTE &&
			strcmp(c->name, attribute) == 0)
			return n->text;
	}
	return NULL;
}
