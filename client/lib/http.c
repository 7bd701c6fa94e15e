#include "lib/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"

#define MIB            (1024 * 1024)
#define FIRST_PAUSE_MS 200
#define LAST_PAUSE_MS  10000
#define SLOW_SECONDS   60 /* a transfer that moves nothing for so long is given up */

/* One try while libcurl calls back. */
struct trip {
	cairn_client *client;
	const struct http_request *rq;
	struct http_answer *answer;
	CURL *easy;
	struct curl_slist *headers;
	int64_t left; /* of the file */
	bool begun;   /* the sink was told */
	bool local;   /* a callback failed and said why */
	char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void
start(void)
{
	started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && hash_setup();
}

bool
http_setup(void)
{
	pthread_once(&once, start);
	return started;
}

void
http_forget(void *easy)
{
	curl_easy_cleanup(easy);
}

/* ---- idle connections ---- */

static CURL *
easy_acquire(cairn_client *c)
{
	CURL *easy = NULL;

	pthread_mutex_lock(&c->lock);
	if (c->idle_count > 0)
		easy = c->idle[--c->idle_count];
	pthread_mutex_unlock(&c->lock);
	return easy != NULL ? easy : curl_easy_init();
}

static void
easy_release(cairn_client *c, CURL *easy)
{
	curl_easy_reset(easy);
	pthread_mutex_lock(&c->lock);
	if (c->idle_count < IDLE_CONNECTIONS) {
		c->idle[c->idle_count++] = easy;
		easy = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	curl_easy_cleanup(easy);
}

/* ---- what libcurl calls ---- */

static bool
to_sink(struct trip *t, const char *data, size_t len)
{
	const struct http_sink *sink = t->rq->sink;

	if (!t->begun) {
		long status = 0;

		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		t->begun = true;
		if (!sink->begin(sink->arg, status))
			return false;
	}
	t->answer->moved_bytes += (int64_t)len;
	return sink->data(sink->arg, data, len);
}

static size_t
on_data(char *data, size_t one, size_t n, void *arg)
{
	struct trip *t = arg;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (t->rq->sink != NULL && status >= 200 && status < 300) {
		t->local = !to_sink(t, data, one * n);
		return t->local ? 0 : one * n;
	}
	buf_add(&t->answer->body, data, one * n);
	return one * n;
}

static size_t
on_read(char *out, size_t one, size_t n, void *arg)
{
	struct trip *t = arg;
	size_t want = one * n;
	ssize_t got;

	if ((int64_t)want > t->left)
		want = (size_t)t->left;
	if (want == 0)
		return 0;
	do
		got = read(t->rq->file, out, want);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		t->local = true;
		fault_set(t->rq->fault, CAIRN_EIO, "the file %s while it was uploaded",
			got < 0 ? "could not be read" : "became shorter");
		return CURL_READFUNC_ABORT;
	}
	t->left -= got;
	t->answer->moved_bytes += got;
	return (size_t)got;
}

/* libcurl rewinds when it has to send a body again, on a connection that turned out to be closed. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct trip *t = arg;

	if (origin != SEEK_SET || lseek(t->rq->file, (off_t)offset, SEEK_SET) < 0)
		return CURL_SEEKFUNC_FAIL;
	t->left = t->rq->file_size - offset;
	return CURL_SEEKFUNC_OK;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct trip *t = arg;

	(void)a, (void)b, (void)c, (void)d;
	if (t->client->cancel != NULL && *t->client->cancel != 0)
		return 1;
	return t->rq->stop != NULL && atomic_load(t->rq->stop);
}

/* ---- one try ---- */

static void
add_header(struct trip *t, const char *line)
{
	struct curl_slist *more = curl_slist_append(t->headers, line);

	if (more != NULL)
		t->headers = more;
}

static void
add_type(struct trip *t, const char *type)
{
	char line[128];

	snprintf(line, sizeof(line), "Content-Type: %s", type);
	add_header(t, line);
}

static void
set_user(struct trip *t)
{
	cairn_client *c = t->client;

	if (c->token != NULL) {
		curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(t->easy, CURLOPT_XOAUTH2_BEARER, c->token);
	} else if (c->username != NULL) {
		curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(t->easy, CURLOPT_USERNAME, c->username);
		curl_easy_setopt(t->easy, CURLOPT_PASSWORD, c->password == NULL ? "" : c->password);
	}
}

static void
set_times(struct trip *t)
{
	bool transfer = t->rq->sink != NULL || t->rq->file_size >= 0;
	int64_t total = transfer ? 0 : t->client->request_timeout_ms;

	if (t->rq->deadline_mono_ms > 0) {
		int64_t left = t->rq->deadline_mono_ms - clock_mono_ms();

		left = left < 1 ? 1 : left;
		total = total == 0 || left < total ? left : total;
	}
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)t->client->connect_timeout_ms);
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, transfer ? 0L : (long)total);
	curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
}

static void
set_common(struct trip *t)
{
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "libcairn/" CAIRN_VERSION);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(t->easy, CURLOPT_XFERINFODATA, t);
	if (t->client->loopback)
		curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "*");
	if (t->client->ca_file != NULL)
		curl_easy_setopt(t->easy, CURLOPT_CAINFO, t->client->ca_file);
}

static void
set_body(struct trip *t)
{
	const struct http_request *rq = t->rq;

	curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, rq->method);
	if (rq->file_size >= 0) {
		curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->file_size);
		curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
		curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
		add_header(t, "Content-Type: application/octet-stream");
	} else if (rq->body != NULL) {
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, rq->body);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
		add_type(t, rq->type != NULL ? rq->type : "application/json");
		add_header(t, "Expect:");
	}
}

static void
set_range(struct trip *t)
{
	char line[256];

	if (t->rq->offset == NULL || *t->rq->offset <= 0)
		return;
	snprintf(line, sizeof(line), "Range: bytes=%lld-", (long long)*t->rq->offset);
	add_header(t, line);
	if (t->rq->etag != NULL) {
		snprintf(line, sizeof(line), "If-Range: \"%s\"", t->rq->etag);
		add_header(t, line);
	}
}

/*
 * TLS libraries write without MSG_NOSIGNAL: a peer that has gone would raise SIGPIPE in the caller's process. Blocked for
 * this thread meanwhile; one that we caused is taken away again.
 */
static CURLcode
perform_quietly(CURL *easy)
{
	const struct timespec now = { 0, 0 };
	sigset_t pipe_only, before, waiting;
	bool pending_before;
	CURLcode code;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&waiting);
	pending_before = sigismember(&waiting, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	code = curl_easy_perform(easy);
	sigpending(&waiting);
	if (!pending_before && sigismember(&waiting, SIGPIPE) == 1)
		sigtimedwait(&pipe_only, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

static bool
worth_again(long status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

static bool
is_hopeless(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
}

static enum http_outcome
no_answer(struct trip *t, CURLcode code)
{
	const char *why = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);

	t->answer->status = 0; /* half an answer is none */
	if (t->local)
		return HTTP_LOCAL;
	if (code == CURLE_ABORTED_BY_CALLBACK) {
		fault_set(t->rq->fault, CAIRN_EINTERRUPTED, "interrupted while talking to %s",
			t->client->address);
		return HTTP_LOCAL;
	}
	fault_set(t->rq->fault, CAIRN_ENETWORK, "%s was not reached: %s", t->client->address, why);
	return is_hopeless(code) ? HTTP_REFUSED : HTTP_AGAIN;
}

static int
code_of(long status, const char *error_code)
{
	if (str_eq(error_code, "RESOURCE_ALREADY_EXISTS"))
		return CAIRN_ECONFLICT;
	switch (status) {
	case 401:
	case 403:
		return CAIRN_EDENIED;
	case 404:
	case 410:
		return CAIRN_ENOTFOUND;
	case 409:
	case 412:
		return CAIRN_ECONFLICT;
	case 400:
	case 413:
	case 415:
	case 422:
		return CAIRN_EINVAL;
	default:
		return worth_again(status) || status >= 500 ? CAIRN_ENETWORK : CAIRN_EINTERNAL;
	}
}

static const char *
error_member(struct ctx *cx, const struct http_answer *a, const char *name)
{
	const struct json *doc, *member;

	if (a->body.len == 0 || a->body.overflow || json_parse(cx, a->body.data, a->body.len, &doc) != OK)
		return "";
	if (json_kind(doc) != JSON_KIND_OBJECT || (member = json_member(doc, name)) == NULL)
		return "";
	return json_kind(member) == JSON_KIND_STRING ? json_text(member) : "";
}

const char *
http_error_code(struct ctx *cx, const struct http_answer *a)
{
	return error_member(cx, a, "error_code");
}

/* The server's own sentence when it sent one; it names what was wrong. */
static void
explain(struct trip *t)
{
	struct arena *arena = arena_new();
	struct ctx cx;
	const char *message, *error_code;
	long status = t->answer->status;

	ctx_init(&cx, arena, NULL);
	message = error_member(&cx, t->answer, "message");
	error_code = error_member(&cx, t->answer, "error_code");
	if (status == 401 && t->client->token == NULL && t->client->username == NULL)
		fault_set(t->rq->fault, CAIRN_EDENIED,
			"%s wants to know who you are: set CAIRN_TOKEN, or MLFLOW_TRACKING_USERNAME and "
			"MLFLOW_TRACKING_PASSWORD",
			t->client->address);
	else if (*message != '\0')
		fault_set(t->rq->fault, code_of(status, error_code), "%s", message);
	else if (status == 401)
		fault_set(t->rq->fault, CAIRN_EDENIED,
			"%s does not accept the user name and password, or the token", t->client->address);
	else
		fault_set(t->rq->fault, code_of(status, ""),
			"%s answered %s %s with %ld: is it the address of a Cairn server?",
			t->client->address, t->rq->method, t->rq->path, status);
	arena_free(arena);
}

static enum http_outcome
judge(struct trip *t)
{
	curl_off_t seconds = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->answer->status);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds);
	t->answer->retry_after_ms = seconds > 0 && seconds < 3600 ? (int64_t)seconds * 1000 : 0;
	if (t->answer->status >= 200 && t->answer->status < 300)
		return HTTP_OK;
	explain(t);
	return worth_again(t->answer->status) ? HTTP_AGAIN : HTTP_REFUSED;
}

static enum http_outcome
travel(struct trip *t)
{
	enum http_outcome outcome;
	CURLcode code;

	set_common(t);
	set_user(t);
	set_times(t);
	set_body(t);
	set_range(t);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	code = perform_quietly(t->easy);
	outcome = code != CURLE_OK ? no_answer(t, code) : judge(t);
	curl_slist_free_all(t->headers);
	return outcome;
}

enum http_outcome
http_try(cairn_client *c, const struct http_request *rq, struct http_answer *a)
{
	struct trip t = { .client = c, .rq = rq, .answer = a, .left = rq->file_size };
	enum http_outcome outcome;
	struct buf url;

	a->status = 0;
	a->retry_after_ms = 0;
	a->moved_bytes = 0;
	buf_clear(&a->body);
	if (rq->file_size >= 0 && lseek(rq->file, 0, SEEK_SET) < 0) {
		fault_set(rq->fault, CAIRN_EIO, "the file cannot be read from its beginning: %s",
			strerror(errno));
		return HTTP_LOCAL;
	}
	t.easy = easy_acquire(c);
	if (t.easy == NULL) {
		fault_set(rq->fault, CAIRN_EINTERNAL, "libcurl gives no handle: out of memory");
		return HTTP_LOCAL;
	}
	buf_init(&url, MIB);
	buf_str(&url, c->address);
	buf_str(&url, rq->path);
	curl_easy_setopt(t.easy, CURLOPT_URL, url.data);
	outcome = travel(&t);
	buf_fini(&url);
	easy_release(c, t.easy);
	return outcome;
}

/* ---- again ---- */

void
http_answer_init(struct http_answer *a, size_t limit)
{
	*a = (struct http_answer){ 0 };
	buf_init(&a->body, limit == 0 ? MIB : limit);
}

void
http_answer_fini(struct http_answer *a)
{
	buf_fini(&a->body);
}

int64_t
http_pause_ms(unsigned n, int64_t retry_after_ms)
{
	int64_t most = n > 6 ? LAST_PAUSE_MS : (int64_t)FIRST_PAUSE_MS << n;

	if (most > LAST_PAUSE_MS)
		most = LAST_PAUSE_MS;
	most = most / 2 + (int64_t)(random_u64() % (uint64_t)(most / 2 + 1));
	return retry_after_ms > most ? retry_after_ms : most;
}

/* In short naps, so that a cancelled caller does not wait long. False: cancelled. */
static bool
nap(const cairn_client *c, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until) {
		const struct timespec tick = { 0, 50 * 1000000L };

		if (c->cancel != NULL && *c->cancel != 0)
			return false;
		nanosleep(&tick, NULL);
	}
	return true;
}

int
http_call(struct call *k, struct http_request *rq, struct http_answer *a)
{
	enum http_outcome outcome;

	rq->fault = &k->fault;
	if (k->client->retry_ms >= 0)
		rq->deadline_mono_ms = k->deadline_mono_ms;
	for (unsigned n = 0;; n++) {
		int64_t pause;

		outcome = http_try(k->client, rq, a);
		if (outcome != HTTP_AGAIN)
			break;
		if (a->moved_bytes > 0) {
			n = 0;
			k->deadline_mono_ms = clock_mono_ms() + k->client->retry_ms;
		}
		pause = http_pause_ms(n, a->retry_after_ms);
		if (clock_mono_ms() + pause >= k->deadline_mono_ms)
			break;
		if (!nap(k->client, pause))
			return fault_set(&k->fault, CAIRN_EINTERRUPTED, "interrupted while waiting for %s",
				k->client->address);
	}
	return outcome == HTTP_OK ? CAIRN_OK : k->fault.code;
}
