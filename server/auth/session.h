/*
 * Sessions of browsers: a cookie of 256 random bits, of which PostgreSQL keeps the SHA-256. Over after 12 hours unseen
 * and 7 days in any case, at sign-out, with a new password, and when the user is disabled. README.md says why so long.
 */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

#define SESSION_IDLE_MS     (12 * 3600 * (int64_t)1000)
#define SESSION_ABSOLUTE_MS (7 * 24 * 3600 * (int64_t)1000)
#define SESSION_MOST        100 /* of one user at once; the longest unseen goes */
#define SESSION_VALUE       44  /* room for a cookie's value */
#define SESSION_COOKIE      160 /* room for a Set-Cookie header */

/* A new one, always with a new value. */
enum status session_start(struct ctx *cx, int64_t user_id, char value[SESSION_VALUE]) must_check;
/* Whom it stands for; UNAUTHENTICATED when it is over. Notes when it was last seen, to the minute. */
enum status session_find(
	struct ctx *cx, const char *value, struct actor *out, int64_t *expires_unix_ms) must_check;
enum status session_end(struct ctx *cx, const char *value) must_check; /* forgotten by the cache too */

const char *session_cookie_name(void); /* "__Host-cairn" under an https public URL, else "cairn" */
/* The value of our cookie in a Cookie header; false when there is none of the right shape. */
bool session_from_cookies(const char *cookies, char value[SESSION_VALUE]);
/* What to send as Set-Cookie; value NULL takes the cookie away. */
void session_set_cookie(char out[SESSION_COOKIE], const char *value);

#endif
