#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/str.h"
#include "http/decode.h"
#include "http/router.h"

#define MAX_PARAMS 8

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };
enum { GET, HEAD, METHODS = sizeof methods / sizeof methods[0] };

/* A row, and where its parameters stand. */
struct target {
	const struct route *route;
	size_t param_count;
	char *names[MAX_PARAMS];
	size_t at[MAX_PARAMS]; /* the segment */
	bool rest;             /* the last parameter takes all that is left */
};

struct node {
	char *name;
	struct node **children; /* sorted by name */
	size_t child_count;
	struct node *param;
	struct target *ends[METHODS];  /* rows that end here */
	struct target *rests[METHODS]; /* rows that take the rest from here */
	bool has_rest;
};

struct router {
	struct node *root;
	struct target *targets;
	size_t target_count;
};

/* ---- building ---- */

static int
method_index(const char *method)
{
	for (int i = 0; i < METHODS; i++)
		if (str_eq(method, methods[i]))
			return i;
	return -1;
}

static struct node *
node_new(const char *name, size_t len)
{
	struct node *n = mem_alloc(sizeof *n);

	n->name = mem_alloc(len + 1);
	memcpy(n->name, name, len);
	return n;
}

static void
node_free(struct node *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->child_count; i++)
		node_free(n->children[i]);
	node_free(n->param);
	free(n->children);
	free(n->name);
	free(n);
}

static int
compare_name(const char *name, const char *text, size_t len)
{
	size_t name_len = strlen(name);
	int order = memcmp(name, text, name_len < len ? name_len : len);

	return order != 0 ? order : (name_len > len) - (name_len < len);
}

/* The place of the child called `text`: *found says whether it is there. */
static size_t
child_place(const struct node *n, const char *text, size_t len, bool *found)
{
	size_t low = 0, high = n->child_count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare_name(n->children[middle]->name, text, len);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct node *
child_make(struct node *n, const char *text, size_t len)
{
	bool found;
	size_t place = child_place(n, text, len, &found);

	if (found)
		return n->children[place];
	n->children = mem_resize(n->children, n->child_count + 1, sizeof *n->children);
	memmove(n->children + place + 1, n->children + place, (n->child_count - place) * sizeof *n->children);
	n->child_count++;
	n->children[place] = node_new(text, len);
	return n->children[place];
}

static bool
add_param(struct target *t, const char *name, size_t len, size_t at)
{
	if (t->param_count == MAX_PARAMS || len == 0)
		return false;
	t->names[t->param_count] = mem_alloc(len + 1);
	memcpy(t->names[t->param_count], name, len);
	t->at[t->param_count++] = at;
	return true;
}

/* One step down for the segment [s, s + len): the next node, the same one for a rest, NULL when malformed. */
static struct node *
descend(struct node *n, struct target *t, const char *s, size_t len, size_t at)
{
	if (len < 2 || s[0] != '{')
		return memchr(s, '{', len) == NULL ? child_make(n, s, len) : NULL;
	if (s[len - 1] != '}')
		return NULL;
	if (len > 5 && memcmp(s + len - 4, "...", 3) == 0) {
		t->rest = true;
		return s[len] == '\0' && add_param(t, s + 1, len - 5, at) ? n : NULL;
	}
	if (!add_param(t, s + 1, len - 2, at))
		return NULL;
	if (n->param == NULL)
		n->param = node_new("", 0);
	return n->param;
}

static bool
add_route(struct router *r, const struct route *route, struct target *t)
{
	int method = method_index(route->method);
	const char *s = route->path;
	struct node *n = r->root;
	struct target **slot;

	t->route = route;
	if (method < 0 || *s != '/')
		return false;
	for (size_t at = 0; *s == '/'; at++) {
		size_t len = strcspn(++s, "/");

		if ((n = descend(n, t, s, len, at)) == NULL)
			return false;
		s += len;
	}
	slot = t->rest ? &n->rests[method] : &n->ends[method];
	if (*slot != NULL)
		return false;
	n->has_rest |= t->rest;
	*slot = t;
	return true;
}

struct router *
router_new(const struct route *routes, size_t n, char *error, size_t error_size)
{
	struct router *r = mem_alloc(sizeof *r);

	r->root = node_new("", 0);
	r->targets = mem_array(n + 1, sizeof *r->targets);
	r->target_count = n;
	for (size_t i = 0; i < n; i++) {
		if (add_route(r, &routes[i], &r->targets[i]))
			continue;
		snprintf(error, error_size, "route %s %s is malformed or there twice", routes[i].method,
			routes[i].path);
		router_free(r);
		return NULL;
	}
	return r;
}

void
router_free(struct router *r)
{
	if (r == NULL)
		return;
	node_free(r->root);
	for (size_t i = 0; i < r->target_count; i++)
		for (size_t k = 0; k < r->targets[i].param_count; k++)
			free(r->targets[i].names[k]);
	free(r->targets);
	free(r);
}

/* ---- finding ---- */

struct search {
	const struct node *root;
	const struct segment *segments;
	size_t count;
	int method; /* -1: one that no row has */
	const struct target *found;
	unsigned allow; /* methods of rows whose path matches */
	bool separator; /* a row matched but for a slash inside a segment */
};

static bool
is_free_text(const struct target *t, size_t param)
{
	if (t->rest && param + 1 == t->param_count)
		return true;
	return str_eq(t->names[param], "key") || str_eq(t->names[param], "tag_key") ||
	       str_eq(t->names[param], "username");
}

static bool
separators_fit(const struct search *s, const struct target *t)
{
	for (size_t i = 0; i < t->param_count; i++)
		if (s->segments[t->at[i]].separator && !is_free_text(t, i))
			return false;
	return true;
}

static const struct target *
pick(struct target *const by_method[METHODS], int method)
{
	if (method < 0)
		return NULL;
	if (method == HEAD && by_method[HEAD] == NULL)
		return by_method[GET];
	return by_method[method];
}

static void
offer(struct search *s, struct target *const by_method[METHODS])
{
	const struct target *t = pick(by_method, s->method);

	if (t != NULL && separators_fit(s, t)) {
		s->found = t;
		return;
	}
	if (t != NULL)
		s->separator = true;
	for (int i = 0; i < METHODS; i++)
		if (by_method[i] != NULL)
			s->allow |= 1u << i;
}

/* Literal first, then the parameter, then the rest; back up where a branch has no row for the method. */
static void
walk(struct search *s, const struct node *n, size_t i)
{
	const struct segment *seg = &s->segments[i];
	bool found;
	size_t place;

	if (i == s->count) {
		offer(s, n->ends);
		return;
	}
	place = child_place(n, seg->text, seg->len, &found);
	if (found)
		walk(s, n->children[place], i + 1);
	if (s->found == NULL && n->param != NULL && seg->len > 0)
		walk(s, n->param, i + 1);
	if (s->found == NULL && n->has_rest && n != s->root)
		offer(s, n->rests);
}

static const char *
join_rest(struct arena *arena, const struct segment *segments, size_t n)
{
	size_t size = 1;
	char *text, *p;

	for (size_t i = 0; i < n; i++)
		size += segments[i].len + 1;
	p = text = arena_alloc(arena, size);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			*p++ = '/';
		memcpy(p, segments[i].text, segments[i].len);
		p += segments[i].len;
	}
	return text;
}

static void
fill_match(struct ctx *cx, const struct search *s, struct match *out)
{
	const struct target *t = s->found;

	out->route = t->route;
	out->param_count = t->param_count;
	out->params = arena_array(cx->arena, t->param_count, sizeof *out->params);
	for (size_t i = 0; i < t->param_count; i++) {
		out->params[i].name = t->names[i];
		out->params[i].value =
			t->rest && i + 1 == t->param_count
				? join_rest(cx->arena, s->segments + t->at[i], s->count - t->at[i])
				: s->segments[t->at[i]].text;
	}
}

static void
list_methods(unsigned allow, char *out, size_t size)
{
	size_t len = 0;

	if (allow & 1u << GET)
		allow |= 1u << HEAD;
	*out = '\0';
	for (int i = 0; i < METHODS; i++)
		if (allow & 1u << i)
			len += (size_t)snprintf(
				out + len, size - len, "%s%s", len > 0 ? ", " : "", methods[i]);
}

enum status
router_find(const struct router *r, struct ctx *cx, const char *method, const char *path, struct match *out)
{
	struct search s = { .root = r->root, .method = method_index(method) };
	struct segment *segments;

	memset(out, 0, sizeof *out);
	if (!decode_path(cx->arena, path, &segments, &s.count))
		return fail(cx, BAD_REQUEST,
			"the path holds a malformed escape, a NUL or bytes that are not UTF-8");
	s.segments = segments;
	walk(&s, r->root, 0);
	if (s.found == NULL && s.separator)
		return fail(cx, BAD_REQUEST,
			"a part of the path holds a slash or backslash, which is not allowed there");
	if (s.found == NULL && s.allow != 0) {
		list_methods(s.allow, out->allow, sizeof out->allow);
		return fail(cx, NOT_ALLOWED, "%.20s is not allowed here; allowed: %s", method, out->allow);
	}
	if (s.found == NULL)
		s.found = pick(r->root->rests, s.method);
	if (s.found == NULL)
		return fail(cx, NO_ENDPOINT, "there is no %.20s %.200s", method, path);
	fill_match(cx, &s, out);
	return OK;
}
