/*
 * API tokens: "cairn_", 32 random bytes in base64url, and their CRC-32C, so that secret scanners know one and mistyped
 * ones never reach the database. 256 random bits need no slow hash: PostgreSQL keeps the SHA-256 of the whole text.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/ctx.h"
#include "base/hash.h"

#define TOKEN_PREFIX "cairn_"
#define TOKEN_LENGTH 55 /* 6 + 43 + 6 */
#define TOKEN_TEXT   (TOKEN_LENGTH + 1)

void token_make(char out[TOKEN_TEXT]);
bool token_is_well_formed(const char *text); /* length, prefix, alphabet, checksum */
void token_hash(const char *text, uint8_t out[SHA256_BYTES]);

/* Whom it stands for; UNAUTHENTICATED when nobody. Notes when it was last used. *expires_unix_ms 0: never. */
enum status token_find(
	struct ctx *cx, const char *text, struct actor *out, int64_t *expires_unix_ms) must_check;

#endif
