/*
 * Reading JSON: jansson, wrapped once. A value lives as long as the document's arena.
 * Bounded before parsing: 64 levels, twin keys refused. Not for metrics (ingest/scanner.h).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

struct json; /* borrowed: lives as long as cx->arena */

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INT,
	JSON_KIND_REAL,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
};

/* A failure names line, column and what was expected (BAD_REQUEST). A body that is itself a JSON string holding JSON is unwrapped. */
enum status json_parse(struct ctx *cx, const char *text, size_t len, const struct json **out) must_check;

enum json_kind json_kind(const struct json *v);
const struct json *json_member(const struct json *object, const char *key); /* NULL: absent */
size_t json_length(const struct json *array);
const struct json *json_at(const struct json *array, size_t i);
const char *json_text(const struct json *string); /* NUL-terminated, valid UTF-8, no NUL inside */
int64_t json_int64(const struct json *v);
double json_double(const struct json *v); /* of INT or REAL */
bool json_truth(const struct json *v);
/* Members of an object in their order: json_name(v, i) is the key of json_at(v, i), i < json_length(v). */
const char *json_name(const struct json *object, size_t i);
/* The value as compact JSON text in the arena, for messages and for storing. */
char *json_dump(struct ctx *cx, const struct json *v);

#endif
