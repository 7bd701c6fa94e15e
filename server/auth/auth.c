#include "auth/auth.h"

#include <stdlib.h>
#include <string.h>
#include "auth/cache.h"
#include "auth/limit.h"
#include "auth/password.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static struct {
	bool on;
	char *public_url;
} settings;

static enum status
check_url(struct ctx *cx, const char *url)
{
	const char *host;

	if (!str_starts(url, "https://") && !str_starts(url, "http://"))
		return fail(cx, INVALID,
			"public-url \"%s\" is no URL; it would be like https://cairn.example", url);
	host = strstr(url, "://") + 3;
	if (*host == '\0' || strpbrk(host, "/?#@ \t") != NULL)
		return fail(cx, INVALID,
			"public-url \"%s\" must be scheme and host only, like https://cairn.example", url);
	return OK;
}

enum status
auth_setup(struct ctx *cx, const struct auth_options *options)
{
	char *url = mem_str(options->public_url);
	enum status st;

	if (url != NULL && str_ends(url, "/"))
		url[strlen(url) - 1] = '\0';
	if (url != NULL && (st = check_url(cx, url)) != OK) {
		free(url);
		return st;
	}
	free(settings.public_url);
	settings.on = options->on;
	settings.public_url = url;
	if (options->on && url != NULL && !auth_is_https())
		log_warn("auth",
			"message=\"public-url is http: passwords and cookies can be read on the way\"");
	auth_cache_setup();
	auth_limit_setup();
	return password_setup(cx, NULL);
}

void
auth_fini(void)
{
	auth_cache_fini();
	free(settings.public_url);
	settings.public_url = NULL;
}

bool
auth_on(void)
{
	return settings.on;
}

const char *
auth_public_url(void)
{
	return settings.public_url;
}

bool
auth_is_https(void)
{
	return settings.public_url != NULL && str_starts(settings.public_url, "https://");
}
