#include "auth/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

#define SETS 512
#define WAYS 8

struct entry {
	uint8_t key[AUTH_CACHE_KEY];
	int64_t user_id;
	int64_t token_id;
	int64_t until_mono_ms; /* 0: empty */
	int64_t used_mono_ms;
	char *name; /* owned */
	bool is_admin;
};

struct set {
	pthread_mutex_t lock;
	struct entry entries[WAYS];
};

static struct set sets[SETS];
static uint8_t secrets[2][32]; /* by kind */
static atomic_uint_fast64_t generation;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_locks(void)
{
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_init(&sets[i].lock, NULL);
}

static void
entry_clear(struct entry *e)
{
	free(e->name);
	wipe(e, sizeof(*e));
}

static void
forget_all(void)
{
	for (size_t i = 0; i < SETS; i++) {
		pthread_mutex_lock(&sets[i].lock);
		for (size_t k = 0; k < WAYS; k++)
			entry_clear(&sets[i].entries[k]);
		pthread_mutex_unlock(&sets[i].lock);
	}
}

void
auth_cache_setup(void)
{
	pthread_once(&once, make_locks);
	forget_all();
	random_bytes(secrets, sizeof(secrets));
}

void
auth_cache_fini(void)
{
	pthread_once(&once, make_locks);
	forget_all();
	wipe(secrets, sizeof(secrets));
}

void
auth_cache_key(enum auth_cache_kind kind, const char *credential, uint8_t key[AUTH_CACHE_KEY])
{
	keyed_hash(secrets[kind], credential, strlen(credential), key);
}

static struct set *
set_of(const uint8_t key[AUTH_CACHE_KEY])
{
	return &sets[(key[0] | (unsigned)key[1] << 8) % SETS];
}

static struct entry *
find(struct set *s, const uint8_t key[AUTH_CACHE_KEY])
{
	for (size_t i = 0; i < WAYS; i++) {
		if (s->entries[i].until_mono_ms != 0 && same_bytes(s->entries[i].key, key, AUTH_CACHE_KEY))
			return &s->entries[i];
	}
	return NULL;
}

bool
auth_cache_get(const uint8_t key[AUTH_CACHE_KEY], struct arena *arena, struct actor *out)
{
	int64_t now = clock_mono_ms();
	struct set *s = set_of(key);
	struct entry *e;
	bool fresh;

	pthread_mutex_lock(&s->lock);
	e = find(s, key);
	fresh = e != NULL && e->until_mono_ms > now;
	if (fresh) {
		e->used_mono_ms = now;
		out->user_id = e->user_id;
		out->token_id = e->token_id;
		out->is_admin = e->is_admin;
		out->user_name = arena_str(arena, e->name);
	}
	pthread_mutex_unlock(&s->lock);
	return fresh;
}

uint64_t
auth_cache_generation(void)
{
	return atomic_load(&generation);
}

/* Its own place, an empty one, or that of whoever was not seen for longest. */
static struct entry *
place_for(struct set *s, const uint8_t key[AUTH_CACHE_KEY])
{
	struct entry *best = find(s, key);

	if (best != NULL)
		return best;
	best = &s->entries[0];
	for (size_t i = 1; i < WAYS; i++) {
		if (s->entries[i].used_mono_ms < best->used_mono_ms)
			best = &s->entries[i];
	}
	return best;
}

void
auth_cache_put(const uint8_t key[AUTH_CACHE_KEY], const struct actor *actor, int64_t expires_unix_ms,
	uint64_t seen_generation)
{
	int64_t now = clock_mono_ms(), life = AUTH_CACHE_LIFE_MS;
	struct set *s = set_of(key);
	struct entry *e;

	if (expires_unix_ms != 0 && expires_unix_ms - clock_unix_ms() < life)
		life = expires_unix_ms - clock_unix_ms();
	if (life <= 0)
		return;
	pthread_mutex_lock(&s->lock);
	/* Under the lock: who forgets counts up first and takes every lock afterwards, so one of us sees the other. */
	if (atomic_load(&generation) == seen_generation) {
		e = place_for(s, key);
		entry_clear(e);
		memcpy(e->key, key, AUTH_CACHE_KEY);
		e->user_id = actor->user_id;
		e->token_id = actor->token_id;
		e->is_admin = actor->is_admin;
		e->name = mem_str(actor->user_name);
		e->until_mono_ms = now + life;
		e->used_mono_ms = now;
	}
	pthread_mutex_unlock(&s->lock);
}

static void
forget(int64_t user_id, int64_t token_id)
{
	struct entry *e;

	atomic_fetch_add(&generation, 1);
	for (size_t i = 0; i < SETS; i++) {
		pthread_mutex_lock(&sets[i].lock);
		for (size_t k = 0; k < WAYS; k++) {
			e = &sets[i].entries[k];
			if ((user_id != 0 && e->user_id == user_id) ||
				(token_id != 0 && e->token_id == token_id))
				entry_clear(e);
		}
		pthread_mutex_unlock(&sets[i].lock);
	}
}

void
auth_cache_forget_user(int64_t user_id)
{
	forget(user_id, 0);
}

void
auth_cache_forget_token(int64_t token_id)
{
	forget(0, token_id);
}

void
auth_cache_forget_key(const uint8_t key[AUTH_CACHE_KEY])
{
	struct set *s = set_of(key);
	struct entry *e;

	atomic_fetch_add(&generation, 1);
	pthread_mutex_lock(&s->lock);
	e = find(s, key);
	if (e != NULL)
		entry_clear(e);
	pthread_mutex_unlock(&s->lock);
}
