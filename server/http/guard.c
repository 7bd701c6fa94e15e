#include <arpa/inet.h>
#include <string.h>
#include "base/str.h"
#include "http/guard.h"

enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONTENT_TYPE, AUTHORIZATION, ORIGIN, SINGLE_COUNT };

/* Headers of which a second one would be read differently by different readers. */
static const char *const single_names[SINGLE_COUNT] = { "Host", "Content-Length", "Transfer-Encoding",
	"Content-Type", "Authorization", "Origin" };

static bool
is_token(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		bool letter =
			(*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');

		if (!letter && strchr("!#$%&'*+-.^_`|~", *s) == NULL)
			return false;
	}
	return true;
}

static bool
has_control(const char *s, bool tab_too)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c < 0x20 && (tab_too || c != '\t')) || c == 0x7f)
			return true;
	}
	return false;
}

static bool
is_port(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n <= 5 && s[n] == '\0';
}

/* The name of host[:port] without brackets and port. False when it is neither a name nor an address. */
static bool
host_name(const char *host, char *out, size_t size)
{
	const char *end = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	size_t len;

	if (end == NULL)
		return false;
	if (*host == '[') {
		host++;
		len = (size_t)(end - host);
		end++;
	} else {
		len = (size_t)(end - host);
	}
	if (len == 0 || len >= size || (*end != '\0' && (*end != ':' || !is_port(end + 1))))
		return false;
	memcpy(out, host, len);
	out[len] = '\0';
	return true;
}

static bool
is_loopback(const char *name)
{
	struct in6_addr six;
	struct in_addr four;

	if (str_eq_nocase(name, "localhost"))
		return true;
	if (inet_pton(AF_INET, name, &four) == 1)
		return (ntohl(four.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, name, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool
guard_host_allowed(const char *host, const char *const *allow_hosts)
{
	char name[256];

	if (!host_name(host, name, sizeof name))
		return false;
	if (is_loopback(name))
		return true;
	for (; allow_hosts != NULL && *allow_hosts != NULL; allow_hosts++)
		if (str_eq_nocase(name, *allow_hosts))
			return true;
	return false;
}

bool
guard_is_json(const char *content_type)
{
	static const char json[] = "application/json";
	char head[sizeof json];
	const char *rest;

	if (content_type == NULL || strlen(content_type) < sizeof json - 1)
		return false;
	memcpy(head, content_type, sizeof json - 1);
	head[sizeof json - 1] = '\0';
	rest = content_type + sizeof json - 1;
	rest += strspn(rest, " \t");
	return str_eq_nocase(head, json) && (*rest == '\0' || *rest == ';');
}

static enum status
check_header(struct ctx *cx, const struct pair *header, const char *single[])
{
	if (!is_token(header->name))
		return fail(cx, BAD_REQUEST,
			"a header name is malformed: it must be a token followed at once by ':'");
	if (has_control(header->value, false))
		return fail(cx, BAD_REQUEST, "header %s holds a control character", header->name);
	for (size_t i = 0; i < SINGLE_COUNT; i++) {
		if (!str_eq_nocase(header->name, single_names[i]))
			continue;
		if (single[i] != NULL)
			return fail(cx, BAD_REQUEST, "header %s was sent twice, it may stand once",
				single_names[i]);
		single[i] = header->value;
	}
	return OK;
}

static enum status
check_host(struct ctx *cx, const char *host, const char *const *allow_hosts)
{
	if (host == NULL)
		return fail(cx, BAD_REQUEST, "header Host is missing");
	if (guard_host_allowed(host, allow_hosts))
		return OK;
	return fail(cx, DENIED, "host \"%.100s\" is not served here; the server allows it with --allow-host",
		host);
}

static enum status
check_length(struct ctx *cx, const char *text, int64_t *out)
{
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
		return fail(cx, BAD_REQUEST, "header Content-Length must be a decimal number");
	text += strspn(text, "0");
	if (strlen(text) > 18)
		return fail(cx, TOO_LARGE, "a body of %.20s bytes is larger than anything taken here", text);
	*out = 0;
	for (; *text != '\0'; text++)
		*out = *out * 10 + (*text - '0');
	return OK;
}

static enum status
check_framing(struct ctx *cx, const char *version, const char *length, const char *encoding, int64_t *out)
{
	*out = 0;
	if (encoding == NULL)
		return length == NULL ? OK : check_length(cx, length, out);
	if (length != NULL)
		return fail(cx, BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other");
	if (!str_eq(version, "HTTP/1.1"))
		return fail(cx, BAD_REQUEST, "Transfer-Encoding needs HTTP/1.1");
	if (!str_eq_nocase(encoding, "chunked"))
		return fail(cx, BAD_REQUEST, "Transfer-Encoding must be chunked");
	*out = -1;
	return OK;
}

enum status
guard_check(struct ctx *cx, const struct guard_input *in, struct guard_body *out)
{
	const char *single[SINGLE_COUNT] = { NULL };
	enum status st;

	out->length = 0;
	if (in->target[0] != '/' || has_control(in->target, true))
		return fail(cx, BAD_REQUEST, "the request's target must be a path that starts with '/'");
	for (size_t i = 0; i < in->header_count; i++)
		if ((st = check_header(cx, &in->headers[i], single)) != OK)
			return st;
	if ((st = check_host(cx, single[HOST], in->allow_hosts)) != OK)
		return st;
	return check_framing(
		cx, in->version, single[CONTENT_LENGTH], single[TRANSFER_ENCODING], &out->length);
}
