/* One blocking call: write JSON, send, parse, say what was wrong. */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "lib/http.h"

#define BODY_LIMIT (8 * 1024 * 1024)

void
call_init(struct call *k, cairn_client *c)
{
	*k = (struct call){ .client = c, .arena = arena_new() };
	ctx_init(&k->cx, k->arena, NULL);
	buf_init(&k->body, BODY_LIMIT);
	k->deadline_mono_ms = clock_mono_ms() + (c->retry_ms > 0 ? c->retry_ms : 0);
}

int
call_end(struct call *k, int code, cairn_run *run)
{
	if (code != CAIRN_OK && run != NULL) {
		run_set_error(run, &k->fault);
	} else if (code != CAIRN_OK) {
		pthread_mutex_lock(&k->client->lock);
		k->client->last = k->fault;
		pthread_mutex_unlock(&k->client->lock);
	}
	buf_fini(&k->body);
	arena_free(k->arena);
	return code;
}

struct jsonw *
call_body(struct call *k)
{
	buf_clear(&k->body);
	jw_init(&k->w, &k->body);
	jw_object(&k->w);
	return &k->w;
}

static int
parse(struct call *k, const char *path, const struct http_answer *a, const struct json **out)
{
	const struct json *doc;

	if (a->body.overflow)
		return fault_set(
			&k->fault, CAIRN_EINTERNAL, "the answer to %s is longer than any it may give", path);
	if (a->body.len == 0 || json_parse(&k->cx, a->body.data, a->body.len, &doc) != OK ||
		json_kind(doc) != JSON_KIND_OBJECT)
		return fault_set(&k->fault, CAIRN_EINTERNAL,
			"the answer of %s to %s is not JSON: is it the address of a Cairn server?",
			k->client->address, path);
	*out = doc;
	return CAIRN_OK;
}

int
call_json(struct call *k, const char *method, const char *path, const struct json **out,
	const char **error_code)
{
	struct http_request rq = { .method = method, .path = path, .file_size = -1 };
	struct http_answer a;
	int rc;

	if (k->body.overflow)
		return fault_set(&k->fault, CAIRN_EINVAL, "the request is over %d bytes", BODY_LIMIT);
	if (k->body.len > 0) {
		rq.body = k->body.data;
		rq.body_len = k->body.len;
	}
	http_answer_init(&a, 0);
	rc = http_call(k, &rq, &a);
	if (rc != CAIRN_OK && error_code != NULL)
		*error_code = a.status == 0 ? "" : http_error_code(&k->cx, &a);
	if (rc == CAIRN_OK && out != NULL)
		rc = parse(k, path, &a, out);
	http_answer_fini(&a);
	buf_clear(&k->body);
	return rc;
}

static int
missing(struct call *k, const char *name)
{
	return fault_set(&k->fault, CAIRN_EINTERNAL, "the answer of %s lacks \"%s\": is it a Cairn server?",
		k->client->address, name);
}

int
reply_text(struct call *k, const struct json *object, const char *name, const char **out)
{
	const struct json *v = json_member(object, name);

	if (v == NULL || json_kind(v) != JSON_KIND_STRING)
		return missing(k, name);
	*out = json_text(v);
	return CAIRN_OK;
}

int
reply_int(struct call *k, const struct json *object, const char *name, int64_t *out)
{
	const struct json *v = json_member(object, name);

	if (v != NULL && json_kind(v) == JSON_KIND_STRING && str_int64(json_text(v), out))
		return CAIRN_OK;
	if (v == NULL || json_kind(v) != JSON_KIND_INT)
		return missing(k, name);
	*out = json_int64(v);
	return CAIRN_OK;
}

int
reply_object(struct call *k, const struct json *object, const char *name, const struct json **out)
{
	const struct json *v = json_member(object, name);

	if (v == NULL || json_kind(v) != JSON_KIND_OBJECT)
		return missing(k, name);
	*out = v;
	return CAIRN_OK;
}

const char *
text_or_empty(const struct json *object, const char *name)
{
	const struct json *v = object == NULL ? NULL : json_member(object, name);

	return v != NULL && json_kind(v) == JSON_KIND_STRING ? json_text(v) : "";
}

static char *
encode(struct call *k, const char *text, bool keep_slashes)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = strlen(text);
	char *out = arena_alloc(k->arena, n * 3 + 1), *p = out;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr("-._~", c) != NULL) || (c == '/' && keep_slashes)) {
			*p++ = (char)c;
		} else {
			*p++ = '%';
			*p++ = digits[c >> 4];
			*p++ = digits[c & 15];
		}
	}
	*p = '\0';
	return out;
}

char *
url_path(struct call *k, const char *text)
{
	return encode(k, text, true);
}

char *
url_part(struct call *k, const char *text)
{
	return encode(k, text, false);
}
