/*
 * One struct set for each experiment that is held. `lock` guards the list of sets, what is noted as changed, the counts, and how far
 * the feed was read; it is never held while PostgreSQL is asked. A set's `reload` lets one thread at a time bring it up to date, and
 * `rw` guards its table: searches read, a reload writes what it has fetched before. `lock` may be taken under `reload`, and neither
 * under `rw`. Several sets are read locked by rising experiment; a writer holds one `rw` only.
 *
 * A set is listed before it is loaded. A change that its load does not see is committed later, so a look after that notes it; what
 * both see is read twice, which does no harm.
 */
#include "search/columns.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "search/fetch.h"
#include "search/scan.h"
#include "store/changes.h"
#include "store/runs.h"

#define RUN_BYTES_LEAST 100    /* no run takes less */
#define DIRTY_MOST      100000 /* changed runs of a set that nobody searches: beyond, it goes */
#define DIRTY_EARLY     500    /* so many are read again without waiting for a search */
#define TOO_LARGE_MS    300000 /* so long an experiment is not tried again */
#define CROWDED_MS      60000  /* so long a search of many experiments that were too large together */
#define KEEP_MS         1000   /* a look, when none was asked for */
#define SEEN_EVERY      5      /* looks of the keeper */
#define TRIES           3
#define KEPT_MOST       1000 /* runs of a page that are kept whole */
#define KEPT_PART                                                                                            \
	8 /* and the part of the budget that those of an experiment may take before they are dropped */

struct set {
	int64_t experiment_id;
	uint64_t serial; /* no other set ever has it */
	/* under columns.lock: */
	unsigned refs; /* searches, and one for the list */
	bool listed, loading;
	int64_t too_large_until_mono_ms; /* not 0: nothing is held, and so long nobody tries */
	int64_t *dirty;                  /* run_ids, with twins */
	size_t dirty_count, dirty_room;
	size_t bytes, runs; /* as last counted */
	uint64_t used;      /* when, by a count of searches */

	pthread_mutex_t reload;
	pthread_rwlock_t rw;
	struct table table;
};

struct columns {
	struct columns_options options;
	struct parts parts;
	char server_id[33];
	pthread_mutex_t lock;
	pthread_cond_t change; /* a look or a load ended, or all ends */
	struct set **sets;     /* by experiment */
	size_t set_count, set_room;
	size_t bytes;
	uint64_t used, serial;
	int64_t crowded_until_mono_ms;
	char *snapshot; /* NULL: the feed is not followed */
	int64_t postmaster_unix_us;
	uint64_t begun, done; /* looks */
	bool looking, stopping;
	struct columns_stats stats;
	pthread_t keeper;
};

/* ---- sets; all under the lock ---- */

static struct set *
set_new(int64_t experiment_id)
{
	struct set *s = mem_alloc(sizeof(*s));
	pthread_rwlockattr_t attr;

	s->experiment_id = experiment_id;
	pthread_mutex_init(&s->reload, NULL);
	pthread_rwlockattr_init(&attr);
	/* or a writer would wait for ever while searches come and go */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&s->rw, &attr);
	pthread_rwlockattr_destroy(&attr);
	table_init(&s->table);
	return s;
}

static void
set_unref(struct set *s)
{
	if (--s->refs > 0)
		return;
	table_fini(&s->table);
	pthread_rwlock_destroy(&s->rw);
	pthread_mutex_destroy(&s->reload);
	free(s->dirty);
	free(s);
}

static size_t
place_of(const struct columns *c, int64_t experiment_id)
{
	size_t lo = 0, hi = c->set_count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c->sets[mid]->experiment_id < experiment_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct set *
find_set(const struct columns *c, int64_t experiment_id)
{
	size_t at = place_of(c, experiment_id);

	return at < c->set_count && c->sets[at]->experiment_id == experiment_id ? c->sets[at] : NULL;
}

static struct set *
list_set(struct columns *c, int64_t experiment_id)
{
	struct set *s = set_new(experiment_id);
	size_t at = place_of(c, experiment_id);

	if (c->set_count == c->set_room) {
		c->set_room = c->set_room * 2 + 16;
		c->sets = mem_resize(c->sets, c->set_room, sizeof(struct set *));
	}
	memmove(c->sets + at + 1, c->sets + at, (c->set_count - at) * sizeof(struct set *));
	c->sets[at] = s;
	c->set_count++;
	s->serial = ++c->serial;
	s->listed = s->loading = true;
	s->refs = 1;
	return s;
}

/* Who still uses it goes on with it; nobody finds it any more. */
static void
unlist_set(struct columns *c, struct set *s)
{
	size_t at = place_of(c, s->experiment_id);

	if (!s->listed)
		return;
	c->set_count--;
	memmove(c->sets + at, c->sets + at + 1, (c->set_count - at) * sizeof(struct set *));
	c->bytes -= s->bytes;
	s->listed = false;
	set_unref(s);
}

static void
unlist_all(struct columns *c)
{
	while (c->set_count > 0)
		unlist_set(c, c->sets[c->set_count - 1]);
}

static struct set *
least_used(const struct columns *c, const struct set *but)
{
	struct set *least = NULL;

	for (size_t i = 0; i < c->set_count; i++)
		if (c->sets[i] != but && !c->sets[i]->loading && c->sets[i]->bytes > 0 &&
			(least == NULL || c->sets[i]->used < least->used))
			least = c->sets[i];
	return least;
}

static void
leave_too_large(struct columns *c, struct set *s)
{
	struct set *note;

	if (!s->listed)
		return;
	log_info("search_memory", "experiment=%lld message=\"too large for --search-memory\"",
		(long long)s->experiment_id);
	unlist_set(c, s);
	note = list_set(c, s->experiment_id);
	note->loading = false;
	note->too_large_until_mono_ms = clock_mono_ms() + TOO_LARGE_MS;
}

/* Count what it takes now; others go when all take too much, and itself when it is too large alone. False: it is. */
static bool
charge(struct columns *c, struct set *s, size_t bytes)
{
	struct set *least;

	if (bytes > c->options.budget_bytes) {
		leave_too_large(c, s);
		return false;
	}
	if (!s->listed)
		return true;
	c->bytes += bytes - s->bytes;
	s->bytes = bytes;
	s->runs = s->table.rows;
	while (c->bytes > c->options.budget_bytes && (least = least_used(c, s)) != NULL) {
		unlist_set(c, least);
		c->stats.evictions++;
	}
	return true;
}

static void
note_dirty(struct columns *c, struct set *s, int64_t run_id)
{
	if (s->too_large_until_mono_ms != 0)
		return;
	if (s->dirty_count >= DIRTY_MOST && s->listed && !s->loading) {
		unlist_set(c, s);
		return;
	}
	if (s->dirty_count == s->dirty_room) {
		s->dirty_room = s->dirty_room * 2 + 16;
		s->dirty = mem_resize(s->dirty, s->dirty_room, sizeof(*s->dirty));
	}
	s->dirty[s->dirty_count++] = run_id;
}

/* ---- waiting, with the lock ---- */

static enum status
wait_change(struct columns *c, struct ctx *cx)
{
	struct timespec until = { .tv_sec = (time_t)(cx->deadline_mono_ms / 1000),
		.tv_nsec = (long)(cx->deadline_mono_ms % 1000) * 1000000L };

	if (cx->deadline_mono_ms == 0) {
		pthread_cond_wait(&c->change, &c->lock);
		return OK;
	}
	if (pthread_cond_timedwait(&c->change, &c->lock, &until) == 0)
		return OK;
	return fail(cx, TIMED_OUT, "the request took too long: the experiment's runs are being read");
}

/* ---- following the feed ---- */

static enum status
ask_changes(struct columns *c, struct ctx *cx, const char *since, struct change_look *look)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(cx, &tx)) == OK && (st = store_change_look(tx, since, c->server_id, look)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

/* From now on the feed is kept for this server. */
static enum status
join(struct columns *c, struct ctx *cx)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = store_server_put(tx, c->server_id)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

/* Under the lock. False: changes may be missing, so that nothing in memory can be trusted, and the feed must be joined anew. */
static bool
take_look(struct columns *c, const struct change_look *look)
{
	bool first = c->snapshot == NULL;
	bool good = look->known && (first || look->postmaster_unix_us == c->postmaster_unix_us);

	free(c->snapshot);
	c->snapshot = good ? mem_str(look->snapshot) : NULL;
	c->postmaster_unix_us = look->postmaster_unix_us;
	c->stats.looks++;
	if (!good || look->n > CHANGE_LOOK_MOST)
		unlist_all(c);
	for (size_t i = 0; good && i < look->n; i++) {
		struct set *s = find_set(c, look->experiment_ids[i]);

		if (s != NULL)
			note_dirty(c, s, look->run_ids[i]);
	}
	return good;
}

/* Only one thread looks at a time, so c->snapshot is its own to read. */
static enum status
look(struct columns *c, struct ctx *cx)
{
	enum status st = OK;
	bool good = false;

	for (int i = 0; st == OK && !good && i < TRIES; i++) {
		struct change_look changes;

		if (c->snapshot == NULL && (st = join(c, cx)) != OK)
			break;
		if ((st = ask_changes(c, cx, c->snapshot, &changes)) != OK)
			break;
		pthread_mutex_lock(&c->lock);
		good = take_look(c, &changes);
		pthread_mutex_unlock(&c->lock);
	}
	if (st == OK && !good)
		return fail(cx, UNAVAILABLE, "PostgreSQL was started again; try again");
	return st;
}

/* When it returns, a look has been made that began after the call: many searches share one. */
static enum status
follow(struct columns *c, struct ctx *cx)
{
	enum status st = OK;
	uint64_t need, mine;

	pthread_mutex_lock(&c->lock);
	need = c->begun + 1;
	while (st == OK && c->done < need) {
		if (c->looking) {
			st = wait_change(c, cx);
			continue;
		}
		c->looking = true;
		mine = ++c->begun;
		pthread_mutex_unlock(&c->lock);
		st = look(c, cx);
		pthread_mutex_lock(&c->lock);
		c->looking = false;
		if (st == OK)
			c->done = mine;
		pthread_cond_broadcast(&c->change);
	}
	pthread_mutex_unlock(&c->lock);
	return st;
}

/* ---- reading runs ---- */

/* A ctx with memory of its own: what is read in between must not stay until the request ends. */
static void
borrow_ctx(struct ctx *own, const struct ctx *cx)
{
	*own = *cx;
	own->arena = arena_new();
}

static enum status
return_ctx(struct ctx *own, struct ctx *cx, enum status st)
{
	arena_free(own->arena);
	return st == OK ? OK : fail(cx, st, "%s", own->message);
}

static bool
count_bytes(struct columns *c, struct set *s)
{
	bool fits;

	pthread_mutex_lock(&c->lock);
	fits = charge(c, s, table_bytes(&s->table));
	pthread_mutex_unlock(&c->lock);
	return fits;
}

/* Nobody reads the table yet. */
static enum status
load_runs(struct columns *c, struct ctx *own, struct set *s, const int64_t *ids, size_t n, bool *fits)
{
	enum status st = OK;

	for (size_t i = 0; st == OK && *fits && i < n; i += FETCH_RUNS) {
		struct fetched f;

		arena_reset(own->arena);
		st = fetch_runs(
			own, c->options.status_name, ids + i, n - i < FETCH_RUNS ? n - i : FETCH_RUNS, &f);
		if (st == OK) {
			fetch_apply(&f, &s->table);
			*fits = count_bytes(c, s);
		}
	}
	s->table.tidied_len = s->table.texts.len;
	return st;
}

static enum status
read_ids(struct ctx *own, int64_t experiment_id, int64_t **ids, size_t *n)
{
	const int64_t *found;
	struct tx *tx = NULL;
	enum status st;

	*ids = NULL;
	if ((st = tx_auto(own, &tx)) == OK && (st = store_run_ids(tx, experiment_id, &found, n)) == OK) {
		*ids = mem_array(*n + 1, sizeof(**ids));
		if (*n > 0)
			memcpy(*ids, found, *n * sizeof(**ids));
	}
	tx_rollback(&tx);
	return st;
}

static enum status
load(struct columns *c, struct ctx *cx, struct set *s, bool *fits)
{
	int64_t *ids, since = clock_mono_ms();
	struct ctx own;
	size_t n;
	enum status st;

	borrow_ctx(&own, cx);
	own.deadline_mono_ms = 0; /* others wait for it too */
	*fits = true;
	if ((st = read_ids(&own, s->experiment_id, &ids, &n)) == OK) {
		*fits = n <= c->options.budget_bytes / RUN_BYTES_LEAST;
		st = load_runs(c, &own, s, ids, n, fits);
	}
	if (st == OK && *fits)
		log_debug("search_load", "experiment=%lld runs=%zu bytes=%zu ms=%lld",
			(long long)s->experiment_id, n, table_bytes(&s->table),
			(long long)(clock_mono_ms() - since));
	free(ids);
	return return_ctx(&own, cx, st);
}

static int
by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static size_t
sort_unique(int64_t *v, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || v[kept - 1] != v[i])
			v[kept++] = v[i];
	return kept;
}

static int64_t *
take_dirty(struct columns *c, struct set *s, size_t *n)
{
	int64_t *ids;

	pthread_mutex_lock(&c->lock);
	ids = s->dirty;
	*n = s->dirty_count;
	s->dirty = NULL;
	s->dirty_count = s->dirty_room = 0;
	pthread_mutex_unlock(&c->lock);
	*n = sort_unique(ids, *n);
	return ids;
}

static void
give_back(struct columns *c, struct set *s, const int64_t *ids, size_t n)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < n; i++)
		note_dirty(c, s, ids[i]);
	pthread_mutex_unlock(&c->lock);
}

static enum status
reload_runs(struct columns *c, struct ctx *cx, struct set *s, const int64_t *ids, size_t n)
{
	struct ctx own;
	struct fetched f;
	enum status st = OK;
	size_t i = 0;

	borrow_ctx(&own, cx);
	for (; i < n; i += FETCH_RUNS) {
		arena_reset(own.arena);
		if ((st = fetch_runs(&own, c->options.status_name, ids + i,
			     n - i < FETCH_RUNS ? n - i : FETCH_RUNS, &f)) != OK)
			break;
		pthread_rwlock_wrlock(&s->rw);
		fetch_apply(&f, &s->table);
		pthread_rwlock_unlock(&s->rw);
	}
	if (st != OK)
		give_back(c, s, ids + i, n - i);
	return return_ctx(&own, cx, st);
}

/* With rw for writing: whole runs are the first to go. */
static void
keep_within(const struct columns *c, struct set *s)
{
	if (s->table.kept_bytes > c->options.budget_bytes / KEPT_PART ||
		table_bytes(&s->table) > c->options.budget_bytes)
		table_drop_kept(&s->table);
}

/* What is noted as changed is read again. *fits false: it has outgrown the budget. */
static enum status
refresh(struct columns *c, struct ctx *cx, struct set *s, bool *fits)
{
	enum status st = OK;
	int64_t *ids;
	size_t n;

	*fits = true;
	pthread_mutex_lock(&s->reload);
	ids = take_dirty(c, s, &n);
	if (n > 0) {
		st = reload_runs(c, cx, s, ids, n);
		pthread_rwlock_wrlock(&s->rw);
		table_tidy(&s->table);
		keep_within(c, s);
		pthread_rwlock_unlock(&s->rw);
		pthread_mutex_lock(&c->lock);
		c->stats.reloads += n;
		*fits = charge(c, s, table_bytes(&s->table)) && !s->table.unfit;
		if (s->table.unfit)
			leave_too_large(c, s);
		pthread_mutex_unlock(&c->lock);
	}
	free(ids);
	pthread_mutex_unlock(&s->reload);
	return st;
}

/* ---- getting hold of sets ---- */

/* Under the lock: the set, listed, when it can be used or waited for; NULL: to be loaded. */
static struct set *
usable(struct columns *c, int64_t experiment_id)
{
	struct set *s = find_set(c, experiment_id);

	if (s != NULL && s->too_large_until_mono_ms != 0 && clock_mono_ms() >= s->too_large_until_mono_ms) {
		unlist_set(c, s);
		return NULL;
	}
	return s;
}

/* Under the lock, which is let go meanwhile; the set comes with a reference. */
static enum status
load_set(struct columns *c, struct ctx *cx, int64_t experiment_id, struct set **out, bool *fits)
{
	struct set *s = list_set(c, experiment_id);
	enum status st;

	s->refs++;
	s->used = ++c->used;
	c->stats.loads++;
	pthread_mutex_unlock(&c->lock);
	st = load(c, cx, s, fits);
	pthread_mutex_lock(&c->lock);
	s->loading = false;
	if (st != OK)
		unlist_set(c, s);
	else if (!*fits || s->table.unfit)
		leave_too_large(c, s);
	else if (s->table.rows == 0)
		unlist_set(c, s); /* quickly read again; ids that are no experiments must not gather */
	*fits = *fits && !s->table.unfit;
	pthread_cond_broadcast(&c->change);
	*out = s;
	return st;
}

/* *out with a reference, to be brought up to date; NULL: not to be had from memory. */
static enum status
acquire(struct columns *c, struct ctx *cx, int64_t experiment_id, struct set **out)
{
	struct set *s;
	bool fits = true;
	enum status st = OK;

	*out = NULL;
	pthread_mutex_lock(&c->lock);
	while ((s = usable(c, experiment_id)) != NULL && s->loading && st == OK)
		st = wait_change(c, cx);
	if (st == OK && s != NULL && s->too_large_until_mono_ms == 0) {
		s->refs++;
		s->used = ++c->used;
		*out = s;
	} else if (st == OK && s == NULL && c->snapshot != NULL) {
		st = load_set(c, cx, experiment_id, out, &fits);
		if (st != OK || !fits) {
			set_unref(*out);
			*out = NULL;
		}
	}
	pthread_mutex_unlock(&c->lock);
	return st;
}

struct held {
	struct set **sets; /* by experiment */
	size_t n;
};

static void
release(struct columns *c, struct held *h)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < h->n; i++)
		set_unref(h->sets[i]);
	pthread_mutex_unlock(&c->lock);
	h->n = 0;
}

/* Together they must fit too, or each search would throw out what the one before has read. */
static bool
fit_together(struct columns *c, const struct held *h)
{
	size_t bytes = 0;
	bool fits;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < h->n; i++)
		bytes += h->sets[i]->bytes;
	fits = bytes <= c->options.budget_bytes;
	if (!fits)
		c->crowded_until_mono_ms = clock_mono_ms() + CROWDED_MS;
	pthread_mutex_unlock(&c->lock);
	return fits;
}

static bool
is_crowded(struct columns *c, const int64_t *ids, size_t n)
{
	bool crowded = false;

	pthread_mutex_lock(&c->lock);
	if (n > 1 && clock_mono_ms() < c->crowded_until_mono_ms)
		for (size_t i = 0; i < n && !crowded; i++)
			crowded = find_set(c, ids[i]) == NULL;
	pthread_mutex_unlock(&c->lock);
	return crowded;
}

static enum status
hold_all(struct columns *c, struct ctx *cx, const int64_t *ids, size_t n, struct held *h, bool *served)
{
	enum status st = OK;

	*served = !is_crowded(c, ids, n);
	for (size_t i = 0; st == OK && *served && i < n; i++) {
		struct set *s;

		if ((st = acquire(c, cx, ids[i], &s)) != OK)
			break;
		*served = s != NULL;
		if (s == NULL)
			break;
		h->sets[h->n++] = s;
		if ((st = refresh(c, cx, s, served)) == OK && *served)
			*served = fit_together(c, h);
	}
	return st;
}

/* ---- searching ---- */

static struct columns_hit
hit_of(struct ctx *cx, const struct held *h, const struct scan_hit *at)
{
	const struct table *t = at->table;
	const struct kept *kept = table_kept(t, at->row);
	struct columns_hit hit = {
		.run_id = ((const int64_t *)t->run_ids.at[at->row / PAGE_ROWS])[at->row % PAGE_ROWS],
		.version = table_version(t, at->row)
	};

	for (size_t i = 0; i < h->n; i++)
		if (&h->sets[i]->table == t) {
			hit.experiment_id = h->sets[i]->experiment_id;
			hit.set = h->sets[i]->serial;
		}
	if (kept != NULL)
		hit.run = kept_copy(kept, cx->arena);
	return hit;
}

static void
scan_all(struct ctx *cx, const struct columns_query *q, const struct held *h, struct columns_hit **hits,
	size_t *n, const char **next_token)
{
	struct scan *s = scan_new(cx, q->search, q->view, q->after, q->limit);
	struct scan_hit *found;

	for (size_t i = 0; i < h->n; i++)
		pthread_rwlock_rdlock(&h->sets[i]->rw);
	for (size_t i = 0; i < h->n; i++)
		scan_table(s, &h->sets[i]->table);
	scan_end(s, &found, n, next_token);
	*hits = arena_array(cx->arena, *n + 1, sizeof(**hits));
	for (size_t i = 0; i < *n; i++)
		(*hits)[i] = hit_of(cx, h, &found[i]);
	for (size_t i = 0; i < h->n; i++)
		pthread_rwlock_unlock(&h->sets[i]->rw);
}

enum status
columns_search(struct columns *c, struct ctx *cx, const struct columns_query *q, struct columns_hit **hits,
	size_t *n, const char **next_token, bool *served)
{
	int64_t *ids = arena_array(cx->arena, q->experiment_count + 1, sizeof(*ids));
	struct held h = { 0 };
	size_t count;
	enum status st;

	*served = c->options.budget_bytes > 0 && scan_can(q->search);
	if (!*served)
		return OK;
	if (q->experiment_count > 0)
		memcpy(ids, q->experiments, q->experiment_count * sizeof(*ids));
	count = sort_unique(ids, q->experiment_count);
	h.sets = arena_array(cx->arena, count + 1, sizeof(struct set *));
	if ((st = follow(c, cx)) == OK && (st = hold_all(c, cx, ids, count, &h, served)) == OK && *served)
		scan_all(cx, q, &h, hits, n, next_token);
	release(c, &h);
	return st;
}

/* The set that a hit was found in, with a reference, if it is still there. */
static struct set *
set_of_hit(struct columns *c, const struct columns_hit *hit)
{
	struct set *s;

	pthread_mutex_lock(&c->lock);
	s = find_set(c, hit->experiment_id);
	if (s != NULL && (s->serial != hit->set || s->loading))
		s = NULL;
	if (s != NULL)
		s->refs++;
	pthread_mutex_unlock(&c->lock);
	return s;
}

/* All hits of one set; `reload` keeps others from writing, as everywhere. */
static void
keep_in_set(struct columns *c, struct set *s, const struct columns_hit *hits, size_t n)
{
	pthread_mutex_lock(&s->reload);
	pthread_rwlock_wrlock(&s->rw);
	keep_within(c, s);
	for (size_t i = 0; i < n; i++)
		if (hits[i].set == s->serial && hits[i].run != NULL)
			table_keep(&s->table, hits[i].run, hits[i].version);
	keep_within(c, s);
	pthread_rwlock_unlock(&s->rw);
	(void)count_bytes(c, s);
	pthread_mutex_unlock(&s->reload);
}

void
columns_keep(struct columns *c, const struct columns_hit *hits, size_t n)
{
	uint64_t done = 0;

	for (size_t i = 0; n <= KEPT_MOST && i < n; i++) {
		struct set *s;

		if (hits[i].set == done || hits[i].run == NULL || (s = set_of_hit(c, &hits[i])) == NULL)
			continue;
		done = s->serial;
		keep_in_set(c, s, hits, n);
		pthread_mutex_lock(&c->lock);
		set_unref(s);
		pthread_mutex_unlock(&c->lock);
	}
}

void
columns_stats(struct columns *c, struct columns_stats *out)
{
	pthread_mutex_lock(&c->lock);
	*out = c->stats;
	out->experiments = out->runs = 0;
	out->bytes = c->bytes;
	for (size_t i = 0; i < c->set_count; i++) {
		out->experiments += c->sets[i]->bytes > 0 && !c->sets[i]->loading;
		out->runs += c->sets[i]->runs;
	}
	pthread_mutex_unlock(&c->lock);
}

/* ---- the keeper: looks when nobody else does, and says that this server lives ---- */

/* One of the sets that changed much, with a reference. */
static struct set *
much_changed(struct columns *c)
{
	struct set *found = NULL;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->set_count && found == NULL; i++)
		if (c->sets[i]->dirty_count >= DIRTY_EARLY && !c->sets[i]->loading)
			found = c->sets[i];
	if (found != NULL)
		found->refs++;
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void
keep_up(struct columns *c, struct ctx *cx)
{
	struct held h = { .n = 1 };
	struct set *s;
	enum status st = follow(c, cx);

	while (st == OK && (s = much_changed(c)) != NULL) {
		bool fits;

		st = refresh(c, cx, s, &fits);
		h = (struct held){ &s, 1 };
		release(c, &h);
	}
}

static void
say_seen(struct columns *c, struct ctx *cx)
{
	struct tx *tx = NULL;
	char *snapshot;

	pthread_mutex_lock(&c->lock);
	snapshot = mem_str(c->snapshot);
	pthread_mutex_unlock(&c->lock);
	if (snapshot != NULL && tx_auto(cx, &tx) == OK &&
		store_server_seen(tx, c->server_id, snapshot) == OK && tx_commit(&tx) != OK)
		log_debug("search_seen", "message=\"%s\"", cx->message);
	tx_rollback(&tx);
	free(snapshot);
}

static void
leave(struct columns *c, struct ctx *cx)
{
	struct tx *tx = NULL;

	if (c->snapshot != NULL && tx_auto(cx, &tx) == OK && store_server_delete(tx, c->server_id) == OK &&
		tx_commit(&tx) != OK)
		log_debug("search_leave", "message=\"%s\"", cx->message);
	tx_rollback(&tx);
}

/* True: nothing to follow, or a second has passed. False: stop. */
static bool
pause_keeper(struct columns *c, bool *following)
{
	int64_t until = clock_mono_ms() + KEEP_MS;
	struct timespec ts = { .tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000) * 1000000L };
	bool go_on;

	pthread_mutex_lock(&c->lock);
	while (!c->stopping && pthread_cond_timedwait(&c->change, &c->lock, &ts) == 0)
		;
	go_on = !c->stopping;
	*following = c->snapshot != NULL;
	pthread_mutex_unlock(&c->lock);
	return go_on;
}

static void *
keeper_main(void *arg)
{
	struct columns *c = arg;
	struct arena *arena = arena_new();
	struct ctx cx;
	bool following;

	for (unsigned i = 0; pause_keeper(c, &following); i++) {
		arena_reset(arena);
		ctx_init(&cx, arena, &c->parts);
		if (following)
			keep_up(c, &cx);
		if (following && i % SEEN_EVERY == 0)
			say_seen(c, &cx);
	}
	ctx_init(&cx, arena, &c->parts);
	leave(c, &cx);
	arena_free(arena);
	return NULL;
}

/* ---- start and stop ---- */

struct columns *
columns_start(const struct columns_options *options)
{
	struct columns *c = mem_alloc(sizeof(*c));
	pthread_condattr_t attr;

	c->options = *options;
	c->parts.pool = options->pool;
	random_hex(c->server_id, 16);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->change, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&c->keeper, NULL, keeper_main, c) != 0) {
		log_error("columns", "message=\"no thread to follow the database\"");
		abort();
	}
	return c;
}

void
columns_stop(struct columns *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_broadcast(&c->change);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->keeper, NULL);
	unlist_all(c);
	free(c->sets);
	free(c->snapshot);
	pthread_cond_destroy(&c->change);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
