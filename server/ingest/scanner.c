/*
 * One pass, left to right. What is missing is remembered and reported at the end, in the protocol's order (run_id, metrics, params,
 * tags), because members come in any order; everything else fails where it stands.
 */
#include "ingest/scanner.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "ingest/number.h"

#define DEPTH_MOST   64
#define POINT_USUAL  64   /* bytes of a point in JSON */
#define POINTS_USUAL 1000 /* at most in a batch */
#define SEEN_KEYS    64   /* keys remembered, so that a repeated one is copied once */
#define SHOWN_BYTES  200  /* of a wrong value, in a message */

enum member {
	F_OTHER,
	F_RUN_ID,
	F_RUN_UUID,
	F_KEY,
	F_VALUE,
	F_TIMESTAMP,
	F_STEP,
	F_MODEL_ID,
	F_DATASET_NAME,
	F_DATASET_DIGEST,
	F_METRICS,
	F_PARAMS,
	F_TAGS,
};

#define BIT(f) (1u << (f))
#define METRIC_FIELDS                                                                                        \
	(BIT(F_KEY) | BIT(F_VALUE) | BIT(F_TIMESTAMP) | BIT(F_STEP) | BIT(F_MODEL_ID) |                      \
		BIT(F_DATASET_NAME) | BIT(F_DATASET_DIGEST))
#define PAIR_FIELDS  (BIT(F_KEY) | BIT(F_VALUE))
#define RUN_FIELDS   (BIT(F_RUN_ID) | BIT(F_RUN_UUID))
#define BATCH_FIELDS (RUN_FIELDS | BIT(F_METRICS) | BIT(F_PARAMS) | BIT(F_TAGS))

static const struct {
	const char *snake, *camel;
	size_t snake_len, camel_len;
} names[] = {
#define NAME(f, s, c) [f] = { s, c, sizeof(s) - 1, sizeof(c) - 1 }
	NAME(F_RUN_ID, "run_id", "runId"),
	NAME(F_RUN_UUID, "run_uuid", "runUuid"),
	NAME(F_KEY, "key", "key"),
	NAME(F_VALUE, "value", "value"),
	NAME(F_TIMESTAMP, "timestamp", "timestamp"),
	NAME(F_STEP, "step", "step"),
	NAME(F_MODEL_ID, "model_id", "modelId"),
	NAME(F_DATASET_NAME, "dataset_name", "datasetName"),
	NAME(F_DATASET_DIGEST, "dataset_digest", "datasetDigest"),
	NAME(F_METRICS, "metrics", "metrics"),
	NAME(F_PARAMS, "params", "params"),
	NAME(F_TAGS, "tags", "tags"),
#undef NAME
};

struct slice {
	const char *s; /* not NUL-terminated */
	size_t len;
};

enum kind { KIND_NULL, KIND_NUMBER, KIND_TEXT, KIND_OTHER };

struct value {
	enum kind kind;
	struct slice raw;  /* as it stands in the body */
	struct slice text; /* of TEXT: decoded */
	struct number number;
};

/* The first item of a list that lacks something it must have. */
struct missing {
	bool found;
	size_t index;
	enum member field;
};

struct scanner {
	struct ctx *cx;
	const char *start, *at, *end;
	int depth;
	enum member list;          /* the list we are in, for messages; F_OTHER: none */
	size_t index;              /* in that list */
	struct missing missing[3]; /* metrics, params, tags */
	size_t point_room, param_room, tag_room;
	struct slice seen[SEEN_KEYS];
	struct scanned_batch *out;
};

/* ---- failing ---- */

static enum status
syntax(struct scanner *s, const char *what)
{
	size_t line = 1, column = 1;

	for (const char *p = s->start; p < s->at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return fail(s->cx, BAD_REQUEST, "the body is not valid JSON at line %zu, column %zu: %s", line,
		column, what);
}

static const char *
path_of(struct scanner *s, enum member f)
{
	if (s->list == F_OTHER)
		return names[f].snake;
	if (f == F_OTHER)
		return arena_printf(s->cx->arena, "%s[%zu]", names[s->list].snake, s->index);
	return arena_printf(s->cx->arena, "%s[%zu].%s", names[s->list].snake, s->index, names[f].snake);
}

/* The value as compact JSON, cut. */
static const char *
shown(struct scanner *s, struct slice raw)
{
	char *out = arena_alloc(s->cx->arena, SHOWN_BYTES + 1), *p = out;
	bool quoted = false;

	for (size_t i = 0; i < raw.len && p < out + SHOWN_BYTES; i++) {
		if (raw.s[i] == '"' && (i == 0 || raw.s[i - 1] != '\\'))
			quoted = !quoted;
		if (quoted || strchr(" \t\r\n", raw.s[i]) == NULL)
			*p++ = raw.s[i];
	}
	while (p > out && !utf8_valid(out, (size_t)(p - out)))
		p--; /* cut within a character */
	*p = '\0';
	return out;
}

static enum status
wrong(struct scanner *s, enum member f, struct slice raw, const char *expected)
{
	return fail(s->cx, INVALID,
		"Invalid value %s for parameter '%s' supplied: %s. See the API docs for more information "
		"about request "
		"parameters.",
		shown(s, raw), path_of(s, f), expected);
}

static enum status
missing_value(struct scanner *s, enum member f)
{
	return fail(s->cx, INVALID,
		"Missing value for required parameter '%s'. See the API docs for more information about "
		"request parameters.",
		path_of(s, f));
}

static enum status
twice(struct scanner *s, enum member f)
{
	return fail(s->cx, INVALID, "Request specifies '%s' more than once; provide only one of them.",
		path_of(s, f));
}

/* ---- text ---- */

static void
skip_space(struct scanner *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

/* The next character that is no blank, not taken; 0 at the end. */
static char
peek(struct scanner *s)
{
	skip_space(s);
	return s->at < s->end ? *s->at : '\0';
}

static bool
take(struct scanner *s, char c)
{
	if (peek(s) != c)
		return false;
	s->at++;
	return true;
}

static int
hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int c = (unsigned char)p[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* At the four digits of \uXXXX; a pair of surrogates is one character. */
static enum status
unescape_unicode(struct scanner *s, char **to)
{
	int high = hex4(s->at, s->end), low;
	uint32_t cp = (uint32_t)high;

	if (high < 0)
		return syntax(s, "\\u takes four hexadecimal digits");
	if (high == 0)
		return syntax(s, "\\u0000 is not allowed in text");
	s->at += 4;
	if (high >= 0xd800 && high <= 0xdfff) {
		low = s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u' ? hex4(s->at + 2, s->end)
										 : -1;
		if (high >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
			return syntax(s, "half of a surrogate pair");
		cp = 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
		s->at += 6;
	}
	*to += utf8_put(*to, cp);
	return OK;
}

static enum status
unescape(struct scanner *s, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (++s->at >= s->end)
		return syntax(s, "the text does not end");
	if (*s->at == 'u') {
		s->at++;
		return unescape_unicode(s, to);
	}
	found = *s->at != '\0' ? strchr(from, *s->at) : NULL;
	if (found == NULL)
		return syntax(s, "an unknown escape in text");
	*(*to)++ = into[found - from];
	s->at++;
	return OK;
}

/* Where the text that starts at p ends (its quote, or where it breaks); is there an escape or anything beyond ASCII? */
static const char *
text_end(const char *p, const char *end, bool *escaped, bool *beyond)
{
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c < 0x20)
			break;
		if (c == '\\') {
			*escaped = true;
			if (++p == end)
				break;
		}
		*beyond |= c >= 0x80;
	}
	return p;
}

static enum status
decode_text(struct scanner *s, const char *stop, struct slice *out)
{
	char *start = arena_alloc(s->cx->arena, (size_t)(stop - s->at) + 1), *to = start;
	enum status st;

	while (s->at < stop) {
		if (*s->at != '\\')
			*to++ = *s->at++;
		else if ((st = unescape(s, &to)) != OK)
			return st;
	}
	*out = (struct slice){ start, (size_t)(to - start) };
	return OK;
}

/* At the opening quote. The text is borrowed from the body, or decoded into the arena. */
static enum status
scan_text(struct scanner *s, struct slice *out)
{
	bool escaped = false, beyond = false;
	const char *from = ++s->at, *stop = text_end(from, s->end, &escaped, &beyond);
	enum status st;

	if (stop >= s->end || *stop != '"') {
		s->at = stop;
		return syntax(s, stop >= s->end ? "the text does not end" : "a control character in text");
	}
	if (beyond && !utf8_valid(from, (size_t)(stop - from)))
		return syntax(s, "the text is not valid UTF-8");
	if (escaped && (st = decode_text(s, stop, out)) != OK)
		return st;
	if (!escaped)
		*out = (struct slice){ from, (size_t)(stop - from) };
	s->at = stop + 1;
	return OK;
}

static const char *
keep(struct scanner *s, struct slice text)
{
	return arena_strn(s->cx->arena, text.s, text.len);
}

/* A metric's key: the same few come again and again. */
static const char *
keep_key(struct scanner *s, struct slice text)
{
	size_t mark =
		text.len == 0 ? 0 : (unsigned char)text.s[0] * 7u + (unsigned char)text.s[text.len - 1] * 3u;
	struct slice *seen = &s->seen[(mark + text.len) % SEEN_KEYS];

	if (seen->s == NULL || seen->len != text.len || memcmp(seen->s, text.s, text.len) != 0)
		*seen = (struct slice){ keep(s, text), text.len };
	return seen->s;
}

/* ---- values ---- */

static enum status skip_value(struct scanner *s);

/* Step to the next member of the object we are in; *more false: it has ended. *first starts out true. */
static enum status
next_member(struct scanner *s, bool *first, struct slice *name, bool *more)
{
	enum status st;

	*more = false;
	if (take(s, '}'))
		return OK;
	if (!*first && !take(s, ','))
		return syntax(s, "expected ',' or '}'");
	*first = false;
	if (peek(s) != '"')
		return syntax(s, "expected a member's name in double quotes");
	if ((st = scan_text(s, name)) != OK)
		return st;
	if (!take(s, ':'))
		return syntax(s, "expected ':'");
	*more = true;
	return OK;
}

/* The same for an array's elements. */
static enum status
next_element(struct scanner *s, bool *first, bool *more)
{
	*more = false;
	if (take(s, ']'))
		return OK;
	if (!*first && !take(s, ','))
		return syntax(s, "expected ',' or ']'");
	if (!*first && peek(s) == ']')
		return syntax(s, "expected a value");
	*first = false;
	*more = true;
	return OK;
}

static enum status
deeper(struct scanner *s)
{
	if (++s->depth > DEPTH_MOST)
		return fail(s->cx, BAD_REQUEST, "the JSON is nested more than %d levels deep", DEPTH_MOST);
	s->at++;
	return OK;
}

static enum status
skip_nested(struct scanner *s, bool object)
{
	struct slice name;
	bool first = true, more = true;
	enum status st = deeper(s);

	while (st == OK && more) {
		st = object ? next_member(s, &first, &name, &more) : next_element(s, &first, &more);
		if (st == OK && more)
			st = skip_value(s);
	}
	s->depth--;
	return st;
}

static bool
take_word(struct scanner *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

static enum status
scan_number(struct scanner *s, struct value *v)
{
	const char *after = number_read(s->at, s->end, &v->number);

	if (after == NULL)
		return syntax(s, "expected a value");
	if (*s->at != '-' && after - s->at == 1 && *s->at == '0' && after < s->end && *after >= '0' &&
		*after <= '9')
		return syntax(s, "a number does not start with 0");
	s->at = after;
	v->kind = KIND_NUMBER;
	return OK;
}

static enum status
scan_value(struct scanner *s, struct value *v)
{
	char c = peek(s);
	enum status st = OK;

	v->kind = KIND_OTHER;
	v->raw.s = s->at;
	if (c == '"') {
		v->kind = KIND_TEXT;
		st = scan_text(s, &v->text);
	} else if (c == '{' || c == '[') {
		st = skip_nested(s, c == '{');
	} else if (take_word(s, "null")) {
		v->kind = KIND_NULL;
	} else if (!take_word(s, "true") && !take_word(s, "false")) {
		st = scan_number(s, v);
	}
	v->raw.len = (size_t)(s->at - v->raw.s);
	return st;
}

static enum status
skip_value(struct scanner *s)
{
	struct value v;

	return scan_value(s, &v);
}

/* Absent, null and "" are all "not there". */
static enum status
read_text(struct scanner *s, enum member f, bool is_key, const char **out)
{
	struct value v;
	enum status st = scan_value(s, &v);

	if (st != OK || v.kind == KIND_NULL)
		return st;
	if (v.kind != KIND_TEXT)
		return wrong(s, f, v.raw, "expected text");
	*out = is_key ? keep_key(s, v.text) : keep(s, v.text);
	return OK;
}

static bool
double_of(struct scanner *s, const struct value *v, double *out)
{
	if (v->kind == KIND_NUMBER)
		return number_double(&v->number, out);
	return v->kind == KIND_TEXT && v->text.len < SHOWN_BYTES && str_double(keep(s, v->text), out);
}

static enum status
read_double(struct scanner *s, enum member f, double *out, bool *there)
{
	struct value v;
	enum status st = scan_value(s, &v);

	if (st != OK || v.kind == KIND_NULL || (v.kind == KIND_TEXT && v.text.len == 0))
		return st;
	if (!double_of(s, &v, out))
		return wrong(s, f, v.raw, "expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
	if (isnan(*out))
		*out = (double)NAN;
	*there = true;
	return OK;
}

static bool
int64_of(struct value *v, int64_t *out)
{
	const char *end = v->text.s + v->text.len;

	if (v->kind == KIND_TEXT && number_read(v->text.s, end, &v->number) != end)
		return false;
	return (v->kind == KIND_TEXT || v->kind == KIND_NUMBER) && number_int64(&v->number, out);
}

static enum status
read_int64(struct scanner *s, enum member f, int64_t *out, bool *there)
{
	struct value v = { .text = { "", 0 } };
	enum status st = scan_value(s, &v);

	if (st != OK || v.kind == KIND_NULL || (v.kind == KIND_TEXT && v.text.len == 0))
		return st;
	if (!int64_of(&v, out))
		return wrong(s, f, v.raw, "expected an integer of 64 bits");
	*there = true;
	return OK;
}

/* ---- objects ---- */

static enum member
field_of(struct slice name, unsigned fields)
{
	for (enum member f = F_RUN_ID; f <= F_TAGS; f++) {
		if ((fields & BIT(f)) == 0)
			continue;
		if (name.len == names[f].snake_len && memcmp(name.s, names[f].snake, name.len) == 0)
			return f;
		if (name.len == names[f].camel_len && memcmp(name.s, names[f].camel, name.len) == 0)
			return f;
	}
	return F_OTHER;
}

/* Walk an object's members: those of `fields` go to `read`, the others are skipped. */
typedef enum status field_fn(struct scanner *s, enum member f, void *item);

static enum status
scan_object(struct scanner *s, unsigned fields, field_fn *read, void *item)
{
	unsigned had = 0;
	bool first = true, more = true;
	enum status st = deeper(s);

	while (st == OK) {
		struct slice name;
		enum member f;

		if ((st = next_member(s, &first, &name, &more)) != OK || !more)
			break;
		f = field_of(name, fields);
		if (f == F_OTHER)
			st = skip_value(s);
		else if ((had & BIT(f)) != 0)
			st = twice(s, f);
		else
			st = read(s, f, item);
		had |= BIT(f);
	}
	s->depth--;
	return st;
}

struct metric {
	struct point point;
	struct point_model model;
	bool has_value, has_time, has_step;
	const char *run_id, *run_uuid; /* log-metric only */
};

static enum status
read_metric_field(struct scanner *s, enum member f, void *item)
{
	struct metric *m = item;

	switch (f) {
	case F_KEY:
		return read_text(s, f, true, &m->point.key);
	case F_VALUE:
		return read_double(s, f, &m->point.value, &m->has_value);
	case F_TIMESTAMP:
		return read_int64(s, f, &m->point.time_unix_ms, &m->has_time);
	case F_STEP:
		return read_int64(s, f, &m->point.step, &m->has_step);
	case F_MODEL_ID:
		return read_text(s, f, false, &m->model.model_id);
	case F_DATASET_NAME:
		return read_text(s, f, false, &m->model.dataset_name);
	case F_DATASET_DIGEST:
		return read_text(s, f, false, &m->model.dataset_digest);
	case F_RUN_ID:
		return read_text(s, f, false, &m->run_id);
	default:
		return read_text(s, f, false, &m->run_uuid);
	}
}

static enum status
read_pair_field(struct scanner *s, enum member f, void *item)
{
	struct key_value *pair = item;

	return read_text(s, f, false, f == F_KEY ? &pair->key : &pair->value);
}

static enum member
metric_lacks(const struct metric *m)
{
	if (str_empty(m->point.key))
		return F_KEY;
	if (!m->has_value)
		return F_VALUE;
	return m->has_time ? F_OTHER : F_TIMESTAMP;
}

/* ---- lists ---- */

static void *
grow(struct scanner *s, void *items, size_t n, size_t *have, size_t size)
{
	void *bigger;

	if (n < *have)
		return items;
	*have = *have * 2 + 16;
	bigger = arena_array(s->cx->arena, *have, size);
	if (n > 0)
		memcpy(bigger, items, n * size);
	return bigger;
}

static void
note_missing(struct scanner *s, enum member f)
{
	struct missing *m = &s->missing[s->list - F_METRICS];

	if (f != F_OTHER && !m->found)
		*m = (struct missing){ true, s->index, f };
}

static void
add_model(struct scanner *s, const struct point_model *model)
{
	struct scanned_batch *b = s->out;
	const char *const *text[] = { &model->model_id, &model->dataset_name, &model->dataset_digest };
	const char **to[3];

	if (b->models == NULL && str_empty(model->model_id) && str_empty(model->dataset_name) &&
		str_empty(model->dataset_digest))
		return;
	if (b->models == NULL)
		b->models = arena_array(s->cx->arena, s->point_room, sizeof(*b->models));
	to[0] = &b->models[b->n].model_id;
	to[1] = &b->models[b->n].dataset_name;
	to[2] = &b->models[b->n].dataset_digest;
	for (int i = 0; i < 3; i++)
		*to[i] = str_empty(*text[i]) ? NULL : *text[i];
}

/* Room for as many points as the rest of the body may hold, so that the list need not grow. */
static void
first_points(struct scanner *s)
{
	size_t guess = (size_t)(s->end - s->at) / POINT_USUAL + 1;

	s->point_room = guess < POINTS_USUAL ? guess : POINTS_USUAL;
	s->out->points = arena_array(s->cx->arena, s->point_room, sizeof(*s->out->points));
}

static void
add_point(struct scanner *s, const struct metric *m)
{
	struct scanned_batch *b = s->out;
	size_t have;

	if (b->points == NULL)
		first_points(s);
	have = s->point_room;
	b->points = grow(s, b->points, b->n, &s->point_room, sizeof(*b->points));
	if (b->models != NULL)
		b->models = grow(s, b->models, b->n, &have, sizeof(*b->models));
	add_model(s, &m->model);
	b->points[b->n++] = m->point;
}

static enum status
scan_metric(struct scanner *s)
{
	struct metric m = { 0 };
	enum status st = scan_object(s, METRIC_FIELDS, read_metric_field, &m);

	if (st != OK)
		return st;
	note_missing(s, metric_lacks(&m));
	if (!s->missing[0].found)
		add_point(s, &m);
	return OK;
}

static enum status
scan_pair(struct scanner *s)
{
	struct scanned_batch *b = s->out;
	struct key_value pair = { 0 };
	enum status st = scan_object(s, PAIR_FIELDS, read_pair_field, &pair);

	if (st != OK)
		return st;
	note_missing(s, str_empty(pair.key) ? F_KEY : F_OTHER);
	if (pair.value == NULL)
		pair.value = "";
	if (s->list == F_PARAMS) {
		b->params = grow(s, b->params, b->param_count, &s->param_room, sizeof(*b->params));
		b->params[b->param_count++] = pair;
	} else {
		b->tags = grow(s, b->tags, b->tag_count, &s->tag_room, sizeof(*b->tags));
		b->tags[b->tag_count++] = pair;
	}
	return OK;
}

static enum status
not_an_object(struct scanner *s)
{
	struct value v;
	enum status st = scan_value(s, &v);

	return st != OK ? st : wrong(s, F_OTHER, v.raw, "expected an object");
}

static enum status
not_a_list(struct scanner *s, enum member f)
{
	struct value v;
	enum status st = scan_value(s, &v);

	if (st != OK || v.kind == KIND_NULL)
		return st;
	return wrong(s, f, v.raw, "expected a list");
}

static enum status
scan_list(struct scanner *s, enum member f)
{
	bool first = true, more = true;
	enum status st;

	if (peek(s) != '[')
		return not_a_list(s, f);
	if ((st = deeper(s)) != OK)
		return st;
	s->list = f;
	for (s->index = 0; st == OK; s->index++) {
		if ((st = next_element(s, &first, &more)) != OK || !more)
			break;
		if (peek(s) != '{')
			st = not_an_object(s);
		else
			st = f == F_METRICS ? scan_metric(s) : scan_pair(s);
	}
	s->list = F_OTHER;
	s->depth--;
	return st;
}

struct ids {
	const char *run_id, *run_uuid;
};

static enum status
read_batch_field(struct scanner *s, enum member f, void *item)
{
	struct ids *ids = item;

	if (f == F_RUN_ID)
		return read_text(s, f, false, &ids->run_id);
	if (f == F_RUN_UUID)
		return read_text(s, f, false, &ids->run_uuid);
	return scan_list(s, f);
}

/* ---- whole bodies ---- */

static enum status
scan_whole(struct scanner *s, unsigned fields, field_fn *read, void *item)
{
	enum status st;

	if (peek(s) != '{')
		return fail(s->cx, BAD_REQUEST, "the body must be a JSON object");
	if ((st = scan_object(s, fields, read, item)) != OK)
		return st;
	skip_space(s);
	return s->at == s->end ? OK : syntax(s, "text after the end of the JSON");
}

static enum status
scan_body(struct scanner *s, unsigned fields, field_fn *read, void *item)
{
	struct slice inner;
	enum status st;

	skip_space(s);
	if (s->at == s->end)
		return OK;
	if (*s->at != '"')
		return scan_whole(s, fields, read, item);
	if ((st = scan_text(s, &inner)) != OK)
		return st;
	skip_space(s);
	if (s->at != s->end)
		return syntax(s, "text after the end of the JSON");
	s->start = s->at = inner.s;
	s->end = inner.s + inner.len;
	return scan_whole(s, fields, read, item);
}

static void
scanner_init(struct scanner *s, struct ctx *cx, const char *body, size_t len, struct scanned_batch *out)
{
	memset(out, 0, sizeof(*out));
	memset(s, 0, sizeof(*s));
	s->cx = cx;
	s->start = s->at = len > 0 ? body : "";
	s->end = s->start + len;
	s->out = out;
}

static enum status
take_run_id(struct scanner *s, const char *run_id, const char *run_uuid)
{
	s->out->run_id = !str_empty(run_id) ? run_id : run_uuid;
	return str_empty(s->out->run_id) ? missing_value(s, F_RUN_ID) : OK;
}

enum status
scan_log_metric(struct ctx *cx, const char *body, size_t len, struct scanned_batch *out)
{
	struct scanner s;
	struct metric m = { 0 };
	enum status st;

	scanner_init(&s, cx, body, len, out);
	if ((st = scan_body(&s, METRIC_FIELDS | RUN_FIELDS, read_metric_field, &m)) != OK)
		return st;
	if ((st = take_run_id(&s, m.run_id, m.run_uuid)) != OK)
		return st;
	if (metric_lacks(&m) != F_OTHER)
		return missing_value(&s, metric_lacks(&m));
	add_point(&s, &m);
	return OK;
}

static enum status
check_batch(struct scanner *s)
{
	for (enum member f = F_METRICS; f <= F_TAGS; f++) {
		const struct missing *m = &s->missing[f - F_METRICS];

		s->list = f;
		s->index = m->index;
		if (m->found)
			return missing_value(s, m->field);
	}
	return OK;
}

enum status
scan_log_batch(struct ctx *cx, const char *body, size_t len, struct scanned_batch *out)
{
	struct scanner s;
	struct ids ids = { 0 };
	enum status st;

	scanner_init(&s, cx, body, len, out);
	if ((st = scan_body(&s, BATCH_FIELDS, read_batch_field, &ids)) != OK)
		return st;
	if ((st = take_run_id(&s, ids.run_id, ids.run_uuid)) != OK)
		return st;
	return check_batch(&s);
}
