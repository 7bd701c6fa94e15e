/* Opening and closing, settings from options and environment, the fork guard. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "lib/http.h"

static void
guard_init(struct fork_guard *g)
{
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	g->pid = getpid();
	if (page == MAP_FAILED)
		return;
	if (madvise(page, (size_t)sysconf(_SC_PAGESIZE), MADV_WIPEONFORK) != 0) {
		munmap(page, (size_t)sysconf(_SC_PAGESIZE));
		return;
	}
	g->page = page;
	*g->page = 1;
}

static void
guard_fini(struct fork_guard *g)
{
	if (g->page != NULL)
		munmap((void *)(uintptr_t)g->page, (size_t)sysconf(_SC_PAGESIZE));
}

bool
client_mine(const cairn_client *c)
{
	return c->guard.page != NULL ? *c->guard.page == 1 : c->guard.pid == getpid();
}

bool
client_usable(const cairn_client *c)
{
	return c != NULL && client_mine(c) && c->usable;
}

static const char *
from_env(const char *name)
{
	const char *value = getenv(name);

	return str_empty(value) ? NULL : value;
}

static char *
copy(const char *s)
{
	return s == NULL ? NULL : strdup(s);
}

static bool
printable(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static bool
is_loopback(const char *host)
{
	return str_eq_nocase(host, "localhost") || str_starts(host, "127.") || str_eq(host, "[::1]");
}

/* Parts of the address that are settings of their own: user and password move to the client. */
static int
take_parts(cairn_client *c, CURLU *url)
{
	char *scheme = NULL, *host = NULL, *part = NULL;
	bool good = false;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		good = (str_eq(scheme, "http") || str_eq(scheme, "https")) && *host != '\0';
	if (good)
		c->loopback = is_loopback(host);
	if (good && curl_url_get(url, CURLUPART_USER, &part, CURLU_URLDECODE) == CURLUE_OK) {
		c->username = copy(part);
		curl_free(part);
		part = NULL;
		if (curl_url_get(url, CURLUPART_PASSWORD, &part, CURLU_URLDECODE) == CURLUE_OK)
			c->password = copy(part);
		curl_free(part);
	}
	curl_free(scheme);
	curl_free(host);
	curl_url_set(url, CURLUPART_USER, NULL, 0);
	curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(url, CURLUPART_QUERY, NULL, 0);
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	return good ? CAIRN_OK : CAIRN_EINVAL;
}

static int
set_address(cairn_client *c, const char *address)
{
	CURLU *url = curl_url();
	char *text = NULL;
	size_t n;
	int rc = CAIRN_EINVAL;

	if (url != NULL && curl_url_set(url, CURLUPART_URL, address, 0) == CURLUE_OK)
		rc = take_parts(c, url);
	if (rc == CAIRN_OK && curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK)
		c->address = copy(text);
	curl_free(text);
	curl_url_cleanup(url);
	if (rc != CAIRN_OK || c->address == NULL)
		return fault_set(&c->last, CAIRN_EINVAL,
			"the address is not that of a server: it should read like http://127.0.0.1:5000");
	n = strlen(c->address);
	while (n > 0 && c->address[n - 1] == '/')
		c->address[--n] = '\0';
	return CAIRN_OK;
}

static int
find_address(cairn_client *c, const cairn_options *o)
{
	const char *address = o->address;

	if (address == NULL)
		address = from_env("CAIRN_TRACKING_URI");
	if (address == NULL)
		address = from_env("MLFLOW_TRACKING_URI");
	if (address == NULL)
		return fault_set(&c->last, CAIRN_EINVAL,
			"no server address: set CAIRN_TRACKING_URI, for example to http://127.0.0.1:5000");
	return set_address(c, address);
}

static int
find_user(cairn_client *c, const cairn_options *o)
{
	const char *token = o->token, *user = o->username, *password = o->password;

	if (token == NULL && user == NULL && c->username != NULL)
		return CAIRN_OK; /* stood in the address */
	if (token == NULL && user == NULL)
		token = from_env("CAIRN_TOKEN");
	if (token == NULL && user == NULL && (user = from_env("MLFLOW_TRACKING_USERNAME")) != NULL)
		password = from_env("MLFLOW_TRACKING_PASSWORD");
	if (token == NULL && user == NULL)
		token = from_env("MLFLOW_TRACKING_TOKEN");
	if (!printable(token) || !printable(user) || !printable(password))
		return fault_set(
			&c->last, CAIRN_EINVAL, "user name, password and token hold no control characters");
	if (user != NULL && strchr(user, ':') != NULL)
		return fault_set(&c->last, CAIRN_EINVAL, "a user name holds no colon");
	free(c->username);
	free(c->password);
	c->token = copy(token);
	c->username = token != NULL ? NULL : copy(user);
	c->password = token != NULL || user == NULL ? NULL : copy(password != NULL ? password : "");
	return CAIRN_OK;
}

static int64_t
or_default(int64_t given, int64_t standard)
{
	return given == 0 ? standard : given;
}

static int
set_options(cairn_client *c, const cairn_options *o)
{
	c->connect_timeout_ms = or_default(o->connect_timeout_ms, 5000);
	c->request_timeout_ms = or_default(o->request_timeout_ms, 30000);
	c->retry_ms = or_default(o->retry_ms, 30000);
	c->end_timeout_ms = or_default(o->end_timeout_ms, 60000);
	c->queue_points = o->queue_points == 0 ? 65536 : o->queue_points;
	c->drop = o->drop;
	c->notice = o->notice;
	c->notice_arg = o->notice_arg;
	c->cancel = o->cancel;
	c->ca_file = copy(o->ca_file);
	if (c->connect_timeout_ms < 0 || c->request_timeout_ms < 0 || c->end_timeout_ms < 0)
		return fault_set(&c->last, CAIRN_EINVAL, "times are not negative");
	if (!http_setup())
		return fault_set(&c->last, CAIRN_EINTERNAL, "libcurl or libsodium does not start");
	return find_address(c, o);
}

int
cairn_open(const cairn_options *options, cairn_client **out)
{
	static const cairn_options none;
	const cairn_options *o = options == NULL ? &none : options;
	cairn_client *c;

	if (out == NULL)
		return CAIRN_EINVAL;
	*out = c = calloc(1, sizeof(*c));
	if (c == NULL)
		return CAIRN_EINTERNAL;
	pthread_mutex_init(&c->lock, NULL);
	guard_init(&c->guard);
	if (set_options(c, o) != CAIRN_OK || find_user(c, o) != CAIRN_OK)
		return c->last.code;
	c->usable = true;
	return CAIRN_OK;
}

void
cairn_close(cairn_client *c)
{
	if (c == NULL || !client_mine(c))
		return;
	for (size_t i = 0; i < c->idle_count; i++)
		http_forget(c->idle[i]);
	guard_fini(&c->guard);
	pthread_mutex_destroy(&c->lock);
	free(c->address);
	free(c->username);
	free(c->password);
	free(c->token);
	free(c->ca_file);
	free(c);
}

int
cairn_client_error(cairn_client *c, char *message, size_t size)
{
	int code;

	if (message != NULL && size > 0)
		message[0] = '\0';
	if (c == NULL || !client_mine(c))
		return CAIRN_EINVAL;
	pthread_mutex_lock(&c->lock);
	code = c->last.code;
	if (message != NULL && size > 0)
		snprintf(message, size, "%s", c->last.message);
	pthread_mutex_unlock(&c->lock);
	return code;
}

const char *
cairn_client_address(const cairn_client *c)
{
	return c != NULL && c->address != NULL ? c->address : "";
}
