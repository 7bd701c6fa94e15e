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

void
io_sample(struct jsonw *w, const char *key, const struct sample *s, const char *run_id)
{
	jw_object(w);
	jw_text_at(w, "key", key);
	io_value_at(w, "value", s->value);
	jw_int_at(w, "timestamp", s->time_unix_ms);
	jw_int_at(w, "step", s->step);
	jw_text_at(w, "run_id", run_id);
	jw_end(w);
}

bool
io_enum_number(const char *text, int most, int *out)
{
	*out = text[0] - '0';
	return text[0] != '\0' && text[1] == '\0' && *out >= 1 && *out <= most;
}

void
io_array_at(struct jsonw *w, const char *key, const void *items, size_t n, size_t size, io_item_fn *write)
{
	if (n == 0)
		return;
	jw_array_at(w, key);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		write(w, (const char *)items + i * size);
		jw_end(w);
	}
	jw_end(w);
}

enum status
io_reply_list(struct response *rs, const struct io_list *list)
{
	struct jsonw w;

	io_begin(&w, rs);
	io_array_at(&w, list->key, list->items, list->n, list->size, list->write);
	jw_text_at(&w, "next_page_token", list->next_token);
	return io_end(&w);
}

/* ACTIVE_ONLY, DELETED_ONLY, ALL, or 1, 2, 3; NULL is ACTIVE_ONLY. */
static enum status
read_view(struct ctx *cx, const char *parameter, const char *text, enum view *out)
{
	static const char *const names[] = { "ACTIVE_ONLY", "DELETED_ONLY", "ALL" };

	int n = VIEW_ACTIVE;

	if (!str_empty(text) && !io_enum_number(text, VIEW_ALL, &n))
		for (n = VIEW_ACTIVE; n <= VIEW_ALL && !str_eq(text, names[n - VIEW_ACTIVE]);)
			n++;
	*out = (enum view)n;
	if (n <= VIEW_ALL)
		return OK;
	return fail(cx, INVALID,
		"Invalid value \"%.100s\" for parameter '%s' supplied: expected ACTIVE_ONLY, DELETED_ONLY or "
		"ALL",
		text, parameter);
}

struct search_body {
	const char **experiment_ids;
	size_t experiment_id_count;
	const char *filter, *page_token, *view_type, *run_view_type;
	const char **order_by;
	size_t order_by_count;
	bool has_max_results;
	int64_t max_results;
};
static const struct field search_fields[] = {
	FIELD_TEXTS(struct search_body, experiment_ids, experiment_id_count, 0),
	FIELD_TEXT(struct search_body, filter, 0),
	FIELD_TEXT(struct search_body, page_token, 0),
	FIELD_TEXT(struct search_body, view_type, NUMBER_OK),
	FIELD_TEXT(struct search_body, run_view_type, NUMBER_OK),
	FIELD_TEXTS(struct search_body, order_by, order_by_count, 0),
	FIELD_INT_HAS(struct search_body, max_results, 0),
	FIELD_END,
};

enum status
io_read_search(struct request *rq, struct io_search *how, struct search_in *out)
{
	struct ctx *cx = request_ctx(rq);
	struct search_body body = { 0 };
	enum status st = io_read(rq, search_fields, &body);

	if (st != OK)
		return st;
	if (!body.has_max_results && how->max_results == 0)
		return fail(cx, INVALID, "Missing value for required parameter 'max_results'.");
	*out = (struct search_in){ body.filter, body.order_by, body.order_by_count,
		body.has_max_results ? body.max_results : how->max_results, body.page_token, VIEW_ACTIVE };
	how->experiment_ids = body.experiment_ids;
	how->experiment_id_count = body.experiment_id_count;
	if (how->view == NULL)
		return OK;
	return read_view(cx, how->view, str_eq(how->view, "view_type") ? body.view_type : body.run_view_type,
		&out->view);
}
