#include "auth/origin.h"

#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include "auth/auth.h"
#include "base/str.h"

bool
origin_is_loopback(const char *host)
{
	char name[64], *colon;
	uint8_t v4[4];

	if (host == NULL || !str_copy(name, sizeof(name), host))
		return false;
	if (str_starts(name, "[::1]"))
		return name[5] == '\0' || name[5] == ':';
	colon = strchr(name, ':');
	if (colon != NULL)
		*colon = '\0';
	if (str_eq_nocase(name, "localhost"))
		return true;
	return inet_pton(AF_INET, name, v4) == 1 && v4[0] == 127;
}

/* "https://cairn.example" against the Host header or the public URL. */
static bool
is_ours(const struct origin *o)
{
	const char *authority = strstr(o->origin, "://");

	if (auth_public_url() != NULL && str_eq_nocase(o->origin, auth_public_url()))
		return true;
	if (authority == NULL || o->host == NULL || !str_eq_nocase(authority + 3, o->host))
		return false;
	/* Under an https name an http page of that name is somebody on the way. */
	return !auth_is_https() || str_starts(o->origin, "https://") || origin_is_loopback(o->host);
}

static bool
is_safe(const char *method)
{
	return str_eq(method, "GET") || str_eq(method, "HEAD");
}

static enum status
refuse(struct ctx *cx)
{
	return fail(cx, DENIED, "a page of another site sent this request; only this server's own pages may");
}

enum status
origin_check(struct ctx *cx, enum origin_rule rule, const struct origin *o)
{
	if (is_safe(o->method)) {
		if (rule == ORIGIN_LOOSE && str_eq(o->fetch_site, "cross-site") &&
			!str_eq(o->fetch_mode, "navigate"))
			return refuse(cx);
		return OK;
	}
	if (o->fetch_site != NULL) {
		if (str_eq(o->fetch_site, "same-origin") || str_eq(o->fetch_site, "none"))
			return OK;
		return refuse(cx);
	}
	if (o->origin != NULL)
		return is_ours(o) ? OK : refuse(cx);
	if (rule == ORIGIN_LOOSE)
		return OK;
	return fail(cx, DENIED,
		"a change made with a session needs Sec-Fetch-Site: same-origin or a matching Origin; "
		"programs use "
		"Basic or a token");
}

enum status
origin_signin(struct ctx *cx, const char *host)
{
	if (origin_is_loopback(host) || auth_public_url() != NULL)
		return OK;
	return fail(cx, DENIED,
		"signing in by browser at \"%s\" needs --public-url: start cairnd with --public-url "
		"https://NAME, or "
		"with http://NAME if the way there is safe",
		host == NULL ? "" : host);
}
