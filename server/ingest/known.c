#include "ingest/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct known {
	struct known_run *places;
	size_t size, n, most; /* size is a power of two, or 0 */
};

struct known *
known_new(size_t most)
{
	struct known *k = mem_alloc(sizeof(*k));

	k->most = most;
	return k;
}

static void
clear(struct known *k)
{
	for (size_t i = 0; i < k->size; i++)
		free(k->places[i].uuid);
	free(k->places);
	k->places = NULL;
	k->size = k->n = 0;
}

void
known_free(struct known *k)
{
	if (k == NULL)
		return;
	clear(k);
	free(k);
}

/* FNV-1a: what is hashed are ids that the server made. */
static size_t
hash_of(const char *uuid)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *uuid != '\0'; uuid++)
		h = (h ^ (unsigned char)*uuid) * UINT64_C(1099511628211);
	return (size_t)(h >> 20 ^ h);
}

/* Where it is, or where it would go. There is a free place. */
static struct known_run *
place_of(struct known_run *places, size_t size, const char *uuid)
{
	size_t at = hash_of(uuid) & (size - 1);

	while (places[at].uuid != NULL && strcmp(places[at].uuid, uuid) != 0)
		at = (at + 1) & (size - 1);
	return &places[at];
}

const struct known_run *
known_find(const struct known *k, const char *uuid)
{
	const struct known_run *place;

	if (k->size == 0)
		return NULL;
	place = place_of(k->places, k->size, uuid);
	return place->run_id == 0 ? NULL : place;
}

static void
grow(struct known *k)
{
	size_t size = k->size == 0 ? 64 : k->size * 2;
	struct known_run *places;

	if (k->n * 4 < k->size * 3)
		return;
	places = mem_array(size, sizeof(*places));
	for (size_t i = 0; i < k->size; i++)
		if (k->places[i].uuid != NULL)
			*place_of(places, size, k->places[i].uuid) = k->places[i];
	free(k->places);
	k->places = places;
	k->size = size;
}

void
known_add(struct known *k, const char *uuid, int64_t run_id, int64_t experiment_id)
{
	struct known_run *place;

	if (k->n >= k->most)
		clear(k);
	grow(k);
	place = place_of(k->places, k->size, uuid);
	if (place->uuid == NULL) {
		place->uuid = mem_str(uuid);
		k->n++;
	}
	place->run_id = run_id;
	place->experiment_id = experiment_id;
}

void
known_forget(struct known *k, const char *uuid)
{
	if (k->size > 0)
		place_of(k->places, k->size, uuid)->run_id = 0;
}
