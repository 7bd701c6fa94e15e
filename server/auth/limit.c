#include "auth/limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include "base/hash.h"

#define SETS 1024
#define WAYS 4

/* A bucket leaks: `full_ms` is when it will be empty again. */
struct rate {
	int64_t interval_ms; /* one more each */
	int64_t burst;
};

static const struct rate address_rate = { 3000, 20 };
static const struct rate network_rate = { 1000, 60 };
static const struct rate global_rate = { 100, 600 };

struct slot {
	uint8_t key[32];
	int64_t count; /* names: failures in a row; addresses: unused */
	int64_t at_ms; /* names: the last failure (unix); addresses: when the bucket is empty again (mono) */
};

struct table {
	struct slot slots[SETS][WAYS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of everything below */
static struct table addresses, names;
static int64_t global_at_ms;
static uint8_t secret[32];

void
auth_limit_setup(void)
{
	pthread_mutex_lock(&lock);
	memset(&addresses, 0, sizeof(addresses));
	memset(&names, 0, sizeof(names));
	global_at_ms = 0;
	random_bytes(secret, sizeof(secret));
	pthread_mutex_unlock(&lock);
}

/* Its slot, or the one that was to be forgotten first, emptied; NULL when it has none and `make` is false. */
static struct slot *
slot_of(struct table *t, const void *data, size_t len, bool make)
{
	struct slot *set, *best;
	uint8_t key[32];

	keyed_hash(secret, data, len, key);
	set = t->slots[(key[0] | (unsigned)key[1] << 8) % SETS];
	best = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (memcmp(set[i].key, key, sizeof(key)) == 0)
			return &set[i];
		if (set[i].at_ms < best->at_ms)
			best = &set[i];
	}
	if (!make)
		return NULL;
	memset(best, 0, sizeof(*best));
	memcpy(best->key, key, sizeof(key));
	return best;
}

/* ---- accounts ---- */

int64_t
auth_limit_pause_ms(int64_t failed_count, int64_t failed_unix_ms, int64_t now_unix_ms)
{
	const int64_t most = 15 * 60 * 1000;
	int64_t pause = 1000, gone = now_unix_ms - failed_unix_ms;

	if (failed_count < 5 || gone >= AUTH_LIMIT_FORGET_MS ||
		gone < -60000) /* a clock that went back holds nobody */
		return 0;
	for (int64_t i = 5; i < failed_count && pause < most; i++)
		pause *= 2;
	if (pause > most)
		pause = most;
	return gone >= pause ? 0 : gone < 0 ? pause : pause - gone;
}

int64_t
auth_limit_name_ms(const char *name, int64_t now_unix_ms)
{
	const struct slot *s;
	int64_t wait = 0;

	pthread_mutex_lock(&lock);
	s = slot_of(&names, name, strlen(name), false);
	if (s != NULL)
		wait = auth_limit_pause_ms(s->count, s->at_ms, now_unix_ms);
	pthread_mutex_unlock(&lock);
	return wait;
}

void
auth_limit_name_failed(const char *name, int64_t now_unix_ms)
{
	struct slot *s;

	pthread_mutex_lock(&lock);
	s = slot_of(&names, name, strlen(name), true);
	s->count = s->at_ms < now_unix_ms - AUTH_LIMIT_FORGET_MS ? 1 : s->count + 1;
	s->at_ms = now_unix_ms;
	pthread_mutex_unlock(&lock);
}

/* ---- addresses ---- */

/* What an address is counted as: [0] itself, [1] its network (only IPv6). Empty: not counted. */
struct place {
	char text[2][64];
	size_t len[2];
};

static void
place_add(struct place *p, int i, char kind, const void *bytes, size_t len)
{
	p->text[i][0] = kind;
	memcpy(p->text[i] + 1, bytes, len);
	p->len[i] = len + 1;
}

/* Loopback is not counted: behind a proxy every caller would be one, and his mistakes everybody's. */
static struct place
place_of(const char *address)
{
	struct place p = { 0 };
	uint8_t a[16];

	if (inet_pton(AF_INET, address, a) == 1) {
		if (a[0] != 127)
			place_add(&p, 0, '4', a, 4);
	} else if (inet_pton(AF_INET6, address, a) == 1) {
		if (IN6_IS_ADDR_V4MAPPED((struct in6_addr *)a)) {
			if (a[12] != 127)
				place_add(&p, 0, '4', a + 12, 4);
		} else if (!IN6_IS_ADDR_LOOPBACK((struct in6_addr *)a)) {
			place_add(&p, 0, '6', a, 16);
			place_add(&p, 1, 'n', a, 8);
		}
	}
	return p;
}

static int64_t
bucket_wait(int64_t empty_at_ms, const struct rate *r, int64_t now)
{
	int64_t wait = empty_at_ms - now - (r->burst - 1) * r->interval_ms;

	return wait > 0 ? wait : 0;
}

static int64_t
bucket_add(int64_t empty_at_ms, const struct rate *r, int64_t now)
{
	return (empty_at_ms > now ? empty_at_ms : now) + r->interval_ms;
}

int64_t
auth_limit_address_ms(const char *address, int64_t now_mono_ms)
{
	const struct rate *rates[2] = { &address_rate, &network_rate };
	struct place p = place_of(address);
	const struct slot *s;
	int64_t wait, most;

	pthread_mutex_lock(&lock);
	most = bucket_wait(global_at_ms, &global_rate, now_mono_ms);
	for (int i = 0; i < 2; i++) {
		if (p.len[i] == 0 || (s = slot_of(&addresses, p.text[i], p.len[i], false)) == NULL)
			continue;
		wait = bucket_wait(s->at_ms, rates[i], now_mono_ms);
		if (wait > most)
			most = wait;
	}
	pthread_mutex_unlock(&lock);
	return most;
}

void
auth_limit_address_failed(const char *address, int64_t now_mono_ms)
{
	const struct rate *rates[2] = { &address_rate, &network_rate };
	struct place p = place_of(address);
	struct slot *s;

	pthread_mutex_lock(&lock);
	global_at_ms = bucket_add(global_at_ms, &global_rate, now_mono_ms);
	for (int i = 0; i < 2; i++) {
		if (p.len[i] == 0)
			continue;
		s = slot_of(&addresses, p.text[i], p.len[i], true);
		s->at_ms = bucket_add(s->at_ms, rates[i], now_mono_ms);
	}
	pthread_mutex_unlock(&lock);
}
