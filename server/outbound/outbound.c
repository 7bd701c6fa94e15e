#include "outbound/outbound.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "outbound/network.h"

#define CONNECT_MS  5000L
#define DRAIN_BYTES ((size_t)1 << 20) /* of an answer; then the connection is cut, with the status known */

struct outbound {
	struct network *allow;
	size_t n;
};

struct outbound *
outbound_new(const char *const *allow, size_t n, char *error, size_t error_size)
{
	struct outbound *o;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)str_copy(error, error_size, "libcurl does not start");
		return NULL;
	}
	o = mem_alloc(sizeof(*o));
	o->allow = mem_array(n + 1, sizeof(*o->allow));
	o->n = n;
	for (size_t i = 0; i < n; i++)
		if (!network_parse(allow[i], &o->allow[i])) {
			(void)snprintf(error, error_size, "\"%.100s\" is no network: 10.0.0.0/8 would be one",
				allow[i]);
			outbound_free(o);
			return NULL;
		}
	return o;
}

void
outbound_free(struct outbound *o)
{
	if (o == NULL)
		return;
	free(o->allow);
	free(o);
	curl_global_cleanup();
}

static bool
is_listed(const struct outbound *o, const struct address *a)
{
	for (size_t i = 0; i < o->n; i++)
		if (network_covers(&o->allow[i], a))
			return true;
	return false;
}

bool
outbound_may_reach(const struct outbound *o, const struct address *a, bool https)
{
	return is_listed(o, a) || (https && address_is_public(a));
}

/* ---- one connection ---- */

struct transfer {
	const struct outbound *outbound;
	bool https;
	bool only_look;                 /* judge the addresses, connect to none */
	bool refused, allowed, listed;  /* of the addresses seen so far, any */
	struct address refused_address; /* the first one */
	const atomic_bool *stop;
	char *body;
	size_t kept, seen;
};

/* Called with the address that is connected to next. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *t = arg;
	struct address a = { 0 };

	(void)purpose;
	if (!address_of(&to->addr, &a) || !outbound_may_reach(t->outbound, &a, t->https)) {
		if (!t->refused)
			t->refused_address = a;
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	t->allowed = true;
	t->listed |= is_listed(t->outbound, &a);
	return t->only_look ? CURL_SOCKET_BAD : socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t room = OUTBOUND_BODY - t->kept, len = size * n;

	memcpy(t->body + t->kept, data, len < room ? len : room);
	t->kept += len < room ? len : room;
	t->seen += len;
	return t->seen > DRAIN_BYTES ? 0 : len;
}

static int
look_for_stop(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	const struct transfer *t = arg;

	(void)down_total, (void)down, (void)up_total, (void)up;
	return t->stop != NULL && atomic_load(t->stop);
}

static CURL *
handle_new(struct transfer *t, const char *url)
{
	CURL *c = curl_easy_init();

	if (c == NULL)
		return NULL;
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a resolver that hangs */
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_for_stop);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	return c;
}

/* ---- is it a URL? ---- */

struct parts_of_url {
	char scheme[16], host[256];
};

static bool
copy_part(CURLU *u, CURLUPart part, char *out, size_t size)
{
	char *text = NULL;
	bool good = curl_url_get(u, part, &text, 0) == CURLUE_OK && str_copy(out, size, text);

	curl_free(text);
	return good;
}

static bool
is_http(const char *scheme)
{
	return str_eq(scheme, "https") || str_eq(scheme, "http");
}

/* False: what is wrong in `why`. Only http and https need a host. */
static bool
read_url(const char *url, struct parts_of_url *out, char *why, size_t size)
{
	CURLU *u = curl_url();
	CURLUcode code = u == NULL ? CURLUE_OUT_OF_MEMORY
				   : curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	bool good = false;

	out->host[0] = '\0';
	if (code != CURLUE_OK)
		(void)str_copy(why, size, curl_url_strerror(code));
	else if (!copy_part(u, CURLUPART_SCHEME, out->scheme, sizeof(out->scheme)))
		(void)str_copy(why, size, "its scheme is too long");
	else if (is_http(out->scheme) && !copy_part(u, CURLUPART_HOST, out->host, sizeof(out->host)))
		(void)str_copy(why, size, "its host is too long");
	else
		good = true;
	curl_url_cleanup(u);
	return good;
}

static enum status
judge(struct ctx *cx, const char *what, const char *url, const struct parts_of_url *parts)
{
	struct transfer t = { .outbound = cx->parts->outbound,
		.https = str_eq(parts->scheme, "https"),
		.only_look = true,
		.body = (char[OUTBOUND_BODY]){ 0 } };
	CURL *c = handle_new(&t, url);
	char address[46];

	if (c == NULL)
		return fail(cx, UNAVAILABLE, "libcurl has no handle");
	(void)curl_easy_perform(c); /* fails: no address is connected to */
	curl_easy_cleanup(c);
	if (!t.https && !t.listed)
		return fail(cx, INVALID,
			"Invalid %s scheme: 'http'. Allowed schemes are: https. (http is for addresses that "
			"--outgoing-allow lists)",
			what);
	if (!t.refused || t.listed)
		return OK;
	address_text(&t.refused_address, address);
	return fail(cx, INVALID, "%c%s must not resolve to a non-public IP address. '%s' resolves to %s.",
		toupper((unsigned char)what[0]), what + 1, parts->host, address);
}

enum status
outbound_check(struct ctx *cx, const char *what, const char *url)
{
	struct parts_of_url parts;
	char why[100];

	if (url[strspn(url, " \t\r\n\v\f")] == '\0')
		return fail(cx, INVALID, "%c%s cannot be empty or just whitespace: '%s'",
			toupper((unsigned char)what[0]), what + 1, url);
	if (strstr(url, "://") == NULL)
		return fail(cx, INVALID,
			"Invalid %s scheme: ''. Allowed schemes are: https. '%.100s' has none", what, url);
	if (!read_url(url, &parts, why, sizeof(why)))
		return fail(cx, INVALID, "Invalid %s '%.200s': %s", what, url, why);
	if (is_http(parts.scheme) && strchr("/?#", strstr(url, "://")[3]) != NULL)
		return fail(cx, INVALID, "Invalid %s '%.200s': it has no host", what, url);
	if (!is_http(parts.scheme))
		return fail(cx, INVALID, "Invalid %s scheme: '%s'. Allowed schemes are: https.", what,
			parts.scheme);
	return judge(cx, what, url, &parts);
}

/* ---- the request ---- */

static struct curl_slist *
headers_of(const struct outbound_post *p)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; i < p->header_count && list != NULL; i++) {
		struct curl_slist *longer = curl_slist_append(list, p->headers[i]);

		if (longer == NULL)
			curl_slist_free_all(list);
		list = longer;
	}
	return list;
}

/* What came need not be text: what is not UTF-8 becomes '?'. */
static void
clean_body(char *out, const char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t n = 1;

		while (n <= 4 && at + n <= len && !utf8_valid(data + at, n))
			n++;
		if (n > 4 || at + n > len) {
			*out++ = '?';
			at++;
			continue;
		}
		memcpy(out, data + at, n);
		out += n;
		at += n;
	}
	*out = '\0';
}

static void
explain(struct transfer *t, CURLcode code, const char *detail, struct outbound_answer *out)
{
	char address[46];

	if (code == CURLE_ABORTED_BY_CALLBACK) {
		out->stopped = true;
		(void)str_copy(out->error, sizeof(out->error), "this server is stopping");
	} else if (t->refused && !t->allowed) {
		out->refused = true;
		address_text(&t->refused_address, address);
		(void)snprintf(out->error, sizeof(out->error),
			"its address %s is not public%s, and --outgoing-allow does not list it", address,
			t->https ? "" : ", or it is to be reached by plain http");
	} else {
		out->refused = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT;
		(void)str_copy(out->error, sizeof(out->error),
			detail[0] != '\0' ? detail : curl_easy_strerror(code));
	}
}

static void
perform(CURL *c, struct transfer *t, struct outbound_answer *out)
{
	char detail[CURL_ERROR_SIZE] = "";
	curl_off_t after = 0;
	long status = 0;
	CURLcode code;

	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(c);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && t->seen > DRAIN_BYTES)) {
		explain(t, code, detail, out);
		return;
	}
	out->status = (int)status;
	if (curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
		out->retry_after_s = after;
	clean_body(out->body, t->body, t->kept);
}

void
outbound_post(const struct outbound *o, const struct outbound_post *p, struct outbound_answer *out)
{
	char body[OUTBOUND_BODY];
	struct transfer t = { .outbound = o, .stop = p->stop, .body = body };
	struct curl_slist *headers = headers_of(p);
	struct parts_of_url parts;
	CURL *c = handle_new(&t, p->url);

	*out = (struct outbound_answer){ 0 };
	if (c == NULL || headers == NULL) {
		(void)str_copy(out->error, sizeof(out->error), "no memory for a request");
	} else if (!read_url(p->url, &parts, out->error, sizeof(out->error))) {
		out->refused = true;
	} else {
		t.https = str_eq(parts.scheme, "https");
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(c, CURLOPT_USERAGENT, "cairn/" CAIRN_VERSION);
		curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)p->timeout_ms);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, p->body);
		perform(c, &t, out);
	}
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
}
