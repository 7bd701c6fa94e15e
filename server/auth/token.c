#include "auth/token.h"

#include <string.h>
#include "base/clock.h"
#include "base/str.h"
#include "store/accounts.h"

#define SECRET_BYTES 32
#define SECRET_TEXT  43
#define CHECK_BYTES  4
#define CHECK_TEXT   6
#define MINUTE_MS    60000

static void
checksum(const char *text, char out[CHECK_TEXT + 1])
{
	uint32_t crc = crc32c(0, text, TOKEN_LENGTH - CHECK_TEXT);
	uint8_t bytes[CHECK_BYTES] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
		(uint8_t)crc };

	base64url_encode(out, CHECK_TEXT + 1, bytes, sizeof(bytes));
}

void
token_make(char out[TOKEN_TEXT])
{
	const size_t prefix = sizeof(TOKEN_PREFIX) - 1;
	uint8_t secret[SECRET_BYTES];

	random_bytes(secret, sizeof(secret));
	memcpy(out, TOKEN_PREFIX, prefix);
	base64url_encode(out + prefix, SECRET_TEXT + 1, secret, sizeof(secret));
	checksum(out, out + prefix + SECRET_TEXT);
	wipe(secret, sizeof(secret));
}

bool
token_is_well_formed(const char *text)
{
	char check[CHECK_TEXT + 1];

	if (strlen(text) != TOKEN_LENGTH || !str_starts(text, TOKEN_PREFIX))
		return false;
	checksum(text, check);
	return same_bytes(check, text + TOKEN_LENGTH - CHECK_TEXT, CHECK_TEXT);
}

void
token_hash(const char *text, uint8_t out[SHA256_BYTES])
{
	sha256_of(text, strlen(text), out);
}

static enum status
look_up(struct tx *tx, const char *text, struct credential *c, bool *found)
{
	uint8_t hash[SHA256_BYTES];
	int64_t now = clock_unix_ms();
	enum status st;

	token_hash(text, hash);
	st = store_token_find(tx, hash, now, c, found);
	if (st == OK && *found && now - c->used_unix_ms >= MINUTE_MS)
		st = store_token_touch(tx, c->token_id, now);
	return st;
}

enum status
token_find(struct ctx *cx, const char *text, struct actor *out, int64_t *expires_unix_ms)
{
	struct credential c = { 0 };
	struct tx *tx = NULL;
	bool found = false;
	enum status st;

	if (!token_is_well_formed(text))
		return fail(cx, UNAUTHENTICATED, "the user name, password or token is wrong");
	if ((st = tx_auto(cx, &tx)) != OK)
		goto out;
	if ((st = look_up(tx, text, &c, &found)) != OK)
		goto out;
	if ((st = tx_commit(&tx)) != OK)
		goto out;
	if (!found) {
		st = fail(cx, UNAUTHENTICATED, "the user name, password or token is wrong");
		goto out;
	}
	*out = (struct actor){ c.user.user_id, c.token_id, c.user.name, c.user.is_admin };
	*expires_unix_ms = c.expires_unix_ms;
out:
	tx_rollback(&tx);
	return st;
}
