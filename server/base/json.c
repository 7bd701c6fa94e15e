#include "base/json.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"

/*
 * jansson parses; what it built is copied into the arena and let go at once, so that nobody counts references.
 * Members keep their order.
 */
struct json {
	enum json_kind kind;
	union {
		bool truth;
		int64_t integer;
		double real;
		const char *text;
	};
	size_t n; /* elements or members */
	struct json *items;
	const char **keys; /* OBJECT */
};

#define JSON_DEPTH 64

/* jansson allows 2,048 levels; a scan first keeps its recursion and its memory small. */
static bool
too_deep(const char *text, size_t len)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > JSON_DEPTH)
				return true;
		} else if (c == ']' || c == '}') {
			depth--;
		}
	}
	return false;
}

static void copy_value(struct arena *a, json_t *from, struct json *to);

static void
copy_array(struct arena *a, json_t *from, struct json *to)
{
	to->n = json_array_size(from);
	to->items = arena_array(a, to->n, sizeof(*to->items));
	for (size_t i = 0; i < to->n; i++)
		copy_value(a, json_array_get(from, i), &to->items[i]);
}

static void
copy_object(struct arena *a, json_t *from, struct json *to)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	to->n = json_object_size(from);
	to->items = arena_array(a, to->n, sizeof(*to->items));
	to->keys = arena_array(a, to->n, sizeof(*to->keys));
	json_object_foreach(from, key, value)
	{
		to->keys[i] = arena_str(a, key);
		copy_value(a, value, &to->items[i++]);
	}
}

static void
copy_value(struct arena *a, json_t *from, struct json *to)
{
	switch (json_typeof(from)) {
	case JSON_NULL:
		to->kind = JSON_KIND_NULL;
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		to->kind = JSON_KIND_BOOL;
		to->truth = json_is_true(from);
		break;
	case JSON_INTEGER:
		to->kind = JSON_KIND_INT;
		to->integer = json_integer_value(from);
		break;
	case JSON_REAL:
		to->kind = JSON_KIND_REAL;
		to->real = json_real_value(from);
		break;
	case JSON_STRING:
		to->kind = JSON_KIND_STRING;
		to->text = arena_strn(a, json_string_value(from), json_string_length(from));
		break;
	case JSON_ARRAY:
		to->kind = JSON_KIND_ARRAY;
		copy_array(a, from, to);
		break;
	case JSON_OBJECT:
		to->kind = JSON_KIND_OBJECT;
		copy_object(a, from, to);
		break;
	}
}

static enum status
parse_once(struct ctx *cx, const char *text, size_t len, const struct json **out)
{
	json_error_t e;
	json_t *doc;
	struct json *copy;

	if (too_deep(text, len))
		return fail(cx, BAD_REQUEST, "the JSON is nested more than %d levels deep", JSON_DEPTH);
	doc = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (doc == NULL)
		return fail(cx, BAD_REQUEST, "the body is not valid JSON at line %d, column %d: %s", e.line,
			e.column,
			json_error_code(&e) == json_error_null_character ? "text may not hold a NUL (\\u0000)"
									 : e.text);
	copy = arena_alloc(cx->arena, sizeof(*copy));
	copy_value(cx->arena, doc, copy);
	json_decref(doc);
	*out = copy;
	return OK;
}

enum status
json_parse(struct ctx *cx, const char *text, size_t len, const struct json **out)
{
	const struct json *v = NULL;
	enum status st = parse_once(cx, text, len, &v);

	/* ancient clients send JSON text inside a JSON string */
	if (st == OK && v->kind == JSON_KIND_STRING)
		st = parse_once(cx, v->text, strlen(v->text), &v);
	if (st == OK)
		*out = v;
	return st;
}

enum json_kind
json_kind(const struct json *v)
{
	return v->kind;
}

const struct json *
json_member(const struct json *object, const char *key)
{
	if (object->kind != JSON_KIND_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->n; i++)
		if (strcmp(object->keys[i], key) == 0)
			return &object->items[i];
	return NULL;
}

size_t
json_length(const struct json *array)
{
	return array->n;
}

const struct json *
json_at(const struct json *array, size_t i)
{
	return i < array->n ? &array->items[i] : NULL;
}

const char *
json_text(const struct json *string)
{
	return string->kind == JSON_KIND_STRING ? string->text : NULL;
}

int64_t
json_int64(const struct json *v)
{
	return v->kind == JSON_KIND_INT ? v->integer : 0;
}

double
json_double(const struct json *v)
{
	return v->kind == JSON_KIND_INT ? (double)v->integer : v->kind == JSON_KIND_REAL ? v->real : 0;
}

bool
json_truth(const struct json *v)
{
	return v->kind == JSON_KIND_BOOL && v->truth;
}

const char *
json_name(const struct json *object, size_t i)
{
	return object->kind == JSON_KIND_OBJECT && i < object->n ? object->keys[i] : NULL;
}

static void
write_value(struct jsonw *w, const struct json *v)
{
	switch (v->kind) {
	case JSON_KIND_NULL:
		jw_null(w);
		break;
	case JSON_KIND_BOOL:
		jw_bool(w, v->truth);
		break;
	case JSON_KIND_INT:
		jw_int(w, v->integer);
		break;
	case JSON_KIND_REAL:
		jw_real(w, v->real);
		break;
	case JSON_KIND_STRING:
		jw_text(w, v->text);
		break;
	case JSON_KIND_ARRAY:
		jw_array(w);
		for (size_t i = 0; i < v->n; i++)
			write_value(w, &v->items[i]);
		jw_end(w);
		break;
	case JSON_KIND_OBJECT:
		jw_object(w);
		for (size_t i = 0; i < v->n; i++) {
			jw_key(w, v->keys[i]);
			write_value(w, &v->items[i]);
		}
		jw_end(w);
		break;
	}
}

char *
json_dump(struct ctx *cx, const struct json *v)
{
	struct buf b;
	struct jsonw w;
	char *text;

	buf_init(&b, SIZE_MAX / 4);
	jw_init(&w, &b);
	write_value(&w, v);
	text = arena_strn(cx->arena, b.data, b.len);
	buf_fini(&b);
	return text;
}
