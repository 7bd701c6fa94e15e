#include "auth/caller.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "auth/auth.h"
#include "auth/cache.h"
#include "auth/limit.h"
#include "auth/password.h"
#include "auth/permission.h"
#include "auth/session.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "store/accounts.h"

#define BASIC_BYTES 4096 /* a longer name and password is nobody's */

static enum status
wrong(struct ctx *cx)
{
	return fail(cx, UNAUTHENTICATED, "the user name, password or token is wrong");
}

static enum status
too_many(struct ctx *cx, int64_t wait_ms, int64_t *retry_after_s)
{
	*retry_after_s = (wait_ms + 999) / 1000;
	return fail(cx, TOO_MANY, "too many wrong passwords; try again in %lld s", (long long)*retry_after_s);
}

/* ---- a password ---- */

static enum status
read_user(struct ctx *cx, const char *name, struct user_secret *out, bool *found)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = store_user_find(tx, name, out, found)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

/* user_id 0 for a name that nobody has: the same statement, so that it takes as long. */
static enum status
note_failure(struct ctx *cx, const struct caller_password *in, int64_t user_id)
{
	int64_t now = clock_unix_ms();
	struct tx *tx = NULL;
	enum status st;

	auth_limit_address_failed(in->address, clock_mono_ms());
	if (user_id == 0)
		auth_limit_name_failed(in->name, now);
	log_warn("sign-in refused", "address=%s user_id=%lld request=%s", in->address, (long long)user_id,
		cx->request_id);
	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = store_user_failed(tx, user_id, now, AUTH_LIMIT_FORGET_MS)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st != OK ? st : wrong(cx);
}

/* The right password: forgets wrong ones, and makes a hash of today's cost from one of yesterday's. */
static enum status
note_success(struct ctx *cx, const char *password, const struct user_secret *u, bool weak)
{
	char phc[PASSWORD_PHC];
	struct tx *tx = NULL;
	enum status st;

	if (!weak && u->failed_count == 0)
		return OK;
	if (weak && (st = password_hash(cx, password, phc)) != OK)
		return st;
	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if (weak && (st = store_user_rehash(tx, u->user.user_id, u->password, phc)) != OK)
		goto out;
	if (u->failed_count != 0 && (st = store_user_clear_failed(tx, u->user.user_id)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

static enum status
inside_gate(struct ctx *cx, const struct caller_password *in, struct actor *out, int64_t *retry_after_s)
{
	bool found = false, right, weak;
	struct user_secret u = { 0 };
	enum status st;
	int64_t wait;

	if ((st = read_user(cx, in->name, &u, &found)) != OK)
		return st;
	wait = found ? auth_limit_pause_ms(u.failed_count, u.failed_unix_ms, clock_unix_ms())
		     : auth_limit_name_ms(in->name, clock_unix_ms());
	if (wait > 0)
		return too_many(cx, wait, retry_after_s);
	if ((st = password_verify(cx, u.user.disabled ? NULL : u.password, in->password, &right, &weak)) !=
		OK)
		return st;
	if (!right)
		return note_failure(cx, in, u.user.user_id);
	if ((st = note_success(cx, in->password, &u, weak)) != OK)
		return st;
	*out = (struct actor){ u.user.user_id, 0, u.user.name, u.user.is_admin };
	return OK;
}

enum status
caller_password(struct ctx *cx, const struct caller_password *in, struct actor *out, int64_t *retry_after_s)
{
	int64_t wait = auth_limit_address_ms(in->address, clock_mono_ms());
	enum status st;

	if (wait > 0)
		return too_many(cx, wait, retry_after_s);
	if ((st = password_enter(cx)) != OK)
		return st;
	st = inside_gate(cx, in, out, retry_after_s);
	password_leave();
	return st;
}

/* ---- many requests with one password at once: one of them hashes, the others wait for what comes of it ---- */

#define FLIGHTS 64

struct flight {
	uint8_t key[AUTH_CACHE_KEY];
	int users; /* 0: free */
	bool landed;
	enum status status;
	int64_t retry_after_s;
};

static struct flight flights[FLIGHTS];
static pthread_mutex_t flight_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t flight_landed = PTHREAD_COND_INITIALIZER;

/* NULL: all are taken, go alone. *first: it is the caller who flies. */
static struct flight *
flight_join(const uint8_t key[AUTH_CACHE_KEY], bool *first)
{
	struct flight *open = NULL;

	*first = true;
	pthread_mutex_lock(&flight_lock);
	for (size_t i = 0; i < FLIGHTS; i++) {
		struct flight *f = &flights[i];
		if (f->users > 0 && !f->landed && same_bytes(f->key, key, AUTH_CACHE_KEY)) {
			*first = false;
			open = f;
			break;
		}
		if (f->users == 0 && open == NULL)
			open = f;
	}
	if (open != NULL && *first) {
		memcpy(open->key, key, AUTH_CACHE_KEY);
		open->landed = false;
	}
	if (open != NULL)
		open->users++;
	pthread_mutex_unlock(&flight_lock);
	return open;
}

static void
flight_land(struct flight *f, enum status st, int64_t retry_after_s)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&flight_lock);
	f->status = st;
	f->retry_after_s = retry_after_s;
	f->landed = true;
	f->users--;
	pthread_cond_broadcast(&flight_landed);
	pthread_mutex_unlock(&flight_lock);
}

/* The hasher's own waits are bounded (the gate, the pool, the statement timeout), so this one is. */
static enum status
flight_wait(struct flight *f, int64_t *retry_after_s)
{
	enum status st;

	pthread_mutex_lock(&flight_lock);
	while (!f->landed)
		pthread_cond_wait(&flight_landed, &flight_lock);
	st = f->status;
	*retry_after_s = f->retry_after_s;
	f->users--;
	pthread_mutex_unlock(&flight_lock);
	return st;
}

static enum status
say_again(struct ctx *cx, enum status st, int64_t retry_after_s)
{
	if (st == UNAUTHENTICATED)
		return wrong(cx);
	if (st == TOO_MANY)
		return too_many(cx, retry_after_s * 1000, &retry_after_s);
	return fail(cx, st, "the password could not be checked; try again in a moment");
}

static enum status
fly(struct ctx *cx, const struct caller_password *in, const uint8_t key[AUTH_CACHE_KEY], struct flight *f,
	int64_t *retry_after_s)
{
	uint64_t generation = auth_cache_generation();
	enum status st = OK;

	/* Whoever flew before may have landed between our look and our boarding. */
	if (!auth_cache_get(key, cx->arena, &cx->actor)) {
		st = caller_password(cx, in, &cx->actor, retry_after_s);
		if (st == OK)
			auth_cache_put(key, &cx->actor, 0, generation);
	}
	flight_land(f, st, *retry_after_s);
	return st;
}

static enum status
password_once(struct ctx *cx, const struct caller_password *in, const uint8_t key[AUTH_CACHE_KEY],
	int64_t *retry_after_s)
{
	uint64_t generation;
	bool first;
	struct flight *f = flight_join(key, &first);
	enum status st;

	if (first)
		return fly(cx, in, key, f, retry_after_s);
	st = flight_wait(f, retry_after_s);
	if (st != OK)
		return say_again(cx, st, *retry_after_s);
	if (auth_cache_get(key, cx->arena, &cx->actor))
		return OK;
	/* Forgotten as soon as it was verified: an account changed. Look for ourselves. */
	generation = auth_cache_generation();
	st = caller_password(cx, in, &cx->actor, retry_after_s);
	if (st == OK)
		auth_cache_put(key, &cx->actor, 0, generation);
	return st;
}

/* ---- the three ways in ---- */

/* Python's clients send Latin-1 when they can: what is no UTF-8 is read as that. */
static const char *
as_utf8(struct ctx *cx, const char *text, size_t len)
{
	char *out, *end;

	if (utf8_valid(text, len))
		return arena_strn(cx->arena, text, len);
	out = end = arena_alloc(cx->arena, len * 2 + 1);
	for (size_t i = 0; i < len; i++)
		end += utf8_put(end, (unsigned char)text[i]);
	return out;
}

/* "name:password" from its base64. False when malformed. */
static bool
read_basic(struct ctx *cx, const char *encoded, struct caller_password *out)
{
	char text[BASIC_BYTES];
	const char *both, *colon;
	size_t len = 0;
	bool good;

	good = base64_decode(text, sizeof(text) - 1, &len, encoded, strlen(encoded)) &&
	       memchr(text, 0, len) == NULL;
	if (good) {
		both = as_utf8(cx, text, len);
		colon = strchr(both, ':');
		good = colon != NULL && colon != both;
		if (good) {
			out->name = arena_strn(cx->arena, both, (size_t)(colon - both));
			out->password = arena_str(cx->arena, colon + 1);
		}
		password_wipe(both);
	}
	wipe(text, sizeof(text));
	return good;
}

static enum status
by_basic(struct ctx *cx, const struct caller_input *in, const char *encoded, int64_t *retry_after_s)
{
	struct caller_password p = { NULL, NULL, in->address };
	uint8_t key[AUTH_CACHE_KEY];
	enum status st;

	if ((st = origin_check(cx, ORIGIN_LOOSE, &in->origin)) != OK)
		return st;
	auth_cache_key(AUTH_CACHE_HEADER, in->authorization, key);
	if (auth_cache_get(key, cx->arena, &cx->actor))
		return OK;
	if (in->on_loop)
		return NEEDS_WORKER;
	if (!read_basic(cx, encoded, &p))
		return fail(cx, UNAUTHENTICATED, "Authorization: Basic must be the base64 of NAME:PASSWORD");
	st = password_once(cx, &p, key, retry_after_s);
	password_wipe(p.password);
	return st;
}

static enum status
by_bearer(struct ctx *cx, const struct caller_input *in, const char *token)
{
	uint64_t generation = auth_cache_generation();
	uint8_t key[AUTH_CACHE_KEY];
	int64_t expires = 0;
	enum status st;

	auth_cache_key(AUTH_CACHE_HEADER, in->authorization, key);
	if (auth_cache_get(key, cx->arena, &cx->actor))
		return OK;
	if (!token_is_well_formed(token))
		return wrong(cx);
	if (in->on_loop)
		return NEEDS_WORKER;
	st = token_find(cx, token, &cx->actor, &expires);
	if (st == OK)
		auth_cache_put(key, &cx->actor, expires, generation);
	return st;
}

static enum status
by_cookie(struct ctx *cx, const struct caller_input *in, const char *value)
{
	uint64_t generation = auth_cache_generation();
	uint8_t key[AUTH_CACHE_KEY];
	int64_t expires = 0;
	enum status st;

	if ((st = origin_check(cx, ORIGIN_STRICT, &in->origin)) != OK)
		return st;
	auth_cache_key(AUTH_CACHE_COOKIE, value, key);
	if (auth_cache_get(key, cx->arena, &cx->actor))
		return OK;
	if (in->on_loop)
		return NEEDS_WORKER;
	st = session_find(cx, value, &cx->actor, &expires);
	if (st == OK)
		auth_cache_put(key, &cx->actor, expires, generation);
	return st;
}

/* "Basic xyz" -> "xyz"; the scheme in any case. */
static const char *
after_scheme(const char *authorization, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(authorization, scheme, len) != 0 || authorization[len] != ' ')
		return NULL;
	return authorization + len + strspn(authorization + len, " ");
}

enum status
caller_check(struct ctx *cx, const struct caller_input *in, int64_t *retry_after_s)
{
	char value[SESSION_VALUE];
	const char *rest;

	cx->actor = (struct actor){ 0, 0, "", false };
	*retry_after_s = 0;
	if (!auth_on())
		return origin_check(cx, ORIGIN_LOOSE, &in->origin);
	if (in->authorization != NULL) {
		if ((rest = after_scheme(in->authorization, "Basic")) != NULL)
			return by_basic(cx, in, rest, retry_after_s);
		if ((rest = after_scheme(in->authorization, "Bearer")) != NULL)
			return by_bearer(cx, in, rest);
		return fail(cx, UNAUTHENTICATED,
			"Authorization must be Basic (user name and password) or Bearer (a token)");
	}
	if (in->cookie != NULL && session_from_cookies(in->cookie, value))
		return by_cookie(cx, in, value);
	return OK;
}

struct origin
caller_origin(struct request *rq)
{
	return (struct origin){
		.method = request_method(rq),
		.host = request_header(rq, "Host"),
		.origin = request_header(rq, "Origin"),
		.fetch_site = request_header(rq, "Sec-Fetch-Site"),
		.fetch_mode = request_header(rq, "Sec-Fetch-Mode"),
	};
}

enum status
caller_find(struct request *rq)
{
	struct caller_input in = { .origin = caller_origin(rq) };
	struct ctx *cx = request_ctx(rq);
	int64_t retry_after_s;
	char seconds[24];
	enum status st;

	if (request_route(rq)->needs == PUBLIC) {
		cx->actor = (struct actor){ 0, 0, "", false };
		return OK;
	}
	in.authorization = request_header(rq, "Authorization");
	in.cookie = request_header(rq, "Cookie");
	in.address = request_address(rq);
	in.on_loop = request_on_loop(rq);
	st = caller_check(cx, &in, &retry_after_s);
	if (st == TOO_MANY) {
		snprintf(seconds, sizeof(seconds), "%lld", (long long)retry_after_s);
		response_header(request_response(rq), "Retry-After", seconds);
	}
	return st;
}

void
caller_challenge(struct request *rq, struct response *rs)
{
	/* an EventSource cannot name itself otherwise */
	if (!str_eq(request_header(rq, "X-Requested-With"), "cairn-web") &&
		!str_eq(request_header(rq, "Accept"), "text/event-stream"))
		response_header(rs, "WWW-Authenticate", "Basic realm=\"cairn\", charset=\"UTF-8\"");
}
