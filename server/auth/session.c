#include "auth/session.h"

#include <stdio.h>
#include <string.h>
#include "auth/auth.h"
#include "auth/cache.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/accounts.h"

#define SECRET_BYTES 32
#define MINUTE_MS    60000

static void
hash_of(const char *value, uint8_t out[SHA256_BYTES])
{
	sha256_of(value, strlen(value), out);
}

static enum status
insert(struct tx *tx, int64_t user_id, const char *value)
{
	int64_t now = clock_unix_ms();
	uint8_t hash[SHA256_BYTES];
	enum status st;

	hash_of(value, hash);
	if ((st = store_session_sweep(tx, now, SESSION_IDLE_MS, user_id, SESSION_MOST - 1)) != OK)
		return st;
	return store_session_insert(tx, hash, user_id, now, now + SESSION_ABSOLUTE_MS);
}

enum status
session_start(struct ctx *cx, int64_t user_id, char value[SESSION_VALUE])
{
	uint8_t secret[SECRET_BYTES];
	struct tx *tx = NULL;
	enum status st;

	random_bytes(secret, sizeof(secret));
	base64url_encode(value, SESSION_VALUE, secret, sizeof(secret));
	wipe(secret, sizeof(secret));
	if ((st = tx_begin(cx, &tx)) != OK)
		goto out;
	if ((st = insert(tx, user_id, value)) != OK)
		goto out;
	st = tx_commit(&tx);
out:
	tx_rollback(&tx);
	return st;
}

static enum status
look_up(struct tx *tx, const char *value, struct credential *c, bool *found)
{
	int64_t now = clock_unix_ms();
	uint8_t hash[SHA256_BYTES];
	enum status st;

	hash_of(value, hash);
	st = store_session_find(tx, hash, now, SESSION_IDLE_MS, c, found);
	if (st == OK && *found && now - c->used_unix_ms >= MINUTE_MS)
		st = store_session_touch(tx, hash, now);
	return st;
}

enum status
session_find(struct ctx *cx, const char *value, struct actor *out, int64_t *expires_unix_ms)
{
	struct credential c = { 0 };
	struct tx *tx = NULL;
	bool found = false;
	enum status st;

	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = look_up(tx, value, &c, &found)) != OK)
		goto out;
	if ((st = tx_commit(&tx)) != OK)
		goto out;
	if (!found) {
		st = fail(cx, UNAUTHENTICATED, "the session is over; sign in again");
		goto out;
	}
	*out = (struct actor){ c.user.user_id, 0, c.user.name, c.user.is_admin };
	*expires_unix_ms = c.expires_unix_ms;
out:
	tx_rollback(&tx);
	return st;
}

enum status
session_end(struct ctx *cx, const char *value)
{
	uint8_t hash[SHA256_BYTES], key[AUTH_CACHE_KEY];
	struct tx *tx = NULL;
	enum status st;

	hash_of(value, hash);
	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = store_session_delete(tx, hash)) != OK)
		goto out;
	st = tx_commit(&tx);
	auth_cache_key(AUTH_CACHE_COOKIE, value, key);
	auth_cache_forget_key(key);
out:
	tx_rollback(&tx);
	return st;
}

const char *
session_cookie_name(void)
{
	return auth_is_https() ? "__Host-cairn" : "cairn";
}

bool
session_from_cookies(const char *cookies, char value[SESSION_VALUE])
{
	const char *name = session_cookie_name(), *at = cookies;
	size_t len = strlen(name), n;

	while (at != NULL) {
		at += strspn(at, " ;");
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			at += len + 1;
			n = strcspn(at, "; ");
			if (n != SESSION_VALUE - 1)
				return false;
			memcpy(value, at, n);
			value[n] = '\0';
			return true;
		}
		at = strchr(at, ';');
	}
	return false;
}

void
session_set_cookie(char out[SESSION_COOKIE], const char *value)
{
	snprintf(out, SESSION_COOKIE, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
		session_cookie_name(), value != NULL ? value : "",
		value != NULL ? (long long)(SESSION_ABSOLUTE_MS / 1000) : 0LL,
		auth_is_https() ? "; Secure" : "");
}
