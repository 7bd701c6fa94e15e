/*
 * The filter's grammar, by recursive descent of bounded depth:
 *
 *   filter     = [ or ]
 *   or         = and { OR and }
 *   and        = unary { [ AND ] unary }        MLflow takes "a = 1 b = 2" and stray ANDs, outside parentheses: so do we there
 *   unary      = NOT unary | "(" or ")" | comparison
 *   comparison = operand ( sign value | [ NOT ] IN list | LIKE text | ILIKE text | IS [ NOT ] NULL )
 *   operand    = name | function "(" name ")"
 *
 * A function is a word right before a parenthesis, which no filter of MLflow's has: new ones change no old meaning.
 */
#include "search/parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"

#define PROMPT_TAG "mlflow.prompt.is_prompt"

struct parser {
	struct ctx *cx;
	struct search *s;
	const struct schema *sc;
	struct lexer x;
	struct token tok;
	int depth;
	size_t terms;
	size_t listed;
	bool prompt_named;  /* the prompt tag stands in the filter … */
	bool prompt_wanted; /* … and its first comparison asks for prompts */
};

/* Where text stands, in characters from 1. */
static size_t
position(const struct parser *p, const char *at)
{
	return utf8_count(p->x.text, (size_t)(at - p->x.text)) + 1;
}

static enum status refuse(struct parser *p, const char *at, const char *fmt, ...) printf_like(3, 4);

static enum status
refuse(struct parser *p, const char *at, const char *fmt, ...)
{
	va_list ap;
	const char *sentence;

	va_start(ap, fmt);
	sentence = arena_vprintf(p->cx->arena, fmt, ap);
	va_end(ap);
	return fail(p->cx, INVALID, "%s (position %zu)", sentence, position(p, at));
}

/* The current token has no place here. */
static enum status
refuse_token(struct parser *p, const char *expected)
{
	const struct token *t = &p->tok;

	if (t->kind == TOKEN_END)
		return refuse(p, t->text, "Invalid clause(s) in filter string: it ends where %s was expected",
			expected);
	if (t->kind == TOKEN_SEMICOLON && lexer_skip_blank(t->text + 1, p->x.end) < p->x.end)
		return refuse(p, t->text,
			"Search filter contained multiple expression: join comparisons by AND instead of "
			"';'");
	if (t->kind == TOKEN_OTHER && strchr("'\"`", *t->text))
		return refuse(p, t->text,
			"Invalid clause(s) in filter string: '%c' opens a quotation that does not end",
			*t->text);
	return refuse(p, t->text, "Invalid clause(s) in filter string: '%.*s': %s was expected",
		(int)token_shown(t), t->text, expected);
}

static void
advance(struct parser *p)
{
	p->tok = lexer_next(&p->x);
}

/* The token after the current one. */
static struct token
peek(const struct parser *p)
{
	struct lexer x = p->x;

	return lexer_next(&x);
}

static struct node *
node_new(struct parser *p, enum node_kind kind)
{
	struct node *n = arena_alloc(p->cx->arena, sizeof *n);

	n->kind = kind;
	return n;
}

/* ---- right sides ---- */

static enum status
refuse_number(struct parser *p, const struct operand *o)
{
	int n = (int)token_shown(&p->tok);

	if (o->entity == ENTITY_METRIC)
		return refuse(
			p, p->tok.text, "Expected numeric value type for metric. Found %.*s", n, p->tok.text);
	if (o->as_number)
		return refuse(p, p->tok.text, "Expected numeric value type for number(…). Found %.*s", n,
			p->tok.text);
	if (o->type != TYPE_NUMBER)
		return refuse(p, p->tok.text,
			"Invalid value for numeric attribute '%s': %.*s. A whole number is expected", o->name,
			n, p->tok.text);
	return refuse(p, p->tok.text, "Expected numeric value type for numeric attribute: %s. Found %.*s",
		o->name, n, p->tok.text);
}

static enum status
refuse_text(struct parser *p, const struct operand *o)
{
	static const char *const words[] = { "attributes", "metric", "parameter", "tag",
		"dataset attributes" };
	int n = (int)token_shown(&p->tok);

	if (p->tok.kind == TOKEN_NAME)
		return refuse(p, p->tok.text,
			"Parameter value is either not quoted or unidentified quote types used for string "
			"value %.*s. "
			"Use either single or double quotes",
			n, p->tok.text);
	return refuse(p, p->tok.text,
		"Expected a quoted string value for %s (e.g. 'my-value'). Got value %.*s", words[o->entity],
		n, p->tok.text);
}

/* '…' and "…", or what logged models take for a text; NULL when it is none. The text is what stands between the quotes, nothing unescaped. */
static char *
token_text(struct parser *p)
{
	const struct token *t = &p->tok;
	const char *s = t->text;
	size_t n = t->len;

	if (p->sc->bare_values) {
		if (t->kind != TOKEN_TEXT && t->kind != TOKEN_NAME && t->kind != TOKEN_INT &&
			t->kind != TOKEN_FLOAT)
			return NULL;
		for (; n > 0 && *s == '\''; n--)
			s++;
		while (n > 0 && s[n - 1] == '\'')
			n--;
		return arena_strn(p->cx->arena, s, n);
	}
	if (t->kind != TOKEN_TEXT && t->kind != TOKEN_NAME)
		return NULL;
	if (n < 2 || (*s != '\'' && *s != '"') || s[n - 1] != *s)
		return NULL;
	return arena_strn(p->cx->arena, s + 1, n - 2);
}

/* As Python's int() reads it: blanks around, a sign. */
static bool
text_integer(const char *text, int64_t *out)
{
	const char *end = text + strlen(text);
	char digits[24];
	size_t n;

	text = lexer_skip_blank(text, end);
	if (*text == '+' && text[1] != '-')
		text++;
	while (end > text && strchr(" \t\r\n", end[-1]))
		end--;
	n = (size_t)(end - text);
	if (n == 0 || n >= sizeof digits)
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return str_int64(digits, out);
}

/* The status of a logged model: its name, or its number as MLflow's database has it. */
static bool
text_status(const char *text, int64_t *out)
{
	static const char *const names[] = { "UNSPECIFIED", "PENDING", "READY", "FAILED" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (int64_t)i;
			return true;
		}
	return text_integer(text, out);
}

static bool
coded_integer(const struct operand *o, const char *text, int64_t *out)
{
	return o->type == TYPE_STATUS ? text_status(text, out) : text_integer(text, out);
}

static enum status
refuse_code(struct parser *p, const char *at, const struct operand *o, const char *text)
{
	if (o->type == TYPE_STATUS)
		return refuse(p, at,
			"Invalid value for attribute '%s': '%.100s'. 'PENDING', 'READY' or 'FAILED' is "
			"expected",
			o->name, text);
	return refuse(p, at,
		"Invalid value for attribute '%s': '%.100s'. A whole number in quotes is expected", o->name,
		text);
}

static enum status
parse_coded(struct parser *p, const struct operand *o, struct node *n)
{
	const char *text = token_text(p);

	if (!text)
		return refuse_text(p, o);
	n->integral = true;
	if (!coded_integer(o, text, &n->integer))
		return refuse_code(p, p->tok.text, o, text);
	return OK;
}

/* An integer too large for 64 bits is compared as a double. */
static void
set_number(struct node *n, const char *text, bool whole)
{
	n->integral = whole && str_int64(text, &n->integer);
	n->number = n->integral ? (double)n->integer : strtod(text, NULL);
}

static bool
spelled_number(struct parser *p, const struct operand *o, const char *text, struct node *n)
{
	if (o->type == TYPE_WHOLE_QUOTED && (p->tok.kind == TOKEN_TEXT || p->tok.kind == TOKEN_NAME)) {
		const char *inside = token_text(p);

		n->integral = inside && text_integer(inside, &n->integer);
		n->number = (double)n->integer;
		return n->integral;
	}
	/* logged models: whatever Python's float() reads */
	return p->sc->bare_values && p->tok.kind == TOKEN_NAME && str_double(text, &n->number) &&
	       !isnan(n->number);
}

static enum status
parse_number(struct parser *p, const struct operand *o, struct node *n)
{
	char *text = arena_strn(p->cx->arena, p->tok.text, p->tok.len);
	bool whole = p->tok.kind == TOKEN_INT;

	if (whole || (p->tok.kind == TOKEN_FLOAT && o->type == TYPE_NUMBER)) {
		set_number(n, text, whole);
		return OK;
	}
	return spelled_number(p, o, text, n) ? OK : refuse_number(p, o);
}

static enum status
parse_text(struct parser *p, const struct operand *o, struct node *n)
{
	n->text = token_text(p);
	if (!n->text)
		return refuse_text(p, o);
	if (n->op != OP_LIKE && n->op != OP_ILIKE)
		return OK;
	n->pattern = pattern_compile(p->cx->arena, n->text, n->op == OP_ILIKE);
	if (!n->pattern)
		return refuse(p, p->tok.text,
			"Invalid pattern: it ends in a backslash, which takes the next character as it is; "
			"write \\\\ for one");
	return OK;
}

static enum status
parse_value(struct parser *p, const struct operand *o, struct node *n)
{
	enum status st;

	if (p->tok.kind == TOKEN_END || p->tok.kind == TOKEN_OTHER || p->tok.kind == TOKEN_SEMICOLON)
		return refuse_token(p, "a value");
	if (o->type == TYPE_NUMBER || o->type == TYPE_WHOLE || o->type == TYPE_WHOLE_QUOTED)
		st = parse_number(p, o, n);
	else if (o->type == TYPE_ID || o->type == TYPE_STATUS)
		st = parse_coded(p, o, n);
	else
		st = parse_text(p, o, n);
	if (st == OK)
		advance(p);
	return st;
}

/* ---- IN lists: Python's literals, as MLflow reads them ---- */

static enum status
refuse_list(struct parser *p, const char *at)
{
	return refuse(p, at,
		"While parsing a list in the query, expected a non-empty list of string values, but got "
		"ill-formed list. "
		"Write ('a', 'b')");
}

/* One text of a list: literals side by side are one. */
static enum status
parse_listed(struct parser *p, const char **s, struct buf *text)
{
	const char *start = *s;

	buf_clear(text);
	do {
		if (!literal_read(s, p->x.end, text))
			return refuse_list(p, *s < p->x.end ? *s : start);
		*s = lexer_skip_blank(*s, p->x.end);
	} while (*s < p->x.end && (**s == '\'' || **s == '"'));
	if (text->len && memchr(text->data, '\0', text->len))
		return refuse(p, start, "Invalid text in a list: a NUL character is no part of a text");
	return OK;
}

static enum status
add_listed(struct parser *p, const struct operand *o, struct node *n, const char *at, const struct buf *text,
	size_t *size)
{
	struct arena *a = p->cx->arena;

	if (++p->listed > MAX_LISTED)
		return refuse(p, at, "Invalid filter: its lists hold more than %d texts", MAX_LISTED);
	if (n->count == *size) {
		const char **texts = n->texts;
		int64_t *integers = n->integers;

		*size = *size ? *size * 2 : 8;
		n->texts = arena_array(a, *size, sizeof *n->texts);
		n->integers = arena_array(a, *size, sizeof *n->integers);
		if (n->count) {
			memcpy(n->texts, texts, n->count * sizeof *texts);
			memcpy(n->integers, integers, n->count * sizeof *integers);
		}
	}
	n->texts[n->count] = arena_strn(a, text->len ? text->data : "", text->len);
	if (n->integral && !coded_integer(o, n->texts[n->count], &n->integers[n->count]))
		return refuse_code(p, at, o, n->texts[n->count]);
	n->count++;
	return OK;
}

static enum status
parse_items(struct parser *p, const struct operand *o, struct node *n, const char **s, struct buf *text)
{
	size_t size = 0;
	const char *at;
	enum status st;

	for (;;) {
		at = *s = lexer_skip_blank(*s, p->x.end);
		if (n->count > 0 && at < p->x.end && *at == ')')
			return OK;
		if ((st = parse_listed(p, s, text)) != OK ||
			(st = add_listed(p, o, n, at, text, &size)) != OK)
			return st;
		if (*s < p->x.end && **s == ',')
			(*s)++;
		else if (*s >= p->x.end || **s != ')')
			return refuse_list(p, *s);
	}
}

static enum status
parse_list(struct parser *p, const struct operand *o, struct node *n)
{
	const char *s = p->tok.text + 1;
	struct buf text;
	enum status st;

	if (p->tok.kind != TOKEN_OPEN)
		return refuse_token(p, "a list such as ('a', 'b')");
	buf_init(&text, (size_t)(p->x.end - p->x.text) + 1);
	n->integral = o->type == TYPE_ID || o->type == TYPE_STATUS;
	st = parse_items(p, o, n, &s, &text);
	buf_fini(&text);
	if (st != OK)
		return st;
	if (!n->integral)
		n->integers = NULL;
	node_list_sort(n);
	p->x.at = s + 1;
	advance(p);
	return OK;
}

/* ---- comparisons ---- */

static const struct {
	const char *text;
	enum compare_op op;
} signs[] = { { "=", OP_EQ }, { "!=", OP_NE }, { "<", OP_LT }, { "<=", OP_LE }, { ">", OP_GT },
	{ ">=", OP_GE } };

static bool
read_sign(struct parser *p, enum compare_op *op)
{
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (p->tok.len == strlen(signs[i].text) &&
			memcmp(p->tok.text, signs[i].text, p->tok.len) == 0) {
			*op = signs[i].op;
			return true;
		}
	return false;
}

/* Experiments take LIKE, ILIKE and IN in capitals alone, as MLflow does. */
static bool
is_comparator(const struct parser *p, const struct token *t, const char *word)
{
	return p->sc->exact_case
		       ? t->kind == TOKEN_NAME && t->len == strlen(word) && memcmp(t->text, word, t->len) == 0
		       : token_is(t, word);
}

static bool
read_null(struct parser *p, enum compare_op *op)
{
	advance(p);
	*op = OP_IS_NULL;
	if (token_is(&p->tok, "NOT")) {
		*op = OP_NOT_NULL;
		advance(p);
	}
	return token_is(&p->tok, "NULL");
}

static const char *
ops_text(unsigned ops)
{
	if (ops & OP_BIT(OP_LT))
		return "'=', '!=', '<', '<=', '>', '>='";
	if (!(ops & OP_BIT(OP_LIKE)))
		return "'=', '!=', 'IN', 'NOT IN'";
	return ops & OP_BIT(OP_IN) ? "'=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'"
				   : "'=', '!=', 'LIKE', 'ILIKE'";
}

static enum status
refuse_op(struct parser *p, const struct token *at, size_t len, const struct operand *o)
{
	struct token whole = { TOKEN_NAME, at->text, len };

	return refuse(p, at->text, "Invalid comparator '%.*s' not one of %s", (int)token_shown(&whole),
		at->text, ops_text(o->ops));
}

/* IN for what takes no list. */
static enum status
refuse_in(struct parser *p, const struct token *at, const struct operand *o)
{
	if (o->entity == ENTITY_ATTRIBUTE && o->type == TYPE_TEXT)
		return refuse(p, at->text,
			"'%s' does not support comparison with a list of quoted string values; use %s",
			o->name, ops_text(o->ops));
	return refuse_op(p, at, at->len, o);
}

static enum status
read_word_op(struct parser *p, const struct operand *o, enum compare_op *op)
{
	struct token first = p->tok, second = peek(p);

	if (token_is(&first, "IS"))
		return read_null(p, op) ? OK : refuse_token(p, "NULL or NOT NULL after IS");
	if (is_comparator(p, &first, "LIKE"))
		*op = OP_LIKE;
	else if (is_comparator(p, &first, "ILIKE"))
		*op = OP_ILIKE;
	else if (is_comparator(p, &first, "IN"))
		*op = OP_IN;
	else if (token_is(&first, "NOT") && token_is(&second, "IN"))
		*op = OP_NOT_IN;
	else if (token_is(&first, "NOT") && (token_is(&second, "LIKE") || token_is(&second, "ILIKE")))
		return refuse(p, first.text,
			"Invalid comparator 'NOT %.*s': write NOT before the whole comparison, as in NOT a "
			"LIKE 'b'",
			(int)second.len, second.text);
	else if (token_is(&first, "LIKE") || token_is(&first, "ILIKE") || token_is(&first, "IN"))
		return refuse(p, first.text, "Invalid comparator '%.*s': here it is written in capitals",
			(int)first.len, first.text);
	else
		return refuse_token(p, "a comparator such as =, LIKE or IN");
	if (!(o->ops & OP_BIT(*op)))
		return *op == OP_IN || *op == OP_NOT_IN ? refuse_in(p, &first, o)
							: refuse_op(p, &first, first.len, o);
	if (*op == OP_NOT_IN)
		advance(p);
	return OK;
}

static enum status
read_op(struct parser *p, const struct operand *o, enum compare_op *op)
{
	enum status st;

	if (p->tok.kind == TOKEN_COMPARE) {
		if (!read_sign(p, op) || !(o->ops & OP_BIT(*op)))
			return refuse_op(p, &p->tok, p->tok.len, o);
	} else if ((st = read_word_op(p, o, op)) != OK) {
		return st;
	}
	advance(p);
	return OK;
}

/* ---- left sides ---- */

static enum status
resolve(struct parser *p, struct operand *o)
{
	const char *fault = schema_resolve(p->cx, p->sc, p->tok.text, p->tok.len, CAN_FILTER, o);

	if (fault)
		return refuse(p, p->tok.text, "%s", fault);
	advance(p);
	return OK;
}

/* number(params.x): a text read as a number; one that is none counts as missing. min(metrics.x): not the latest value. */
static enum status
parse_function(struct parser *p, struct operand *o)
{
	const struct token name = p->tok;
	const struct function *function = schema_function(p->sc, &name);
	const char *inside, *fault;
	enum status st;

	if (!function)
		return refuse(p, name.text,
			"Invalid comparison clause: there is no function '%.*s' here. There are %s",
			(int)token_shown(&name), name.text, schema_functions(p->sc));
	advance(p);
	advance(p);
	if (p->tok.kind != TOKEN_NAME)
		return refuse_token(p, function_argument(function));
	inside = p->tok.text;
	if ((st = resolve(p, o)) != OK)
		return st;
	if ((fault = function_apply(p->cx, function, o)) != NULL)
		return refuse(p, inside, "Invalid comparison clause: %s", fault);
	if (p->tok.kind != TOKEN_CLOSE)
		return refuse_token(p, "')'");
	advance(p);
	return OK;
}

static bool
is_keyword(const struct token *t)
{
	static const char *const words[] = { "AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "NULL" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (token_is(t, words[i]))
			return true;
	return false;
}

/* A word that nothing follows which could compare it stands where AND or OR should. */
static bool
starts_comparison(const struct parser *p)
{
	struct token next = peek(p);

	return next.kind == TOKEN_COMPARE || next.kind == TOKEN_OPEN || is_keyword(&next);
}

static enum status
parse_operand(struct parser *p, struct operand *o)
{
	static const char *const found = "Invalid comparison clause. Expected 'Identifier' found '%.*s'";
	const struct token *t = &p->tok;

	if (t->kind == TOKEN_TEXT || t->kind == TOKEN_INT || t->kind == TOKEN_FLOAT)
		return refuse(p, t->text, found, (int)token_shown(t), t->text);
	if (t->kind != TOKEN_NAME || is_keyword(t) || !starts_comparison(p))
		return refuse_token(
			p, p->terms ? "AND, OR or a comparison" : "a comparison such as metrics.loss < 0.5");
	if (t->text + t->len < p->x.end && t->text[t->len] == '(')
		return parse_function(p, o);
	return resolve(p, o);
}

/* Which rows are hidden hangs on the first comparison with the prompt tag. */
static void
note_prompt(struct parser *p, const struct operand *o, struct node *n)
{
	if (!p->sc->hides_prompts || o->entity != ENTITY_TAG || strcmp(o->name, PROMPT_TAG) != 0 || !n->text)
		return;
	n->is_prompt_tag = true;
	if (!p->prompt_named)
		p->prompt_wanted = (n->op == OP_EQ && str_eq_nocase(n->text, "true")) ||
				   (n->op == OP_NE && str_eq_nocase(n->text, "false"));
	p->prompt_named = true;
}

static enum status
parse_comparison(struct parser *p, struct node **out)
{
	const char *at = p->tok.text;
	struct operand o = { .entity = ENTITY_ATTRIBUTE };
	struct node *n = node_new(p, NODE_TERM);
	enum status st;

	if ((st = parse_operand(p, &o)) != OK || (st = read_op(p, &o, &n->op)) != OK)
		return st;
	if (++p->terms > MAX_TERMS)
		return refuse(p, at, "Invalid filter: it has more than %d comparisons", MAX_TERMS);
	if (n->op == OP_IN || n->op == OP_NOT_IN)
		st = parse_list(p, &o, n);
	else if (n->op != OP_IS_NULL && n->op != OP_NOT_NULL)
		st = parse_value(p, &o, n);
	if (st != OK)
		return st;
	n->as_number = o.as_number;
	n->is_metric = o.entity == ENTITY_METRIC;
	n->nan_is_zero = p->sc->nan_is_zero;
	n->text_side = o.type == TYPE_TEXT || o.as_number;
	n->slot = search_column_add(p->s, &(struct search_column){ .entity = o.entity,
						  .name = o.name,
						  .aggregate = o.aggregate,
						  .numeric = !n->text_side });
	note_prompt(p, &o, n);
	*out = n;
	return OK;
}

/* ---- AND, OR, NOT ---- */

static enum status parse_or(struct parser *p, struct node **out);

static enum status
descend(struct parser *p)
{
	if (++p->depth > MAX_DEPTH)
		return refuse(p, p->tok.text,
			"Invalid filter: parentheses and NOTs are nested deeper than %d", MAX_DEPTH);
	advance(p);
	return OK;
}

static enum status
parse_group(struct parser *p, struct node **out)
{
	enum status st;

	if ((st = descend(p)) != OK || (st = parse_or(p, out)) != OK)
		return st;
	if (p->tok.kind != TOKEN_CLOSE)
		return refuse_token(p, "AND, OR or ')'");
	p->depth--;
	advance(p);
	return OK;
}

static enum status
parse_unary(struct parser *p, struct node **out)
{
	struct node *n;
	enum status st;

	if (p->tok.kind == TOKEN_OPEN)
		return parse_group(p, out);
	if (!token_is(&p->tok, "NOT"))
		return parse_comparison(p, out);
	n = *out = node_new(p, NODE_NOT);
	if ((st = descend(p)) != OK || (st = parse_unary(p, &n->first)) != OK)
		return st;
	p->depth--;
	return OK;
}

/* One child stands for itself. */
static struct node *
joined(struct parser *p, enum node_kind kind, struct node *first)
{
	struct node *n;

	if (!first || !first->next)
		return first;
	n = node_new(p, kind);
	n->first = first;
	return n;
}

static bool
ends_and(const struct parser *p)
{
	return p->tok.kind == TOKEN_END || p->tok.kind == TOKEN_CLOSE || token_is(&p->tok, "OR");
}

/* Gives NULL for ANDs alone, which MLflow takes for "every row". */
static enum status
parse_and(struct parser *p, struct node **out)
{
	bool loose = p->depth == 0;
	struct node *first = NULL, **tail = &first;
	enum status st;

	for (;;) {
		while (loose && token_is(&p->tok, "AND"))
			advance(p);
		if (loose && ends_and(p))
			break;
		if ((st = parse_unary(p, tail)) != OK)
			return st;
		tail = &(*tail)->next;
		if (!loose && !token_is(&p->tok, "AND"))
			break;
		if (!loose)
			advance(p);
	}
	*out = joined(p, NODE_AND, first);
	return OK;
}

static enum status
parse_or(struct parser *p, struct node **out)
{
	struct node *first = NULL, **tail = &first;
	bool more = false;
	enum status st;

	do {
		if (more)
			advance(p);
		if ((st = parse_and(p, tail)) != OK)
			return st;
		if (!*tail && (more || p->tok.kind != TOKEN_END))
			return refuse_token(p, "a comparison");
		if (*tail)
			tail = &(*tail)->next;
		more = true;
	} while (token_is(&p->tok, "OR"));
	*out = joined(p, NODE_OR, first);
	return OK;
}

/* ---- prompts of the registry ---- */

/* Unless prompts are asked for they are hidden, and comparisons with their tag hold for every other row, which has none. */
static void
blank_prompt_terms(struct node *n)
{
	for (; n; n = n->next) {
		if (n->kind == NODE_TERM && n->is_prompt_tag)
			n->kind = NODE_TRUE;
		blank_prompt_terms(n->first);
	}
}

static void
hide_prompts(struct parser *p)
{
	if (!p->sc->hides_prompts || p->prompt_wanted)
		return;
	blank_prompt_terms(p->s->root);
	p->s->prompt_slot =
		search_column_add(p->s, &(struct search_column){ .entity = ENTITY_TAG, .name = PROMPT_TAG });
}

enum status
filter_parse(struct ctx *cx, struct search *s, const char *filter)
{
	struct parser p = { .cx = cx, .s = s, .sc = s->schema };
	enum status st;

	if (!filter)
		filter = "";
	if (!utf8_valid(filter, strlen(filter)))
		return fail(cx, INVALID, "Invalid filter: it is no valid UTF-8");
	lexer_init(&p.x, filter);
	advance(&p);
	if (*filter && p.tok.kind == TOKEN_END)
		return fail(cx, INVALID, "Invalid filter '%.20s'. Could not be parsed: it is blank", filter);
	if ((st = parse_or(&p, &s->root)) != OK)
		return st;
	if (p.tok.kind != TOKEN_END)
		return refuse_token(&p, "AND, OR or the end");
	hide_prompts(&p);
	return OK;
}
