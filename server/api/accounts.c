#include "api/accounts.h"

#include <stdio.h>
#include <string.h>
#include "api/io.h"
#include "auth/account.h"
#include "auth/auth.h"
#include "auth/caller.h"
#include "auth/origin.h"
#include "auth/password.h"
#include "auth/session.h"
#include "base/hash.h"
#include "base/str.h"

/* ---- shared ---- */

static struct jsonw
begin(struct response *rs)
{
	struct jsonw w;

	response_header(rs, "Cache-Control", "no-store");
	jw_init(&w, response_body(rs));
	jw_object(&w);
	return w;
}

static enum status
empty_answer(struct response *rs)
{
	struct jsonw w = begin(rs);

	jw_end(&w);
	return OK;
}

static enum status
too_many(struct response *rs, enum status st, int64_t retry_after_s)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)retry_after_s);
	if (st == TOO_MANY)
		response_header(rs, "Retry-After", seconds);
	return st;
}

static enum status
needs_users(struct ctx *cx)
{
	if (auth_on())
		return OK;
	return fail(cx, NOT_IMPLEMENTED,
		"this server was started with --auth off: there are no users to sign in");
}

static void
write_user(struct jsonw *w, const struct user *u)
{
	jw_int_at(w, "id", u->user_id);
	jw_text_at(w, "username", u->name);
	jw_bool_at(w, "is_admin", u->is_admin);
}

static void
write_user_fully(struct jsonw *w, const struct user *u)
{
	write_user(w, u);
	jw_bool_at(w, "disabled", u->disabled);
	jw_int_at(w, "created_unix_ms", u->created_unix_ms);
}

static void
write_actor(struct jsonw *w, const struct actor *actor)
{
	const struct user u = {
		.user_id = actor->user_id, .name = actor->user_name, .is_admin = actor->is_admin
	};

	jw_object_at(w, "user");
	write_user(w, &u);
	jw_end(w);
}

void
api_write_caller(struct jsonw *w, const struct ctx *cx)
{
	if (cx->actor.user_id != 0) {
		write_actor(w, &cx->actor);
		return;
	}
	jw_key(w, "user");
	jw_null(w);
}

/* ---- signing in and out ---- */

struct login_in {
	const char *username;
	const char *password;
};

static const struct field login_fields[] = { FIELD_TEXT(struct login_in, username, REQUIRED),
	FIELD_TEXT(struct login_in, password, REQUIRED), FIELD_END };

static void
send_cookie(struct response *rs, const char *value)
{
	char cookie[SESSION_COOKIE];

	session_set_cookie(cookie, value);
	response_header(rs, "Set-Cookie", cookie);
	wipe(cookie, sizeof(cookie));
}

/* A sign-in always gets a new value; the one that the browser had is worth nothing from then on. */
static enum status
begin_session(struct request *rq, struct response *rs, int64_t user_id)
{
	const char *cookies = request_header(rq, "Cookie");
	struct ctx *cx = request_ctx(rq);
	char value[SESSION_VALUE];
	enum status st;

	if (cookies != NULL && session_from_cookies(cookies, value)) {
		if ((st = session_end(cx, value)) != OK)
			return st;
	}
	if ((st = session_start(cx, user_id, value)) != OK)
		return st;
	send_cookie(rs, value);
	wipe(value, sizeof(value));
	return OK;
}

static enum status
may_sign_in(struct request *rq)
{
	const struct origin origin = caller_origin(rq);
	struct ctx *cx = request_ctx(rq);
	enum status st;

	if ((st = needs_users(cx)) != OK)
		return st;
	if ((st = origin_signin(cx, origin.host)) != OK)
		return st;
	return origin_check(cx, ORIGIN_STRICT, &origin);
}

enum status
api_login(struct request *rq, struct response *rs)
{
	struct caller_password who = { .address = request_address(rq) };
	struct ctx *cx = request_ctx(rq);
	struct login_in in = { 0 };
	int64_t retry_after_s = 0;
	struct actor actor;
	struct jsonw w;
	enum status st;

	if ((st = may_sign_in(rq)) != OK)
		return st;
	if ((st = io_read(rq, login_fields, &in)) != OK)
		return st;
	who.name = in.username;
	who.password = in.password;
	st = caller_password(cx, &who, &actor, &retry_after_s);
	password_wipe(in.password);
	if (st != OK)
		return too_many(rs, st, retry_after_s);
	if ((st = begin_session(rq, rs, actor.user_id)) != OK)
		return st;
	w = begin(rs);
	write_actor(&w, &actor);
	jw_end(&w);
	return OK;
}

enum status
api_logout(struct request *rq, struct response *rs)
{
	const char *cookies = request_header(rq, "Cookie");
	char value[SESSION_VALUE];
	enum status st;

	if (cookies != NULL && session_from_cookies(cookies, value)) {
		if ((st = session_end(request_ctx(rq), value)) != OK)
			return st;
	}
	send_cookie(rs, NULL);
	response_header(rs, "Clear-Site-Data", "\"storage\"");
	return empty_answer(rs);
}

/* ---- one's own account ---- */

enum status
api_me(struct request *rq, struct response *rs)
{
	struct jsonw w = begin(rs);

	api_write_caller(&w, request_ctx(rq));
	jw_bool_at(&w, "auth", auth_on());
	jw_end(&w);
	return OK;
}

struct password_in {
	const char *current_password;
	const char *password;
};

static const struct field password_fields[] = { FIELD_TEXT(struct password_in, current_password, REQUIRED),
	FIELD_TEXT(struct password_in, password, REQUIRED), FIELD_END };

static bool
came_by_cookie(struct request *rq)
{
	const char *cookies = request_header(rq, "Cookie");
	char value[SESSION_VALUE];

	return request_header(rq, "Authorization") == NULL && cookies != NULL &&
	       session_from_cookies(cookies, value);
}

/* All sessions end with the old password; this browser goes on with a new one. */
enum status
api_me_password(struct request *rq, struct response *rs)
{
	struct account_own_password change = { .address = request_address(rq) };
	struct ctx *cx = request_ctx(rq);
	struct password_in in = { 0 };
	int64_t retry_after_s = 0;
	enum status st;

	if ((st = needs_users(cx)) != OK)
		return st;
	if ((st = io_read(rq, password_fields, &in)) != OK)
		return st;
	change.current = in.current_password;
	change.password = in.password;
	st = account_own_password(cx, &change, &retry_after_s);
	password_wipe(in.current_password);
	password_wipe(in.password);
	if (st != OK)
		return too_many(rs, st, retry_after_s);
	if (came_by_cookie(rq) && (st = begin_session(rq, rs, cx->actor.user_id)) != OK)
		return st;
	return empty_answer(rs);
}

/* ---- tokens ---- */

static void
write_token(struct jsonw *w, const struct user_token *t)
{
	jw_int_at(w, "id", t->token_id);
	jw_text_at(w, "name", t->name);
	jw_int_at(w, "created_unix_ms", t->created_unix_ms);
	if (t->has_expires_unix_ms)
		jw_int_at(w, "expires_unix_ms", t->expires_unix_ms);
	if (t->has_last_used_unix_ms)
		jw_int_at(w, "last_used_unix_ms", t->last_used_unix_ms);
}

enum status
api_token_list(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct user_token *tokens = NULL;
	struct jsonw w;
	enum status st;
	size_t n = 0;

	if ((st = needs_users(cx)) != OK)
		return st;
	if ((st = account_token_list(cx, cx->actor.user_id, &tokens, &n)) != OK)
		return st;
	w = begin(rs);
	jw_array_at(&w, "tokens");
	for (size_t i = 0; i < n; i++) {
		jw_object(&w);
		write_token(&w, &tokens[i]);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	return OK;
}

struct token_in {
	const char *name;
	int64_t expires_in_days;
	bool has_expires_in_days;
};

static const struct field token_fields[] = { FIELD_TEXT(struct token_in, name, REQUIRED),
	FIELD_INT_HAS(struct token_in, expires_in_days, 0), FIELD_END };

static enum status
read_token(struct request *rq, struct token_in *in)
{
	struct ctx *cx = request_ctx(rq);
	enum status st;

	if ((st = needs_users(cx)) != OK)
		return st;
	/* A stolen token must not leave others behind that outlive it. */
	if (cx->actor.token_id != 0)
		return fail(cx, DENIED,
			"a token cannot make tokens; use the user name and password, or a session");
	if ((st = io_read(rq, token_fields, in)) != OK)
		return st;
	if (in->has_expires_in_days && in->expires_in_days < 1)
		return fail(cx, INVALID, "expires_in_days must be 1 to %d", ACCOUNT_DAYS_MOST);
	return OK;
}

enum status
api_token_create(struct request *rq, struct response *rs)
{
	struct ctx *cx = request_ctx(rq);
	struct user_token token = { 0 };
	struct token_in in = { 0 };
	char text[TOKEN_TEXT];
	struct jsonw w;
	enum status st;

	if ((st = read_token(rq, &in)) != OK)
		return st;
	st = account_token_add(cx, cx->actor.user_id, in.name, in.expires_in_days, text, &token);
	if (st != OK)
		return st;
	w = begin(rs);
	jw_text_at(&w, "token", text);
	write_token(&w, &token);
	jw_end(&w);
	wipe(text, sizeof(text));
	return OK;
}

enum status
api_token_revoke(struct request *rq, struct response *rs)
{
	const char *id = request_param(rq, "id");
	struct ctx *cx = request_ctx(rq);
	int64_t token_id;
	enum status st;

	if ((st = needs_users(cx)) != OK)
		return st;
	if (!str_int64(id, &token_id))
		return fail(cx, INVALID, "a token's id is a number, not \"%s\"", id);
	if ((st = account_token_revoke(cx, cx->actor.user_id, token_id)) != OK)
		return st;
	return empty_answer(rs);
}

/* ---- users ---- */

static enum status
answer_user(struct response *rs, const struct user *u)
{
	struct jsonw w = begin(rs);

	jw_object_at(&w, "user");
	write_user_fully(&w, u);
	jw_end(&w);
	jw_end(&w);
	return OK;
}

enum status
api_user_list(struct request *rq, struct response *rs)
{
	struct user *users = NULL;
	struct jsonw w;
	enum status st;
	size_t n = 0;

	if ((st = account_list(request_ctx(rq), &users, &n)) != OK)
		return st;
	w = begin(rs);
	jw_array_at(&w, "users");
	for (size_t i = 0; i < n; i++) {
		jw_object(&w);
		write_user_fully(&w, &users[i]);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	return OK;
}

struct user_in {
	const char *username;
	const char *password;
	bool is_admin;
};

static const struct field user_fields[] = { FIELD_TEXT(struct user_in, username, REQUIRED),
	FIELD_TEXT(struct user_in, password, REQUIRED), FIELD_BOOL(struct user_in, is_admin, 0), FIELD_END };

enum status
api_user_create(struct request *rq, struct response *rs)
{
	struct user_in in = { 0 };
	struct user u = { 0 };
	enum status st;

	if ((st = io_read(rq, user_fields, &in)) != OK)
		return st;
	st = account_add(request_ctx(rq), in.username, in.password, in.is_admin, &u);
	password_wipe(in.password);
	if (st != OK)
		return st;
	return answer_user(rs, &u);
}

static const struct field change_fields[] = { FIELD_TEXT(struct account_change, password, 0),
	FIELD_BOOL_HAS(struct account_change, is_admin, 0),
	FIELD_BOOL_HAS(struct account_change, disabled, 0), FIELD_END };

enum status
api_user_update(struct request *rq, struct response *rs)
{
	const char *name = request_param(rq, "username");
	struct account_change change = { 0 };
	struct ctx *cx = request_ctx(rq);
	struct user u = { 0 };
	enum status st;

	if ((st = io_read(rq, change_fields, &change)) != OK)
		return st;
	if (change.password != NULL && str_eq(name, cx->actor.user_name))
		return fail(cx, INVALID, "change your own password with PUT /api/v1/me/password");
	st = account_change(cx, name, &change, &u);
	password_wipe(change.password);
	if (st != OK)
		return st;
	return answer_user(rs, &u);
}

enum status
api_user_delete(struct request *rq, struct response *rs)
{
	enum status st = account_remove(request_ctx(rq), request_param(rq, "username"));

	return st != OK ? st : empty_answer(rs);
}
