#include "base/fields.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

const struct field key_value_fields[] = {
	FIELD_TEXT(struct key_value, key, REQUIRED),
	FIELD_TEXT(struct key_value, value, 0),
	FIELD_END,
};

/* Where in the request we are: "tags[3]." before a field's name. */
struct place {
	const struct place *up;
	const char *name;
	size_t index;
	bool indexed;
};

static char *
path_of(struct ctx *cx, const struct place *at, const char *name)
{
	if (at == NULL)
		return arena_str(cx->arena, name);
	if (at->indexed)
		return arena_printf(cx->arena, "%s[%zu].%s", path_of(cx, at->up, at->name), at->index, name);
	return arena_printf(cx->arena, "%s.%s", path_of(cx, at->up, at->name), name);
}

static enum status
missing(struct ctx *cx, const struct place *at, const struct field *f)
{
	return fail(cx, INVALID,
		"Missing value for required parameter '%s'. See the API docs for more information about "
		"request parameters.",
		path_of(cx, at, f->name));
}

static enum status
wrong(struct ctx *cx, const struct place *at, const struct field *f, const char *value, const char *expected)
{
	return fail(cx, INVALID,
		"Invalid value %.200s for parameter '%s' supplied: %s. See the API docs for more information "
		"about request "
		"parameters.",
		value, path_of(cx, at, f->name), expected);
}

static void
set_has(const struct field *f, void *out)
{
	if (f->has_offset != 0)
		*(bool *)((char *)out + f->has_offset) = true;
}

static const char *
camel(struct ctx *cx, const char *snake)
{
	char *out = arena_alloc(cx->arena, strlen(snake) + 1), *p = out;

	for (; *snake != '\0'; snake++) {
		if (*snake == '_' && snake[1] != '\0')
			*p++ = (char)toupper((unsigned char)*++snake);
		else
			*p++ = *snake;
	}
	*p = '\0';
	return out;
}

static bool
int_of(const struct json *v, int64_t *out)
{
	switch (json_kind(v)) {
	case JSON_KIND_INT:
		*out = json_int64(v);
		return true;
	case JSON_KIND_REAL: /* 5.0 is an integer to proto3 JSON */
		if (json_double(v) != floor(json_double(v)) || fabs(json_double(v)) >= 9007199254740992.0)
			return false;
		*out = (int64_t)json_double(v);
		return true;
	case JSON_KIND_STRING:
		return str_int64(json_text(v), out);
	default:
		return false;
	}
}

static bool
double_of(const struct json *v, double *out)
{
	if (json_kind(v) == JSON_KIND_STRING)
		return str_double(json_text(v), out);
	*out = json_double(v);
	return json_kind(v) == JSON_KIND_INT || json_kind(v) == JSON_KIND_REAL;
}

static bool
scalar_of(const struct json *v, const struct field *f, void *at)
{
	switch (f->type) {
	case FIELD_TYPE_INT:
		return int_of(v, at);
	case FIELD_TYPE_DOUBLE:
		return double_of(v, at);
	case FIELD_TYPE_BOOL:
		*(bool *)at = json_truth(v);
		return json_kind(v) == JSON_KIND_BOOL;
	default:
		*(const char **)at = json_text(v);
		return json_kind(v) == JSON_KIND_STRING;
	}
}

static const char *
expected(enum field_type type)
{
	switch (type) {
	case FIELD_TYPE_INT:
		return "expected an integer of 64 bits";
	case FIELD_TYPE_DOUBLE:
		return "expected a number";
	case FIELD_TYPE_BOOL:
		return "expected true or false";
	case FIELD_TYPE_TEXT:
		return "expected a string";
	case FIELD_TYPE_TEXTS:
		return "expected an array of strings";
	case FIELD_TYPE_LIST:
		return "expected an array of objects";
	default:
		return "expected an object";
	}
}

static enum status read_object(struct ctx *cx, const struct place *at, const struct json *object,
	const struct field *fields, void *out);

static enum status
read_texts(struct ctx *cx, const struct place *at, const struct json *v, const struct field *f, void *out)
{
	size_t n = json_length(v);
	const char **texts = arena_array(cx->arena, n, sizeof(*texts));

	if (json_kind(v) != JSON_KIND_ARRAY)
		return wrong(cx, at, f, json_dump(cx, v), expected(f->type));
	for (size_t i = 0; i < n; i++)
		if ((texts[i] = json_text(json_at(v, i))) == NULL)
			return wrong(cx, at, f, json_dump(cx, v), expected(f->type));
	*(const char ***)((char *)out + f->offset) = texts;
	*(size_t *)((char *)out + f->count_offset) = n;
	return OK;
}

static enum status
read_list(struct ctx *cx, const struct place *at, const struct json *v, const struct field *f, void *out)
{
	size_t n = json_length(v);
	char *items = arena_array(cx->arena, n, f->size);
	enum status st;

	if (json_kind(v) != JSON_KIND_ARRAY)
		return wrong(cx, at, f, json_dump(cx, v), expected(f->type));
	for (size_t i = 0; i < n; i++) {
		struct place here = { at, f->name, i, true };

		if (json_kind(json_at(v, i)) != JSON_KIND_OBJECT)
			return wrong(cx, at, f, json_dump(cx, v), expected(f->type));
		if ((st = read_object(cx, &here, json_at(v, i), f->of, items + i * f->size)) != OK)
			return st;
	}
	*(void **)((char *)out + f->offset) = items;
	*(size_t *)((char *)out + f->count_offset) = n;
	return OK;
}

static enum status
read_field(struct ctx *cx, const struct place *at, const struct json *v, const struct field *f, void *out)
{
	void *to = (char *)out + f->offset;

	switch (f->type) {
	case FIELD_TYPE_TEXTS:
		return read_texts(cx, at, v, f, out);
	case FIELD_TYPE_LIST:
		return read_list(cx, at, v, f, out);
	case FIELD_TYPE_OBJECT: {
		struct place here = { at, f->name, 0, false };

		if (json_kind(v) != JSON_KIND_OBJECT)
			return wrong(cx, at, f, json_dump(cx, v), expected(f->type));
		*(void **)to = arena_alloc(cx->arena, f->size);
		return read_object(cx, &here, v, f->of, *(void **)to);
	}
	case FIELD_TYPE_JSON:
		*(const struct json **)to = v;
		return OK;
	default:
		if ((f->flags & NUMBER_OK) != 0 && json_kind(v) == JSON_KIND_INT)
			*(const char **)to = arena_printf(cx->arena, "%lld", (long long)json_int64(v));
		else if (!scalar_of(v, f, to))
			return wrong(cx, at, f, json_dump(cx, v), expected(f->type));
		set_has(f, out);
		return OK;
	}
}

static bool
absent(const struct json *v, const struct field *f)
{
	if (v == NULL || json_kind(v) == JSON_KIND_NULL)
		return true;
	if ((f->flags & REQUIRED) == 0 || (f->flags & EMPTY_OK) != 0)
		return false;
	return (json_kind(v) == JSON_KIND_STRING && *json_text(v) == '\0') ||
	       (json_kind(v) == JSON_KIND_ARRAY && json_length(v) == 0);
}

static enum status
read_object(struct ctx *cx, const struct place *at, const struct json *object, const struct field *fields,
	void *out)
{
	enum status st;

	for (const struct field *f = fields; f->type != FIELD_TYPE_END; f++) {
		const struct json *v = json_member(object, f->name);
		const struct json *other =
			strchr(f->name, '_') != NULL ? json_member(object, camel(cx, f->name)) : NULL;

		if (v != NULL && other != NULL)
			return fail(cx, INVALID,
				"parameter '%s' is given twice: once in snake_case and once in camelCase",
				path_of(cx, at, f->name));
		if (v == NULL)
			v = other;
		if (absent(v, f)) {
			if ((f->flags & REQUIRED) != 0)
				return missing(cx, at, f);
		} else if ((st = read_field(cx, at, v, f, out)) != OK) {
			return st;
		}
	}
	return OK;
}

enum status
fields_from_json(struct ctx *cx, const struct json *object, const struct field *fields, void *out)
{
	if (json_kind(object) != JSON_KIND_OBJECT)
		return fail(cx, BAD_REQUEST, "the body must be a JSON object");
	return read_object(cx, NULL, object, fields, out);
}

static enum status
pair_value(struct ctx *cx, const struct field *f, const char *text, void *out)
{
	void *to = (char *)out + f->offset;
	bool good = true;

	if (f->type == FIELD_TYPE_INT)
		good = str_int64(text, to);
	else if (f->type == FIELD_TYPE_DOUBLE)
		good = str_double(text, to);
	else if (f->type == FIELD_TYPE_BOOL) {
		*(bool *)to = str_eq_nocase(text, "true");
		good = *(bool *)to || str_eq_nocase(text, "false");
	} else if (f->type == FIELD_TYPE_TEXT)
		*(const char **)to = text;
	if (!good)
		return wrong(cx, NULL, f, arena_printf(cx->arena, "\"%s\"", text), expected(f->type));
	set_has(f, out);
	return OK;
}

static void
pair_texts(struct ctx *cx, const struct pair *pairs, size_t n, const struct field *f, const char *other,
	void *out)
{
	const char **texts = arena_array(cx->arena, n, sizeof(*texts));
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (str_eq(pairs[i].name, f->name) || str_eq(pairs[i].name, other))
			texts[count++] = pairs[i].value;
	*(const char ***)((char *)out + f->offset) = texts;
	*(size_t *)((char *)out + f->count_offset) = count;
}

static const char *
pair_find(const struct pair *pairs, size_t n, const char *name, const char *other)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(pairs[i].name, name) || str_eq(pairs[i].name, other))
			return pairs[i].value;
	return NULL;
}

enum status
fields_from_pairs(struct ctx *cx, const struct pair *pairs, size_t n, const struct field *fields, void *out)
{
	enum status st;

	for (const struct field *f = fields; f->type != FIELD_TYPE_END; f++) {
		const char *other = camel(cx, f->name);
		const char *text = pair_find(pairs, n, f->name, other);

		if (text == NULL || (*text == '\0' && (f->flags & (REQUIRED | EMPTY_OK)) == REQUIRED)) {
			if ((f->flags & REQUIRED) != 0)
				return missing(cx, NULL, f);
		} else if (f->type == FIELD_TYPE_TEXTS) {
			pair_texts(cx, pairs, n, f, other, out);
		} else if (f->type == FIELD_TYPE_LIST || f->type == FIELD_TYPE_OBJECT ||
			   f->type == FIELD_TYPE_JSON) {
			continue; /* has no form in a query */
		} else if ((st = pair_value(cx, f, text, out)) != OK) {
			return st;
		}
	}
	return OK;
}
