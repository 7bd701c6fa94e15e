/*
 * Verified credentials, remembered for a short while so that a request costs microseconds. Neither passwords nor
 * tokens are kept: the key is a BLAKE2b of the credential under random keys of this process. 512 sets of 8 entries, a
 * lock each, held for a few comparisons: safe on the event loop. Any thread.
 *
 * Who verifies reads auth_cache_generation() before asking the database and hands it to auth_cache_put(): what was
 * forgotten in between is not remembered again. Who changes an account forgets it after COMMIT.
 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"

#define AUTH_CACHE_LIFE_MS 60000
#define AUTH_CACHE_KEY     32

enum auth_cache_kind { AUTH_CACHE_HEADER, AUTH_CACHE_COOKIE };

void auth_cache_setup(void); /* new random keys, nothing remembered */
void auth_cache_fini(void);

void auth_cache_key(enum auth_cache_kind kind, const char *credential, uint8_t key[AUTH_CACHE_KEY]);
bool auth_cache_get(const uint8_t key[AUTH_CACHE_KEY], struct arena *arena,
	struct actor *out); /* the name goes to the arena */
uint64_t auth_cache_generation(void);
/* Remembered for the cache's life, or until expires_unix_ms (0: never) if that is sooner. */
void auth_cache_put(const uint8_t key[AUTH_CACHE_KEY], const struct actor *actor, int64_t expires_unix_ms,
	uint64_t generation);
void auth_cache_forget_user(int64_t user_id);
void auth_cache_forget_token(int64_t token_id);
void auth_cache_forget_key(const uint8_t key[AUTH_CACHE_KEY]);

#endif
