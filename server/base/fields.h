/*
 * Fields of a request as a table: one reader fills a struct from a JSON object or from a query string, with the
 * leniencies of proto3 JSON that MLflow's clients rely on (snake_case or camelCase, int64 as number or string,
 * doubles as "NaN" and "Infinity", unknown members ignored, null as absent).
 *
 *	struct run_create_in { const char *experiment_id; int64_t start_time; bool has_start_time; struct key_value *tags; size_t tag_count; };
 *	static const struct field fields[] = {
 *		FIELD_TEXT(struct run_create_in, experiment_id, REQUIRED),
 *		FIELD_INT(struct run_create_in, start_time, 0),            // sets has_start_time too: FIELD_INT_HAS
 *		FIELD_LIST(struct run_create_in, tags, tag_count, key_value_fields, struct key_value),
 *		FIELD_END
 *	};
 *
 * Messages are MLflow's: "Missing value for required parameter 'x'." and "Invalid value <json> for parameter 'x' supplied…".
 * A path in a message reads metrics[0].name.
 */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/ctx.h"
#include "base/json.h"

enum field_type {
	FIELD_TYPE_END,
	FIELD_TYPE_TEXT,   /* const char *: NULL when absent */
	FIELD_TYPE_INT,    /* int64_t */
	FIELD_TYPE_DOUBLE, /* double */
	FIELD_TYPE_BOOL,   /* bool */
	FIELD_TYPE_TEXTS,  /* const char ** + size_t */
	FIELD_TYPE_LIST,   /* array of structs + size_t */
	FIELD_TYPE_OBJECT, /* pointer to a struct; NULL when absent */
	FIELD_TYPE_JSON,   /* const struct json *: as it came */
};

enum field_flag {
	REQUIRED = 1,  /* absent, null or (text) empty is an error */
	EMPTY_OK = 2,  /* with REQUIRED: "" is a value */
	NUMBER_OK = 4, /* TEXT: an integer is taken as its digits: an enum of proto3 JSON */
};

struct field {
	const char *name; /* snake_case, as in the API */
	enum field_type type;
	unsigned flags;
	size_t offset;
	size_t count_offset;    /* TEXTS, LIST: where the count goes */
	size_t has_offset;      /* INT, DOUBLE, BOOL: where "it was there" goes; 0 for none */
	const struct field *of; /* LIST, OBJECT: the fields of an element */
	size_t size;            /* LIST, OBJECT: the size of an element */
};

#define FIELD_TEXT(s, m, fl)                                                                                 \
	{                                                                                                    \
#m, FIELD_TYPE_TEXT, (fl), offsetof(s, m), 0, 0, NULL, 0                                     \
	}
#define FIELD_INT(s, m, fl)                                                                                  \
	{                                                                                                    \
#m, FIELD_TYPE_INT, (fl), offsetof(s, m), 0, 0, NULL, 0                                      \
	}
#define FIELD_INT_HAS(s, m, fl)                                                                              \
	{                                                                                                    \
#m, FIELD_TYPE_INT, (fl), offsetof(s, m), 0, offsetof(s, has_##m), NULL, 0                   \
	}
#define FIELD_DOUBLE_HAS(s, m, fl)                                                                           \
	{                                                                                                    \
#m, FIELD_TYPE_DOUBLE, (fl), offsetof(s, m), 0, offsetof(s, has_##m), NULL, 0                \
	}
#define FIELD_BOOL(s, m, fl)                                                                                 \
	{                                                                                                    \
#m, FIELD_TYPE_BOOL, (fl), offsetof(s, m), 0, 0, NULL, 0                                     \
	}
#define FIELD_BOOL_HAS(s, m, fl)                                                                             \
	{                                                                                                    \
#m, FIELD_TYPE_BOOL, (fl), offsetof(s, m), 0, offsetof(s, has_##m), NULL, 0                  \
	}
#define FIELD_TEXTS(s, m, n, fl)                                                                             \
	{                                                                                                    \
#m, FIELD_TYPE_TEXTS, (fl), offsetof(s, m), offsetof(s, n), 0, NULL, 0                       \
	}
#define FIELD_LIST(s, m, n, fl, of, type)                                                                    \
	{                                                                                                    \
#m, FIELD_TYPE_LIST, (fl), offsetof(s, m), offsetof(s, n), 0, (of), sizeof(type)             \
	}
#define FIELD_OBJECT(s, m, fl, of, type)                                                                     \
	{                                                                                                    \
#m, FIELD_TYPE_OBJECT, (fl), offsetof(s, m), 0, 0, (of), sizeof(type)                        \
	}
#define FIELD_JSON(s, m, fl)                                                                                 \
	{                                                                                                    \
#m, FIELD_TYPE_JSON, (fl), offsetof(s, m), 0, 0, NULL, 0                                     \
	}
#define FIELD_END                                                                                            \
	{                                                                                                    \
		NULL, FIELD_TYPE_END, 0, 0, 0, 0, NULL, 0                                                    \
	}

/* Decoded query pairs in their order, or path parameters. */
struct pair {
	const char *name;
	const char *value;
};

enum status fields_from_json(
	struct ctx *cx, const struct json *object, const struct field *fields, void *out) must_check;
/* Repeated names make lists; a single one is a list of one. */
enum status fields_from_pairs(
	struct ctx *cx, const struct pair *pairs, size_t n, const struct field *fields, void *out) must_check;

struct key_value {
	const char *key;
	const char *value;
};
extern const struct field key_value_fields[]; /* key required, value optional (NULL) */

#endif
