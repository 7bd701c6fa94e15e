#include "auth/account.h"

#include <string.h>
#include "auth/cache.h"
#include "auth/caller.h"
#include "auth/password.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/utf8.h"
#include "store/accounts.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)

/* ---- names ---- */

/* A copy in the arena without blanks at its ends, or INVALID. */
static enum status
clean_name(struct ctx *cx, const char *what, const char *name, const char **out)
{
	const char *at, *end;
	size_t len;

	name += strspn(name, " ");
	len = strlen(name);
	while (len > 0 && name[len - 1] == ' ')
		len--;
	if (!utf8_valid(name, len))
		return fail(cx, INVALID, "the %s must be valid UTF-8", what);
	if (len == 0 || utf8_count(name, len) > ACCOUNT_NAME_MOST)
		return fail(cx, INVALID, "the %s must have 1 to %d characters", what, ACCOUNT_NAME_MOST);
	for (at = name, end = name + len; at < end;) {
		if (utf8_is_control(utf8_next(&at, end)))
			return fail(cx, INVALID, "the %s must not contain control characters", what);
	}
	*out = arena_strn(cx->arena, name, len);
	return OK;
}

static enum status
clean_user_name(struct ctx *cx, const char *name, const char **out)
{
	enum status st = clean_name(cx, "user name", name, out);

	if (st == OK && strchr(*out, ':') != NULL)
		return fail(cx, INVALID, "the user name must not contain ':', where HTTP Basic ends it");
	return st;
}

static enum status
unknown(struct ctx *cx, const char *name)
{
	return fail(cx, NOT_FOUND, "there is no user \"%s\"", name);
}

/* ---- users ---- */

enum status
account_add(struct ctx *cx, const char *name, const char *password, bool is_admin, struct user *out)
{
	struct user_insert in = { .is_admin = is_admin, .now_unix_ms = clock_unix_ms() };
	char phc[PASSWORD_PHC];
	struct tx *tx = NULL;
	enum status st;

	if ((st = clean_user_name(cx, name, &in.name)) != OK)
		return st;
	if ((st = password_rules(cx, password, in.name)) != OK)
		return st;
	if ((st = password_make(cx, password, phc)) != OK)
		return st;
	in.password = phc;
	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	if ((st = store_user_insert(tx, &in, out)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
account_list(struct ctx *cx, struct user **out, size_t *n)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = store_user_list(tx, out, n)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
account_find(struct ctx *cx, const char *name, struct user *out)
{
	struct user_secret u = { 0 };
	struct tx *tx = NULL;
	bool found = false;
	enum status st;

	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = store_user_find(tx, name, &u, &found)) != OK)
		goto out;
	if ((st = tx_commit(&tx)) != OK)
		goto out;
	*out = u.user;
	if (!found)
		st = unknown(cx, name);
out:
	tx_rollback(&tx);
	return st;
}

/*
 * The user, locked, and whether he is the only administrator who may come in. The administrators are locked first and
 * in one order: two that take each other's rights at once wait for one another, and the second sees what the first did.
 */
static enum status
lock_user(struct tx *tx, const char *name, struct user *out, bool *last_admin)
{
	struct user_secret u = { 0 };
	int64_t *admins = NULL;
	bool found = false;
	enum status st;
	size_t n = 0;

	if ((st = store_user_admins_lock(tx, &admins, &n)) != OK)
		return st;
	if ((st = store_user_find(tx, name, &u, &found)) != OK)
		return st;
	if (found && (st = store_user_lock(tx, u.user.user_id, &u, &found)) != OK)
		return st;
	if (!found)
		return unknown(tx_ctx(tx), name);
	*out = u.user;
	*last_admin = n == 1 && admins[0] == u.user.user_id;
	return OK;
}

static enum status
last_admin_stays(struct ctx *cx, const char *name, const char *what)
{
	return fail(cx, INVALID, "\"%s\" is the last administrator and cannot be %s; make another one first",
		name, what);
}

static enum status
change_user(struct tx *tx, const char *name, const struct account_change *c, const char *phc, struct user *u)
{
	bool last_admin, is_admin, disabled;
	enum status st;

	if ((st = lock_user(tx, name, u, &last_admin)) != OK)
		return st;
	is_admin = c->has_is_admin ? c->is_admin : u->is_admin;
	disabled = c->has_disabled ? c->disabled : u->disabled;
	if (last_admin && !is_admin)
		return last_admin_stays(tx_ctx(tx), name, "an ordinary user");
	if (last_admin && disabled)
		return last_admin_stays(tx_ctx(tx), name, "disabled");
	if (phc != NULL && (st = store_user_password(tx, u->user_id, phc, clock_unix_ms())) != OK)
		return st;
	if ((phc != NULL || disabled) && (st = store_session_delete_user(tx, u->user_id)) != OK)
		return st;
	return store_user_update(tx, u->user_id, is_admin, disabled, u);
}

/* Also when the outcome is unknown: to forget too much costs a hash, too little a door. */
static enum status
commit_and_forget(struct tx **tx, int64_t user_id)
{
	enum status st = tx_commit(tx);

	auth_cache_forget_user(user_id);
	return st;
}

enum status
account_change(struct ctx *cx, const char *name, const struct account_change *change, struct user *out)
{
	char phc[PASSWORD_PHC];
	struct tx *tx = NULL;
	enum status st;

	if (change->password != NULL) {
		if ((st = password_rules(cx, change->password, name)) != OK)
			return st;
		if ((st = password_make(cx, change->password, phc)) != OK)
			return st;
	}
	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	if ((st = change_user(tx, name, change, change->password != NULL ? phc : NULL, out)) != OK)
		goto out;
	st = commit_and_forget(&tx, out->user_id);
out:
	tx_rollback(&tx);
	return st;
}

enum status
account_password(struct ctx *cx, const char *name, const char *password)
{
	const struct account_change change = { .password = password };
	struct user u;

	return account_change(cx, name, &change, &u);
}

enum status
account_enable(struct ctx *cx, const char *name, bool enabled)
{
	const struct account_change change = { .has_disabled = true, .disabled = !enabled };
	struct user u;

	return account_change(cx, name, &change, &u);
}

enum status
account_admin(struct ctx *cx, const char *name, bool is_admin)
{
	const struct account_change change = { .has_is_admin = true, .is_admin = is_admin };
	struct user u;

	return account_change(cx, name, &change, &u);
}

enum status
account_remove(struct ctx *cx, const char *name)
{
	struct tx *tx = NULL;
	struct user u;
	bool last_admin;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	if ((st = lock_user(tx, name, &u, &last_admin)) != OK)
		goto out;
	if (last_admin) {
		st = last_admin_stays(cx, name, "removed");
		goto out;
	}
	if ((st = store_user_delete(tx, u.user_id)) != OK)
		goto out;
	st = commit_and_forget(&tx, u.user_id);
out:
	tx_rollback(&tx);
	return st;
}

enum status
account_own_password(struct ctx *cx, const struct account_own_password *in, int64_t *retry_after_s)
{
	const struct caller_password old = { cx->actor.user_name, in->current, in->address };
	struct actor actor;
	enum status st;

	if ((st = password_rules(cx, in->password, cx->actor.user_name)) != OK)
		return st;
	st = caller_password(cx, &old, &actor, retry_after_s);
	if (st == UNAUTHENTICATED)
		return fail(cx, INVALID, "the current password is wrong");
	if (st != OK)
		return st;
	if (str_eq(in->current, in->password))
		return fail(cx, INVALID, "the new password must differ from the current one");
	return account_password(cx, cx->actor.user_name, in->password);
}

/* ---- tokens ---- */

static enum status
insert_token(struct tx *tx, const struct token_insert *in, struct user_token *out)
{
	struct user_token *all = NULL;
	struct user_secret u;
	bool found = false;
	enum status st;
	size_t n = 0;

	/* The lock makes the count hold. */
	if ((st = store_user_lock(tx, in->user_id, &u, &found)) != OK)
		return st;
	if (!found)
		return fail(tx_ctx(tx), NOT_FOUND, "the user does not exist any more");
	if ((st = store_token_list(tx, in->user_id, &all, &n)) != OK)
		return st;
	if (n >= ACCOUNT_TOKENS_MOST)
		return fail(tx_ctx(tx), INVALID, "a user has at most %d tokens; revoke one first",
			ACCOUNT_TOKENS_MOST);
	return store_token_insert(tx, in, out);
}

enum status
account_token_add(struct ctx *cx, int64_t user_id, const char *name, int64_t days, char text[TOKEN_TEXT],
	struct user_token *out)
{
	struct token_insert in = {
		.user_id = user_id, .now_unix_ms = clock_unix_ms(), .has_expires_unix_ms = days != 0
	};
	uint8_t hash[SHA256_BYTES];
	struct tx *tx = NULL;
	enum status st;

	if ((st = clean_name(cx, "token's name", name, &in.name)) != OK)
		return st;
	if (days < 0 || days > ACCOUNT_DAYS_MOST)
		return fail(cx, INVALID, "expires_in_days must be 1 to %d", ACCOUNT_DAYS_MOST);
	in.expires_unix_ms = in.now_unix_ms + days * DAY_MS;
	token_make(text);
	token_hash(text, hash);
	in.hash = hash;
	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	if ((st = insert_token(tx, &in, out)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
account_token_list(struct ctx *cx, int64_t user_id, struct user_token **out, size_t *n)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = store_token_list(tx, user_id, out, n)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

enum status
account_token_revoke(struct ctx *cx, int64_t user_id, int64_t token_id)
{
	struct tx *tx = NULL;
	bool found = false;
	enum status st;

	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	if ((st = store_token_revoke(tx, user_id, token_id, &found)) != OK)
		goto out;
	if (!found) {
		st = fail(cx, NOT_FOUND, "you have no token %lld", (long long)token_id);
		goto out;
	}
	st = tx_commit(&tx);
	auth_cache_forget_token(token_id);
out:
	tx_rollback(&tx);
	return st;
}
