#include "api/files.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"

/* By extension, never by content: and nothing that a browser would run. */
static const struct {
	const char *end, *type;
} types[] = {
	{ "/MLmodel", "text/plain" },
	{ "/MLproject", "text/plain" },
	{ ".txt", "text/plain" },
	{ ".md", "text/plain" },
	{ ".log", "text/plain" },
	{ ".py", "text/plain" },
	{ ".yaml", "text/plain" },
	{ ".yml", "text/plain" },
	{ ".csv", "text/csv" },
	{ ".json", "application/json" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".jpeg", "image/jpeg" },
	{ ".gif", "image/gif" },
	{ ".webp", "image/webp" },
	{ ".pdf", "application/pdf" },
};

static const char *
type_of(const char *path)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_ends(path, types[i].end))
			return types[i].type;
	return "application/octet-stream";
}

/* RFC 6266: a plain name for old clients, the whole one percent-encoded. */
static const char *
disposition(struct ctx *cx, const char *name)
{
	char *plain = arena_str(cx->arena, name), *encoded = arena_alloc(cx->arena, strlen(name) * 3 + 1),
	     *to = encoded;

	for (char *p = plain; *p != '\0'; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			*p = '_';
	for (const char *p = name; *p != '\0'; p++) {
		if ((*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') ||
			strchr("._-", *p) != NULL)
			*to++ = *p;
		else
			to += snprintf(to, 4, "%%%02X", (unsigned char)*p);
	}
	return arena_printf(cx->arena, "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, encoded);
}

/* One range of bytes as "bytes=a-b", "bytes=a-" or "bytes=-n"; several, or nonsense, mean the whole file. */
static enum status
read_range(struct ctx *cx, const char *text, int64_t size, int64_t *from, int64_t *length, bool *partial)
{
	long long a = -1, b = -1;
	int used = 0;

	*from = 0;
	*length = size;
	*partial = false;
	if (text == NULL || strchr(text, ',') != NULL)
		return OK;
	if (sscanf(text, "bytes=-%lld%n", &b, &used) == 1 && text[used] == '\0') {
		if (b <= 0)
			return fail(cx, BAD_RANGE, "the range \"%.60s\" is empty; the file has %lld bytes",
				text, (long long)size);
		*from = b < size ? size - b : 0;
	} else if (sscanf(text, "bytes=%lld-%lld%n", &a, &b, &used) == 2 && text[used] == '\0' && a >= 0 &&
		   b >= a) {
		*from = a;
		*length = (b < size ? b + 1 : size) - a;
	} else if (sscanf(text, "bytes=%lld-%n", &a, &used) == 1 && used > 0 && text[used] == '\0' &&
		   a >= 0) {
		*from = a;
	} else {
		return OK;
	}
	if (*from >= size)
		return fail(cx, BAD_RANGE,
			"the range \"%.60s\" begins behind the end; the file has %lld bytes", text,
			(long long)size);
	if (*length > size - *from)
		*length = size - *from;
	*partial = true;
	return OK;
}

static enum status
begin_bytes(void *rs, int64_t length)
{
	return response_stream(rs, length);
}

static enum status
send_piece(void *rs, const void *data, size_t len)
{
	return response_write(rs, data, len);
}

static void
validators(struct request *rq, struct response *rs, const struct artifact *a, const char **etag)
{
	struct ctx *cx = request_ctx(rq);
	char hex[SHA256_HEX];

	hex_encode(hex, a->sha256, SHA256_BYTES);
	*etag = arena_printf(cx->arena, "\"sha256:%s\"", hex);
	response_header(rs, "ETag", *etag);
	response_header(rs, "Accept-Ranges", "bytes");
}

enum status
files_send(struct request *rq, struct response *rs, const struct artifact *a, const struct file_answer *how)
{
	struct ctx *cx = request_ctx(rq);
	const char *etag, *range = request_header(rq, "Range"), *if_range = request_header(rq, "If-Range");
	int64_t from, length;
	bool partial;
	enum status st;

	validators(rq, rs, a, &etag);
	if (str_eq(request_header(rq, "If-None-Match"), etag)) {
		response_status(rs, 304);
		return OK;
	}
	if (if_range != NULL && !str_eq(if_range, etag))
		range = NULL;
	if ((st = read_range(cx, range, a->size_bytes, &from, &length, &partial)) != OK) {
		response_header(rs, "Content-Range",
			arena_printf(cx->arena, "bytes */%lld", (long long)a->size_bytes));
		return st;
	}
	if (partial) {
		response_status(rs, 206);
		response_header(rs, "Content-Range",
			arena_printf(cx->arena, "bytes %lld-%lld/%lld", (long long)from,
				(long long)(from + length - 1), (long long)a->size_bytes));
	}
	response_header(rs, "Cache-Control",
		how->by_digest ? "private, max-age=31536000, immutable" : "private, no-cache");
	response_header(rs, "Content-Disposition", disposition(cx, how->name));
	response_type(rs, how->by_digest ? "application/octet-stream"
					 : type_of(arena_printf(cx->arena, "/%s", how->name)));
	if (response_is_head(rs))
		return response_stream(rs, length);
	return artifact_read(cx, a, from, length, begin_bytes, send_piece, rs);
}
