#include "api/io.h"

#include <math.h>
#include <stdio.h>
#include <float.h>

#include "base/json.h"
#include "base/str.h"

enum status
io_read(struct request *rq, const struct field *fields, void *out)
{
	struct ctx *cx = request_ctx(rq);
	const struct json *object;
	size_t n, len;
	const struct pair *query = request_query(rq, &n);
	const char *body = request_body(rq, &len);
	enum status st;

	if (str_eq(request_method(rq), "GET") || str_eq(request_method(rq), "HEAD"))
		if (n > 0 || len == 0)
			return fields_from_pairs(cx, query, n, fields, out);
	if (len == 0) {
		body = "{}";
		len = 2;
	}
	if ((st = json_parse(cx, body, len, &object)) != OK)
		return st;
	return fields_from_json(cx, object, fields, out);
}

void
io_begin(struct jsonw *w, struct response *rs)
{
	jw_init(w, response_body(rs));
	jw_object(w);
}

enum status
io_end(struct jsonw *w)
{
	jw_end(w);
	return OK;
}

enum status
io_empty(struct response *rs)
{
	buf_str(response_body(rs), "{}");
	return OK;
}

void
io_id_at(struct jsonw *w, const char *key, int64_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)id);
	jw_text_at(w, key, text);
}

void
io_pairs_at(struct jsonw *w, const char *key, const struct key_value *pairs, size_t n)
{
	if (n == 0)
		return;
	jw_array_at(w, key);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_text_at(w, "key", pairs[i].key);
		jw_text_at(w, "value", pairs[i].value);
		jw_end(w);
	}
	jw_end(w);
}

void
io_value_at(struct jsonw *w, const char *key, double v)
{
	jw_real_at(w, key, isinf(v) ? copysign(DBL_MAX, v) : v);
}

enum status
io_view(struct ctx *cx, const char *parameter, const char *text, enum view *out)
{
	static const char *const names[] = { "ACTIVE_ONLY", "DELETED_ONLY", "ALL" };

	*out = VIEW_ACTIVE;
	if (str_empty(text))
		return OK;
	for (int i = 0; i < 3; i++)
		if (str_eq(text, names[i]) || (text[0] == '1' + i && text[1] == '\0')) {
			*out = (enum view)(VIEW_ACTIVE + i);
			return OK;
		}
	return fail(cx, INVALID,
		"Invalid value \"%.100s\" for parameter '%s' supplied: expected ACTIVE_ONLY, DELETED_ONLY or "
		"ALL",
		text, parameter);
}
