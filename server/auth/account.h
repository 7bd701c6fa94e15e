/*
 * Users, their passwords and tokens: what `cairnd user …` and the API both call. Each is one transaction; what a
 * change makes untrue is forgotten by the cache at once. Who may call is the caller's business.
 *
 * Not on an event loop: hashing a password takes some 30 ms, and all of it asks PostgreSQL.
 */
#ifndef AUTH_ACCOUNT_H
#define AUTH_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auth/token.h"
#include "base/ctx.h"
#include "domain/account.h"

#define ACCOUNT_NAME_MOST   255  /* characters of a user's or a token's name */
#define ACCOUNT_TOKENS_MOST 500  /* tokens of one user at once */
#define ACCOUNT_DAYS_MOST   3650 /* of a token that ends */

/*
 * A name: 1 to 255 characters of valid UTF-8, no control characters, no ':' (HTTP Basic ends it there); blanks at its
 * ends are taken off. ALREADY_EXISTS when taken. The password must pass password_rules().
 */
enum status account_add(
	struct ctx *cx, const char *name, const char *password, bool is_admin, struct user *out) must_check;
enum status account_list(struct ctx *cx, struct user **out, size_t *n) must_check; /* by name */
enum status account_find(
	struct ctx *cx, const char *name, struct user *out) must_check; /* NOT_FOUND with a sentence */

/*
 * Changes to one user, all or none. The last administrator who may come in cannot be disabled, demoted or removed
 * (INVALID). A new password ends all sessions; disabling shuts out tokens too, which work again once enabled.
 */
struct account_change {
	const char *password; /* NULL: stays */
	bool has_is_admin, is_admin;
	bool has_disabled, disabled;
};
enum status account_change(
	struct ctx *cx, const char *name, const struct account_change *change, struct user *out) must_check;

/* One of them alone. */
enum status account_password(struct ctx *cx, const char *name, const char *password) must_check;
enum status account_enable(struct ctx *cx, const char *name, bool enabled) must_check;
enum status account_admin(struct ctx *cx, const char *name, bool is_admin) must_check;

/* What he made stays, made by nobody; his tokens and sessions go. */
enum status account_remove(struct ctx *cx, const char *name) must_check;

/*
 * cx->actor gives himself another password; he must know the old one (INVALID otherwise, and it counts as a wrong
 * one: address and retry_after_s as in caller_password()). Ends all his sessions.
 */
struct account_own_password {
	const char *current;
	const char *password;
	const char *address;
};
enum status account_own_password(
	struct ctx *cx, const struct account_own_password *in, int64_t *retry_after_s) must_check;

/* days 0: never ends. The text is shown once and kept nowhere. */
enum status account_token_add(struct ctx *cx, int64_t user_id, const char *name, int64_t days,
	char text[TOKEN_TEXT], struct user_token *out) must_check;
enum status account_token_list(
	struct ctx *cx, int64_t user_id, struct user_token **out, size_t *n) must_check; /* newest first */
enum status account_token_revoke(
	struct ctx *cx, int64_t user_id, int64_t token_id) must_check; /* NOT_FOUND */

#endif
