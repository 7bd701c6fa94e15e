/*
 * order_by: parsed, compared by. Rows without a value come last in either direction; a metric's NaN comes before them.
 */
#include "search/compare.h"

#include <string.h>
#include "base/str.h"
#include "base/utf8.h"

static void
order_add(struct search *s, const struct search_column *column, bool descending)
{
	int slot = search_column_add(s, column);

	for (size_t i = 0; i < s->order_count; i++)
		if (s->orders[i].slot == slot)
			return;
	s->orders[s->order_count++] = (struct order){ slot, descending, column->entity == ENTITY_METRIC };
}

static void
order_add_attribute(struct search *s, const char *name, bool descending)
{
	const struct attribute *a = schema_attribute(s->schema, name, CAN_FILTER | CAN_ORDER);

	order_add(s,
		&(struct search_column){
			.name = a->canonical ? a->canonical : a->name, .numeric = a->type != TYPE_TEXT },
		descending);
}

static void
order_add_ties(struct search *s)
{
	if (s->order_count == 0)
		for (const struct tie *t = s->schema->default_order; t->attribute; t++)
			order_add_attribute(s, t->attribute, t->descending);
	for (const struct tie *t = s->schema->ties; t->attribute; t++)
		order_add_attribute(s, t->attribute, t->descending);
}

static enum status
orders_new(struct ctx *cx, struct search *s, size_t n)
{
	if (n > MAX_ORDER)
		return fail(cx, INVALID, "Invalid order_by: it has %zu clauses, %d at most are taken", n,
			MAX_ORDER);
	s->orders = arena_array(cx->arena, n + 8, sizeof *s->orders);
	return OK;
}

/* ---- "metrics.`a b` DESC" ---- */

static enum status
refuse_clause(struct ctx *cx, const char *clause, const char *expected)
{
	return fail(
		cx, INVALID, "Invalid order_by clause '%.200s'. Could not be parsed: %s", clause, expected);
}

/* Takes every quote off, as a shell would: "metrics.a b" and metrics.`a b` are the same; then blanks at the end. NULL: a quote does not end. */
static char *
unquote(struct ctx *cx, const char *raw, size_t len)
{
	char *text = arena_alloc(cx->arena, len + 1);
	char *out = text;
	char quote = '\0';

	for (const char *s = raw; s < raw + len; s++) {
		char c = *s == '`' ? '"' : *s;

		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? '\0' : c;
			continue;
		}
		if (quote == '"' && c == '\\' && s + 1 < raw + len && strchr("\\\"`", s[1]))
			c = *++s == '`' ? '"' : *s;
		*out++ = c;
	}
	if (quote)
		return NULL;
	while (out > text && strchr(" \t\r\n", out[-1]))
		*--out = '\0';
	return text;
}

/* A quoted name ends with its quote, whatever follows. */
static bool
ends_in_quote(const struct token *t)
{
	char last = t->text[t->len - 1];

	return last == '"' || last == '`';
}

/* A clause before its names are looked up. */
struct clause {
	const char *name;                /* raw or (with a direction) unquoted, as MLflow has it then */
	const struct function *function; /* NULL: none stands around the name */
	bool descending;
};

static enum status
refuse_function(struct ctx *cx, const char *clause, const char *at, const char *fault)
{
	return fail(cx, INVALID, "Invalid order_by clause '%.200s': %s (position %zu)", clause, fault,
		utf8_count(clause, (size_t)(at - clause)) + 1);
}

/* min(metrics.loss): the lexer stands before the parenthesis. */
static enum status
split_function(struct ctx *cx, const struct search *s, const char *clause, struct lexer *x,
	const struct token *word, struct clause *out)
{
	struct token inside, close;

	out->function = schema_function(s->schema, word);
	if (!out->function || out->function->as_number)
		return refuse_function(cx, clause, word->text,
			s->schema->aggregates
				? "the functions to order by are min, max, first, last, mean and "
				  "count of a metric, as in min(metrics.loss)"
				: "there is no function to order by here");
	(void)lexer_next(x);
	inside = lexer_next(x);
	if (inside.kind != TOKEN_NAME)
		return refuse_function(cx, clause, inside.text,
			arena_printf(cx->arena, "%s was expected", function_argument(out->function)));
	out->name = arena_strn(cx->arena, inside.text, inside.len);
	close = lexer_next(x);
	if (close.kind != TOKEN_CLOSE)
		return refuse_function(cx, clause, close.text, "')' was expected");
	return OK;
}

/* What stands behind the column, which ends at `end`. */
static enum status
split_direction(
	struct ctx *cx, const char *clause, struct lexer *x, const char *end, bool apart, struct clause *out)
{
	struct token second = lexer_next(x);

	out->descending = token_is(&second, "DESC");
	if (second.kind == TOKEN_END && end < x->end)
		return refuse_clause(cx, clause, "blanks follow the column");
	if (second.kind == TOKEN_END)
		return OK;
	if (second.kind != TOKEN_NAME || (second.text == end && !apart))
		return refuse_clause(
			cx, clause, "a blank and ASC or DESC, or nothing, are expected after the column");
	if (!out->descending && !token_is(&second, "ASC"))
		return fail(cx, INVALID,
			"Invalid ordering key in order_by clause '%.200s'. ASC or DESC is expected", clause);
	if (second.text + second.len < x->end)
		return refuse_clause(cx, clause, "nothing is expected after the direction");
	if (!out->function && !(out->name = unquote(cx, clause, (size_t)(end - clause))))
		return refuse_clause(cx, clause, "a quotation does not end");
	return OK;
}

static enum status
split_clause(struct ctx *cx, const struct search *s, const char *clause, struct clause *out)
{
	struct token first;
	struct lexer x;
	bool apart;
	enum status st;

	lexer_init(&x, clause);
	first = lexer_next(&x);
	if (first.kind != TOKEN_NAME || first.text != clause)
		return refuse_clause(
			cx, clause, "a column such as metrics.loss, and ASC or DESC, are expected");
	out->name = arena_strn(cx->arena, first.text, first.len);
	apart = ends_in_quote(&first);
	if (x.at < x.end && *x.at == '(') {
		if ((st = split_function(cx, s, clause, &x, &first, out)) != OK)
			return st;
		apart = true;
	}
	return split_direction(cx, clause, &x, x.at, apart, out);
}

static enum status
resolve_plain(struct ctx *cx, struct search *s, const char *name, bool descending)
{
	const struct attribute *a = schema_attribute(s->schema, name, CAN_ORDER);

	if (!a)
		return fail(cx, INVALID, "Invalid order by key '%.200s' specified. Valid keys are %s", name,
			schema_keys(cx, s->schema, CAN_ORDER));
	order_add_attribute(s, name, descending);
	return OK;
}

static enum status
resolve_clause(struct ctx *cx, struct search *s, const char *clause, const struct clause *in)
{
	struct operand o;
	const char *fault = schema_resolve(cx, s->schema, in->name, strlen(in->name), CAN_ORDER, &o);

	if (!fault && in->function)
		fault = function_apply(cx, in->function, &o);
	if (fault)
		return fail(cx, INVALID, "%s (order_by clause '%.200s')", fault, clause);
	if (s->target == SEARCH_RUNS ? o.entity == ENTITY_DATASET : o.entity != ENTITY_ATTRIBUTE)
		return fail(cx, INVALID, "Invalid order_by entity in clause '%.200s'. Valid keys are %s",
			clause, schema_keys(cx, s->schema, CAN_ORDER));
	order_add(s,
		&(struct search_column){ .entity = o.entity,
			.name = o.name,
			.aggregate = o.aggregate,
			.numeric = o.type != TYPE_TEXT },
		in->descending);
	return OK;
}

enum status
order_parse(struct ctx *cx, struct search *s, const char *const *order_by, size_t n)
{
	enum status st;

	if ((st = orders_new(cx, s, n)) != OK)
		return st;
	for (size_t i = 0; i < n; i++) {
		struct clause clause = { 0 };

		if (!utf8_valid(order_by[i], strlen(order_by[i])))
			return fail(cx, INVALID, "Invalid order_by: clause %zu is no valid UTF-8", i + 1);
		if ((st = split_clause(cx, s, order_by[i], &clause)) != OK)
			return st;
		st = s->schema->plain_order ? resolve_plain(cx, s, clause.name, clause.descending)
					    : resolve_clause(cx, s, order_by[i], &clause);
		if (st != OK)
			return st;
	}
	order_add_ties(s);
	return OK;
}

/* ---- {"field_name": "metrics.loss", "ascending": false, "dataset_name": …} ---- */

static enum status
field_add(struct ctx *cx, struct search *s, const struct search_field *f)
{
	const char *name = str_empty(f->name) ? "" : f->name;

	if (!utf8_valid(name, strlen(name)))
		return fail(cx, INVALID, "Invalid order by field name: it is no valid UTF-8");
	if (str_starts(name, "metrics.")) {
		struct search_column c = {
			.entity = ENTITY_METRIC, .name = arena_str(cx->arena, name + 8), .latest = true
		};

		c.dataset_name = str_empty(f->dataset_name) ? NULL : arena_str(cx->arena, f->dataset_name);
		c.dataset_digest =
			str_empty(f->dataset_digest) ? NULL : arena_str(cx->arena, f->dataset_digest);
		c.numeric = true;
		order_add(s, &c, f->descending);
		return OK;
	}
	if (strchr(name, '.'))
		return fail(cx, INVALID, "Invalid order by field name: %.200s. Only metrics are supported.",
			name);
	if (!schema_attribute(s->schema, name, CAN_ORDER))
		return fail(cx, INVALID,
			"Invalid order by field name: %.200s. Valid names are metrics.<key> and %s", name,
			schema_keys(cx, s->schema, CAN_ORDER));
	order_add_attribute(s, name, f->descending);
	return OK;
}

enum status
order_fields(struct ctx *cx, struct search *s, const struct search_field *fields, size_t n)
{
	enum status st;

	if ((st = orders_new(cx, s, n)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		if ((st = field_add(cx, s, &fields[i])) != OK)
			return st;
	order_add_ties(s);
	return OK;
}

/* ---- comparing rows ---- */

/* 0: a value, 1: NaN, 2: nothing */
static int
rank_of(const struct search_value *v)
{
	if (v->kind == VALUE_NUMBER)
		return !v->is_integer && isnan(v->number) ? 1 : 0;
	return v->kind == VALUE_TEXT ? 0 : 2;
}

static int
compare_values(const struct search_value *a, const struct search_value *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == VALUE_TEXT)
		return strcmp(a->text, b->text);
	return number_against(a, b->integer, b->is_integer, b->number);
}

static int
compare_by(const struct search *s, const struct order *o, struct search_value a, struct search_value b)
{
	int ranks, order;

	if (o->is_metric) {
		a.number = metric_stored(a.number, s->schema->nan_is_zero);
		b.number = metric_stored(b.number, s->schema->nan_is_zero);
	}
	ranks = rank_of(&a) - rank_of(&b);
	if (ranks != 0 || rank_of(&a) > 0)
		return ranks;
	order = compare_values(&a, &b);
	return o->descending ? -order : order;
}

int
order_compare(const struct search *s, const struct search_value *a, const struct search_value *b)
{
	for (size_t i = 0; i < s->order_count; i++) {
		int order = compare_by(s, &s->orders[i], a[i], b[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

int
search_compare(const struct search *s, const struct search_value *a, const struct search_value *b)
{
	for (size_t i = 0; i < s->order_count; i++) {
		const struct order *o = &s->orders[i];
		int order = compare_by(s, o, a[o->slot], b[o->slot]);

		if (order != 0)
			return order;
	}
	return 0;
}
