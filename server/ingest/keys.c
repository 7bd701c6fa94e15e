#include "ingest/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/metrics.h"

struct entry {
	int64_t experiment_id;
	char *name; /* owned; NULL: free */
	int32_t key_id;
};

struct table {
	struct entry *entries;
	size_t size, n; /* size is a power of two */
	size_t bytes;
};

struct keys {
	pthread_mutex_t lock;
	struct table table;
	size_t limit_bytes;
};

struct want {
	int64_t experiment_id;
	const char *name; /* borrowed */
};

struct key_work {
	struct keys *shared;
	struct table fresh;
	struct want *wants;
	size_t n, room;
};

/* ---- the table ---- */

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void
make_seed(void)
{
	seed[0] = random_u64();
	seed[1] = random_u64();
}

static uint64_t
turn(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = turn(v[1], 13) ^ v[0];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] = turn(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = turn(v[3], 21) ^ v[0];
	v[1] = turn(v[1], 17) ^ v[2];
	v[2] = turn(v[2], 32);
}

/* SipHash-1-3: names come from users, who must not choose where they fall. */
static uint64_t
hash_of(int64_t experiment_id, const char *name)
{
	uint64_t v[4] = { seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
		seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573) };
	size_t left = strlen(name), len = left;
	uint64_t word = (uint64_t)experiment_id;

	for (;; name += 8, left -= 8) {
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
		if (left < 8)
			break;
		memcpy(&word, name, 8);
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)(unsigned char)name[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Where it is, or where it would go. The table has a free place. */
static struct entry *
table_place(const struct table *t, int64_t experiment_id, const char *name)
{
	size_t at = (size_t)hash_of(experiment_id, name) & (t->size - 1);

	while (t->entries[at].name != NULL &&
		(t->entries[at].experiment_id != experiment_id || strcmp(t->entries[at].name, name) != 0))
		at = (at + 1) & (t->size - 1);
	return &t->entries[at];
}

static int32_t
table_find(const struct table *t, int64_t experiment_id, const char *name)
{
	return t->size == 0 ? 0 : table_place(t, experiment_id, name)->key_id;
}

static void
table_grow(struct table *t)
{
	struct table bigger = { .size = t->size == 0 ? 64 : t->size * 2, .n = t->n, .bytes = t->bytes };

	if (t->n * 4 < t->size * 3)
		return;
	bigger.entries = mem_array(bigger.size, sizeof(*bigger.entries));
	for (size_t i = 0; i < t->size; i++)
		if (t->entries[i].name != NULL)
			*table_place(&bigger, t->entries[i].experiment_id, t->entries[i].name) =
				t->entries[i];
	free(t->entries);
	*t = bigger;
}

static void
table_add(struct table *t, int64_t experiment_id, const char *name, int32_t key_id)
{
	struct entry *e;

	table_grow(t);
	e = table_place(t, experiment_id, name);
	if (e->name != NULL)
		return;
	*e = (struct entry){ experiment_id, mem_str(name), key_id };
	t->n++;
	t->bytes += 2 * sizeof(*e) + strlen(name) + 16;
}

static void
table_clear(struct table *t)
{
	for (size_t i = 0; i < t->size; i++)
		free(t->entries[i].name);
	free(t->entries);
	*t = (struct table){ 0 };
}

/* ---- what all know ---- */

struct keys *
keys_new(size_t limit_bytes)
{
	struct keys *k = mem_alloc(sizeof(*k));

	pthread_once(&seeded, make_seed);
	pthread_mutex_init(&k->lock, NULL);
	k->limit_bytes = limit_bytes;
	return k;
}

void
keys_free(struct keys *k)
{
	if (k == NULL)
		return;
	table_clear(&k->table);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* ---- one transaction ---- */

struct key_work *
key_work_new(struct keys *shared)
{
	struct key_work *w = mem_alloc(sizeof(*w));

	w->shared = shared;
	return w;
}

void
key_work_free(struct key_work *w)
{
	if (w == NULL)
		return;
	table_clear(&w->fresh);
	free(w->wants);
	free(w);
}

int32_t
key_work_find(struct key_work *w, int64_t experiment_id, const char *name)
{
	int32_t key_id;

	pthread_mutex_lock(&w->shared->lock);
	key_id = table_find(&w->shared->table, experiment_id, name);
	pthread_mutex_unlock(&w->shared->lock);
	if (key_id == 0)
		key_id = table_find(&w->fresh, experiment_id, name);
	if (key_id != 0)
		return key_id;
	if (w->n == w->room) {
		w->room = w->room * 2 + 64;
		w->wants = mem_resize(w->wants, w->room, sizeof(*w->wants));
	}
	w->wants[w->n++] = (struct want){ experiment_id, name };
	return 0;
}

size_t
key_work_missing(const struct key_work *w)
{
	return w->n;
}

static int
by_name(const void *a, const void *b)
{
	const struct want *x = a, *y = b;

	if (x->experiment_id != y->experiment_id)
		return x->experiment_id < y->experiment_id ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
add_all(struct key_work *w, const struct metric_key *found, size_t n)
{
	for (size_t i = 0; i < n; i++)
		table_add(&w->fresh, found[i].experiment_id, found[i].name, found[i].key_id);
}

/* Most names that this process does not know are known to PostgreSQL: only the rest is made, under a lock. */
static enum status
make_for(struct key_work *w, struct tx *tx, int64_t experiment_id, const char **names, size_t n)
{
	struct metric_key *found;
	size_t count, left = 0;
	enum status st;

	if ((st = store_metric_keys_find(tx, experiment_id, names, n, &found, &count)) != OK)
		return st;
	add_all(w, found, count);
	for (size_t i = 0; i < n; i++)
		if (table_find(&w->fresh, experiment_id, names[i]) == 0)
			names[left++] = names[i];
	if (left == 0)
		return OK;
	if ((st = store_metric_keys_make(tx, experiment_id, names, left, &found, &count)) != OK)
		return st;
	add_all(w, found, count);
	if (count != left)
		return fail(
			tx_ctx(tx), INTERNAL, "%zu of %zu metric names got no number", left - count, left);
	return OK;
}

/* In order of experiments, so that two who make names for the same ones do not wait for each other. */
enum status
key_work_make(struct key_work *w, struct tx *tx)
{
	const char **names = arena_array(tx_ctx(tx)->arena, w->n, sizeof(*names));
	enum status st = OK;
	size_t i = 0;

	qsort(w->wants, w->n, sizeof(*w->wants), by_name);
	while (st == OK && i < w->n) {
		int64_t experiment_id = w->wants[i].experiment_id;
		size_t n = 0;

		for (; i < w->n && w->wants[i].experiment_id == experiment_id; i++)
			if (n == 0 || strcmp(names[n - 1], w->wants[i].name) != 0)
				names[n++] = w->wants[i].name;
		st = make_for(w, tx, experiment_id, names, n);
	}
	w->n = 0;
	return st;
}

bool
key_work_looked(const struct key_work *w)
{
	return w->fresh.n > 0;
}

void
key_work_committed(struct key_work *w)
{
	struct keys *k = w->shared;

	w->n = 0;
	if (w->fresh.n == 0)
		return;
	pthread_mutex_lock(&k->lock);
	if (k->table.bytes + w->fresh.bytes > k->limit_bytes)
		table_clear(&k->table);
	for (size_t i = 0; i < w->fresh.size; i++)
		if (w->fresh.entries[i].name != NULL)
			table_add(&k->table, w->fresh.entries[i].experiment_id, w->fresh.entries[i].name,
				w->fresh.entries[i].key_id);
	pthread_mutex_unlock(&k->lock);
	table_clear(&w->fresh);
}

void
key_work_forget(struct key_work *w)
{
	w->n = 0;
	if (w->fresh.n > 0)
		table_clear(&w->fresh);
}
