#include "search/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define POOL_MOST UINT32_MAX

__extension__ typedef unsigned __int128 wide;

static uint64_t
mix(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded: texts come from users, who must not choose where they fall. */
static uint64_t
hash_of(const struct texts *t, const char *data, size_t len)
{
	uint64_t h = t->seed[0] ^ len, word;

	for (; len > 8; data += 8, len -= 8) {
		memcpy(&word, data, 8);
		h = mix(h ^ word, t->seed[1]);
	}
	word = 0;
	memcpy(&word, data, len);
	return mix(h ^ word, t->seed[1] ^ UINT64_C(0x9e3779b97f4a7c15));
}

void
texts_init(struct texts *t)
{
	*t = (struct texts){ 0 };
	t->seed[0] = random_u64();
	t->seed[1] = random_u64() | 1;
}

void
texts_fini(struct texts *t)
{
	free(t->pool);
	free(t->ends);
	free(t->slots);
}

size_t
texts_bytes(const struct texts *t)
{
	return t->room + t->ends_room * sizeof(*t->ends) + t->slot_count * sizeof(*t->slots);
}

/* Where it is, or where it would go. */
static uint32_t *
slot_of(const struct texts *t, const char *data, size_t len)
{
	size_t at = (size_t)hash_of(t, data, len) & (t->slot_count - 1);

	for (; t->slots[at] != 0; at = (at + 1) & (t->slot_count - 1))
		if (texts_length(t, t->slots[at]) == len &&
			memcmp(texts_get(t, t->slots[at]), data, len) == 0)
			break;
	return &t->slots[at];
}

static void
more_slots(struct texts *t)
{
	if ((t->n + 1) * 4 < t->slot_count * 3)
		return;
	t->slot_count = t->slot_count == 0 ? 64 : t->slot_count * 2;
	free(t->slots);
	t->slots = mem_array(t->slot_count, sizeof(*t->slots));
	for (uint32_t id = 1; id <= t->n; id++)
		*slot_of(t, texts_get(t, id), texts_length(t, id)) = id;
}

/* By an eighth: memory is bounded, and copying is cheap. */
static size_t
grown(size_t need)
{
	return need + need / 8 + 64;
}

uint32_t
texts_put(struct texts *t, const char *data, size_t len)
{
	uint32_t *slot;

	more_slots(t);
	slot = slot_of(t, data, len);
	if (*slot != 0)
		return *slot;
	if (t->len + len + 1 > POOL_MOST || t->n + 2 > INT32_MAX)
		return 0;
	if (t->len + len + 1 > t->room) {
		t->room = grown(t->len + len + 1);
		t->pool = mem_resize(t->pool, t->room, 1);
	}
	if (t->n + 2 > t->ends_room) {
		t->ends_room = grown(t->n + 2);
		t->ends = mem_resize(t->ends, t->ends_room, sizeof(*t->ends));
		t->ends[0] = 0;
	}
	memcpy(t->pool + t->len, data, len);
	t->pool[t->len + len] = '\0';
	t->len += len + 1;
	t->ends[++t->n] = (uint32_t)t->len;
	*slot = (uint32_t)t->n;
	return *slot;
}

uint32_t
texts_find(const struct texts *t, const char *data, size_t len)
{
	return t->slot_count == 0 ? 0 : *slot_of(t, data, len);
}
