/*
 * Reads lines of JSON, {"target": "runs", "filter": "…"} or {"target": "runs", "order": "…"} (logged models: {"order": "metrics.x"}),
 * and answers each with one line: what the filter or order was understood as, or why it was refused.
 * tests/search/oracle.py asks MLflow's own parser the same and compares.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "search/parts.h"

static const char *const targets[] = { "runs", "experiments", "models", "versions", "logged_models" };
static const char *const entities[] = { "attribute", "metric", "parameter", "tag", "dataset" };
static const char *const aggregates[] = { "last", "first", "min", "max", "mean", "count" };
static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN",
	"IS NULL", "IS NOT NULL" };

/* "min(x)" is no name of MLflow's. */
static const char *
name_of(const struct search *s, const struct search_column *c)
{
	return c->aggregate == AGGREGATE_LAST
		       ? c->name
		       : arena_printf(s->arena, "%s(%s)", aggregates[c->aggregate], c->name);
}

static void
write_list(struct jsonw *w, const struct node *n)
{
	jw_array(w);
	for (size_t i = 0; i < n->count; i++)
		jw_text(w, n->texts[i]);
	jw_end(w);
}

static void
write_term(struct jsonw *w, const struct search *s, const struct node *n)
{
	const struct search_column *c = &s->columns[n->slot];

	jw_array(w);
	jw_text(w, entities[c->entity]);
	jw_text(w, name_of(s, c));
	jw_text(w, ops[n->op]);
	if (n->texts)
		write_list(w, n);
	else if (n->text)
		jw_text(w, n->text);
	else if (n->integral)
		jw_int(w, n->integer);
	else if (n->op < OP_LIKE)
		jw_real(w, n->number);
	else
		jw_null(w);
	jw_end(w);
}

static bool
is_more_than_mlflow(const struct search *s, const struct node *n)
{
	const struct search_column *c = &s->columns[n->slot];

	if (n->kind == NODE_OR || n->kind == NODE_NOT || n->as_number)
		return true;
	if (n->kind == NODE_TERM && c->aggregate != AGGREGATE_LAST)
		return true;
	if (n->kind == NODE_TERM && (n->op == OP_IS_NULL || n->op == OP_NOT_NULL))
		return s->target > SEARCH_EXPERIMENTS ||
		       (c->entity != ENTITY_TAG && c->entity != ENTITY_PARAM);
	for (const struct node *child = n->first; child; child = child->next)
		if (is_more_than_mlflow(s, child))
			return true;
	return false;
}

static void
write_filter(struct jsonw *w, const struct search *s)
{
	const struct node *n = s->root;

	jw_bool_at(w, "more", n && is_more_than_mlflow(s, n));
	jw_array_at(w, "terms");
	if (n && n->kind == NODE_AND)
		n = n->first;
	for (; n; n = n->next)
		if (n->kind == NODE_TERM || n->kind == NODE_TRUE)
			write_term(w, s, n);
	jw_end(w);
}

static void
write_order(struct jsonw *w, const struct search *s)
{
	const struct search_column *c = &s->columns[s->orders[0].slot];

	jw_array_at(w, "order");
	jw_text(w, entities[c->entity]);
	jw_text(w, name_of(s, c));
	jw_bool(w, s->orders[0].descending);
	jw_end(w);
}

static enum search_target
target_of(const char *name)
{
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
		if (str_eq(targets[i], name))
			return (enum search_target)i;
	fprintf(stderr, "probe: unknown target %s\n", name);
	exit(2);
}

static enum status
compile(struct ctx *cx, const struct json *in, struct search **s)
{
	enum search_target target = target_of(json_text(json_member(in, "target")));
	const struct json *filter = json_member(in, "filter");
	const struct json *order = json_member(in, "order");
	const char *clause = order ? json_text(order) : NULL;

	if (target == SEARCH_LOGGED_MODELS)
		return search_compile_fields(cx, filter ? json_text(filter) : NULL,
			&(struct search_field){ .name = clause }, clause ? 1 : 0, s);
	return search_compile(cx, target, filter ? json_text(filter) : NULL, &clause, clause ? 1 : 0, s);
}

static void
answer(struct ctx *cx, const char *line, size_t len)
{
	const struct json *in;
	struct search *s = NULL;
	struct jsonw w;
	struct buf b;

	if (json_parse(cx, line, len, &in) != OK) {
		fprintf(stderr, "probe: %s\n", cx->message);
		exit(2);
	}
	buf_init(&b, 64u << 20);
	jw_init(&w, &b);
	jw_object(&w);
	if (compile(cx, in, &s) != OK)
		jw_text_at(&w, "error", cx->message);
	else if (json_member(in, "order"))
		write_order(&w, s);
	else
		write_filter(&w, s);
	jw_end(&w);
	printf("%s\n", b.data);
	fflush(stdout);
	buf_fini(&b);
}

int
main(void)
{
	struct arena *arena = arena_new();
	struct ctx cx;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		arena_reset(arena);
		ctx_init(&cx, arena, NULL);
		answer(&cx, line, (size_t)len);
	}
	free(line);
	arena_free(arena);
	return 0;
}
