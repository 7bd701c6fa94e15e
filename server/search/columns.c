/*
 * One struct set for each experiment that is held. `lock` guards the list of sets, what is noted as changed, the counts, and how far
 * the feed was read; it is never held while PostgreSQL is asked. A set's `reload` lets one thread at a time bring it up to date, and
 * `rw` guards its table: searches read, a reload writes what it has fetched before. `lock` may be taken under `reload`, and neither
 * under `rw`. Several sets are read locked by rising experiment; a writer holds one `rw` only.
 *
 * A set is listed before it is loaded. A change that its load does not see is committed later, so a look after that notes it; what
 * both see is read twice, which does no harm.
 *
 * Beside what a set always holds it has extras: columns of other numbers of a metric than the latest, made when a search first names
 * them. Whoever makes one lists it (under `lock`), has the table want it, so that every reload fills it, and then fills it block by
 * block under `reload`, which others get in between. A search pins those it names until it has scanned.
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
#include "search/block.h"
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
#define CELL_BYTES      8    /* of an extra, a row */
#define RELOAD_FEW      20   /* changed runs that are read at once whatever they hold */
#define KEPT_MOST       1000 /* runs of a page that are kept whole */
#define KEPT_PART                                                                                            \
	8 /* and the part of the budget that those of an experiment may take before they are dropped */

enum extra_state { EXTRA_FILLING, EXTRA_READY, EXTRA_GOING };

/* All of it under columns.lock. */
struct extra {
	struct set *set;
	enum search_aggregate aggregate;
	char *key; /* owned */
	enum extra_state state;
	unsigned pins; /* searches that have it in hand */
	uint64_t used;
	size_t bytes; /* as last counted; 0 until it is filled */
	struct extra *next_going;
};

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
	struct extra **extras;
	size_t extra_count;
	size_t going_bytes; /* of extras that are about to be freed */
	size_t block;       /* runs that are read at a time; under reload */

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
	unsigned waiting; /* searches that wait for runs to be read */
	struct extra *going;
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
	s->block = BLOCK_FIRST;
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
extra_free(struct extra *e)
{
	free(e->key);
	free(e);
}

static void
set_unref(struct set *s)
{
	if (--s->refs > 0)
		return;
	for (size_t i = 0; i < s->extra_count; i++)
		extra_free(s->extras[i]);
	free(s->extras);
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

/* The extra of a set that no search has in hand and that was used longest ago, when that is before `least`. */
static struct extra *
lesser_extra(const struct set *s, struct extra *least)
{
	for (size_t i = 0; i < s->extra_count; i++) {
		struct extra *e = s->extras[i];

		if (e->state == EXTRA_READY && e->pins == 0 && (least == NULL || e->used < least->used))
			least = e;
	}
	return least;
}

static struct extra *
least_extra(const struct columns *c)
{
	struct extra *least = NULL;

	for (size_t i = 0; i < c->set_count; i++)
		least = lesser_extra(c->sets[i], least);
	return least;
}

static void
count_set(struct columns *c, struct set *s, size_t bytes)
{
	c->bytes += s->listed ? bytes - s->bytes : 0;
	s->bytes = bytes;
}

/* It counts no longer, and drop_going() frees it. */
static void
let_go(struct columns *c, struct extra *e)
{
	struct set *s = e->set;

	e->state = EXTRA_GOING;
	s->refs++;
	e->next_going = c->going;
	c->going = e;
	s->going_bytes += e->bytes;
	count_set(c, s, s->bytes - e->bytes);
}

static size_t
evict_extra(struct columns *c, struct extra *e)
{
	c->stats.evictions++;
	let_go(c, e);
	return e->bytes;
}

/* A set or an extra, whatever was used longest ago. False: there is nothing to let go. */
static bool
drop_least(struct columns *c, const struct set *but)
{
	struct set *least = least_used(c, but);
	struct extra *extra = least_extra(c);

	if (extra == NULL && least == NULL)
		return false;
	if (extra != NULL && (least == NULL || extra->used < least->used)) {
		(void)evict_extra(c, extra);
	} else {
		c->stats.evictions++;
		unlist_set(c, least);
	}
	return true;
}

/* Count what it takes now; others go when all take too much, and itself when it is too large alone. False: it is. */
static bool
charge(struct columns *c, struct set *s, size_t bytes)
{
	struct extra *e;

	bytes -= s->going_bytes < bytes ? s->going_bytes : bytes;
	count_set(c, s, bytes);
	while (s->bytes > c->options.budget_bytes && (e = lesser_extra(s, NULL)) != NULL)
		(void)evict_extra(c, e);
	if (s->bytes > c->options.budget_bytes) {
		leave_too_large(c, s);
		return false;
	}
	if (!s->listed)
		return true;
	while (c->bytes > c->options.budget_bytes && drop_least(c, s))
		;
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

/* The same for a search that needs runs which somebody else is reading: not every worker of the server may wait for these. */
static enum status
wait_reading(struct columns *c, struct ctx *cx)
{
	enum status st;

	if (c->options.waiting_most > 0 && c->waiting >= c->options.waiting_most)
		return fail(cx, UNAVAILABLE,
			"the experiment's runs are being read for other searches; try again");
	c->waiting++;
	st = wait_change(c, cx);
	c->waiting--;
	return st;
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

static size_t
remove_extra(struct set *s, const struct extra *e)
{
	size_t at = 0;

	while (s->extras[at] != e)
		at++;
	s->extras[at] = s->extras[--s->extra_count];
	return e->bytes;
}

/* Under the lock. */
static struct extra *
take_going(struct columns *c)
{
	struct extra *e = c->going;

	if (e != NULL)
		c->going = e->next_going;
	return e;
}

/* Frees what was let go. Without the lock and any rw. */
static void
drop_going(struct columns *c)
{
	struct extra *e;

	pthread_mutex_lock(&c->lock);
	while ((e = take_going(c)) != NULL) {
		struct set *s = e->set;

		pthread_mutex_unlock(&c->lock);
		pthread_rwlock_wrlock(&s->rw);
		table_drop(&s->table, e->aggregate, e->key);
		pthread_rwlock_unlock(&s->rw);
		pthread_mutex_lock(&c->lock);
		s->going_bytes -= remove_extra(s, e);
		extra_free(e);
		set_unref(s);
		pthread_cond_broadcast(&c->change);
	}
	pthread_mutex_unlock(&c->lock);
}

static bool
count_bytes(struct columns *c, struct set *s)
{
	size_t bytes, rows;
	bool fits;

	pthread_rwlock_rdlock(&s->rw);
	bytes = table_bytes(&s->table);
	rows = s->table.rows;
	fits = !s->table.unfit;
	pthread_rwlock_unlock(&s->rw);
	pthread_mutex_lock(&c->lock);
	s->runs = rows;
	if (!fits)
		leave_too_large(c, s);
	fits = charge(c, s, bytes) && fits;
	pthread_mutex_unlock(&c->lock);
	drop_going(c);
	return fits;
}

/* Nobody reads the table yet. */
static enum status
load_runs(struct columns *c, struct ctx *own, struct set *s, const int64_t *ids, size_t n, bool *fits)
{
	size_t most = 0, count;
	enum status st = fetch_most(own, s->experiment_id, &most);

	for (size_t i = 0; st == OK && *fits && i < n; i += count) {
		struct fetched f;

		arena_reset(own->arena);
		count = n - i < s->block ? n - i : s->block;
		if ((st = fetch_runs(own, c->options.status_name, ids + i, count, &f)) == OK) {
			fetch_apply(&f, &s->table);
			*fits = count_bytes(c, s);
			s->block = block_next(s->block, most, own->arena);
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
	size_t most = RELOAD_FEW, count, i;
	struct ctx own;
	struct fetched f;
	enum status st = OK;

	borrow_ctx(&own, cx);
	if (n > RELOAD_FEW)
		st = fetch_most(&own, s->experiment_id, &most);
	s->block = s->block < most ? s->block : most;
	for (i = 0; st == OK && i < n; i += count) {
		arena_reset(own.arena);
		count = n - i < s->block ? n - i : s->block;
		if ((st = fetch_runs(&own, c->options.status_name, ids + i, count, &f)) != OK)
			break;
		pthread_rwlock_wrlock(&s->rw);
		fetch_apply(&f, &s->table);
		pthread_rwlock_unlock(&s->rw);
		s->block = block_next(s->block, most, own.arena);
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
		pthread_mutex_unlock(&c->lock);
		*fits = count_bytes(c, s);
	}
	free(ids);
	pthread_mutex_unlock(&s->reload);
	return st;
}

/* ---- extras ---- */

struct held {
	struct set **sets; /* by experiment */
	size_t n;
	struct extra **extras; /* pinned */
	size_t extra_count;
};

/* Under the lock. */
static struct extra *
find_extra(const struct set *s, const struct search_column *column)
{
	for (size_t i = 0; i < s->extra_count; i++)
		if (s->extras[i]->aggregate == column->aggregate &&
			strcmp(s->extras[i]->key, column->name) == 0)
			return s->extras[i];
	return NULL;
}

static struct extra *
list_extra(struct set *s, const struct search_column *column)
{
	struct extra *e = mem_alloc(sizeof(*e));

	*e = (struct extra){ .set = s, .aggregate = column->aggregate, .key = mem_str(column->name) };
	s->extras = mem_resize(s->extras, s->extra_count + 1, sizeof(struct extra *));
	s->extras[s->extra_count++] = e;
	return e;
}

static bool
is_pinned(const struct held *h, const struct extra *e)
{
	for (size_t i = 0; i < h->extra_count; i++)
		if (h->extras[i] == e)
			return true;
	return false;
}

static void
pin(struct columns *c, struct held *h, struct extra *e)
{
	e->pins++;
	e->used = c->used;
	h->extras[h->extra_count++] = e;
}

/*
 * Under the lock: pins what is there, and lists what is not for the caller to make, pinned too. *fresh: those, the last ones that
 * were pinned. True: all that the search names are pinned.
 */
static bool
claim_extras(struct columns *c, struct set *s, const struct search *search, struct held *h, size_t *fresh)
{
	size_t n;
	const struct search_column *column = search_columns(search, &n);
	bool all = true;

	*fresh = 0;
	for (size_t i = 0; i < n; i++) {
		struct extra *e;

		if (column[i].aggregate == AGGREGATE_LAST)
			continue;
		if ((e = find_extra(s, &column[i])) != NULL && is_pinned(h, e))
			continue;
		if (e != NULL && e->state == EXTRA_READY)
			pin(c, h, e);
		else
			all = false;
	}
	for (size_t i = 0; i < n; i++)
		if (column[i].aggregate != AGGREGATE_LAST && find_extra(s, &column[i]) == NULL) {
			pin(c, h, list_extra(s, &column[i]));
			++*fresh;
		}
	return all;
}

/* What the set would take with more extras; those that nobody needs go for it. False: too much. */
static bool
room_for(struct columns *c, struct set *s, size_t extras)
{
	size_t more = extras * CELL_BYTES * (s->runs + PAGE_ROWS);
	struct extra *e;

	while (s->bytes + more > c->options.budget_bytes && (e = lesser_extra(s, NULL)) != NULL)
		(void)evict_extra(c, e);
	return s->bytes + more <= c->options.budget_bytes;
}

/* What was listed and cannot be made. */
static void
unlist_extras(struct columns *c, struct held *h, size_t n)
{
	pthread_mutex_lock(&c->lock);
	while (n-- > 0) {
		struct extra *e = h->extras[--h->extra_count];

		e->pins = 0;
		let_go(c, e);
	}
	pthread_mutex_unlock(&c->lock);
	drop_going(c);
}

/* The table wants them from now on; the runs that it has already. */
static int64_t *
want_extras(struct set *s, struct extra *const *extras, size_t n, size_t *runs)
{
	int64_t *ids;

	pthread_rwlock_wrlock(&s->rw);
	for (size_t i = 0; i < n; i++)
		table_want(&s->table, extras[i]->aggregate, extras[i]->key);
	*runs = s->table.rows;
	ids = mem_array(*runs + 1, sizeof(*ids));
	for (size_t i = 0; i < *runs; i++)
		ids[i] = ((const int64_t *)s->table.run_ids.at[i / PAGE_ROWS])[i % PAGE_ROWS];
	pthread_rwlock_unlock(&s->rw);
	return ids;
}

static enum status
fill_block(struct ctx *own, struct set *s, struct extra *const *extras, size_t n, const int64_t *ids,
	size_t runs)
{
	struct run_latest *latest;
	enum status st;

	arena_reset(own->arena);
	pthread_mutex_lock(&s->reload);
	if ((st = fetch_metrics(own, ids, runs, &latest)) == OK) {
		pthread_rwlock_wrlock(&s->rw);
		for (size_t i = 0; i < runs; i++)
			for (size_t k = 0; k < n; k++)
				table_fill(&s->table, extras[k]->aggregate, extras[k]->key, &latest[i]);
		pthread_rwlock_unlock(&s->rw);
	}
	pthread_mutex_unlock(&s->reload);
	return st;
}

static enum status
fill_extras(struct ctx *cx, struct set *s, struct extra *const *extras, size_t n)
{
	int64_t since = clock_mono_ms();
	struct ctx own;
	size_t runs, most = 0, block = BLOCK_FIRST, count;
	int64_t *ids = want_extras(s, extras, n, &runs);
	enum status st;

	borrow_ctx(&own, cx);
	own.deadline_mono_ms = 0; /* others wait for it too */
	st = fetch_most(&own, s->experiment_id, &most);
	for (size_t i = 0; st == OK && i < runs; i += count) {
		count = runs - i < block ? runs - i : block;
		st = fill_block(&own, s, extras, n, ids + i, count);
		block = block_next(block, most, own.arena);
	}
	log_debug("search_fill", "experiment=%lld columns=%zu runs=%zu ms=%lld", (long long)s->experiment_id,
		n, runs, (long long)(clock_mono_ms() - since));
	free(ids);
	return return_ctx(&own, cx, st);
}

/* They are whole: others may have them. False: with them the set has outgrown the budget. */
static bool
ready_extras(struct columns *c, struct set *s, struct extra *const *extras, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct column *column;
		size_t bytes;

		pthread_rwlock_rdlock(&s->rw);
		column = table_column(&s->table, ENTITY_METRIC, extras[i]->aggregate, extras[i]->key);
		bytes = column == NULL ? 0 : column_bytes(column);
		pthread_rwlock_unlock(&s->rw);
		pthread_mutex_lock(&c->lock);
		extras[i]->bytes = bytes;
		extras[i]->state = EXTRA_READY;
		c->stats.fills++;
		pthread_cond_broadcast(&c->change);
		pthread_mutex_unlock(&c->lock);
	}
	return count_bytes(c, s);
}

/* Whole runs go for it too. */
static bool
room_without_kept(struct columns *c, struct set *s, size_t extras)
{
	bool fits;

	pthread_rwlock_wrlock(&s->rw);
	table_drop_kept(&s->table);
	pthread_rwlock_unlock(&s->rw);
	if (!count_bytes(c, s))
		return false;
	pthread_mutex_lock(&c->lock);
	fits = room_for(c, s, extras);
	pthread_mutex_unlock(&c->lock);
	return fits;
}

/* *fits false: too much for the budget, or it has failed; they are gone. */
static enum status
make_extras(struct columns *c, struct ctx *cx, struct set *s, struct held *h, size_t fresh, bool *fits)
{
	enum status st = OK;

	*fits = *fits || room_without_kept(c, s, fresh);
	if (*fits)
		st = fill_extras(cx, s, h->extras + h->extra_count - fresh, fresh);
	if (st == OK && *fits)
		*fits = ready_extras(c, s, h->extras + h->extra_count - fresh, fresh);
	else
		unlist_extras(c, h, fresh);
	return st;
}

/* All that the search names are there and pinned, or *served is false: too much for the budget. */
static enum status
hold_extras(struct columns *c, struct ctx *cx, struct set *s, const struct search *search, struct held *h,
	bool *served)
{
	enum status st = OK;
	size_t fresh;
	bool all = false;

	while (st == OK && !all && *served) {
		pthread_mutex_lock(&c->lock);
		all = claim_extras(c, s, search, h, &fresh);
		*served = fresh == 0 || room_for(c, s, fresh);
		if (!all && fresh == 0)
			st = wait_reading(c, cx);
		pthread_mutex_unlock(&c->lock);
		if (fresh > 0)
			st = make_extras(c, cx, s, h, fresh, served);
	}
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
		st = wait_reading(c, cx);
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

static void
release(struct columns *c, struct held *h)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < h->extra_count; i++)
		h->extras[i]->pins--;
	h->extra_count = 0;
	for (size_t i = 0; i < h->n; i++)
		set_unref(h->sets[i]);
	pthread_mutex_unlock(&c->lock);
	h->n = 0;
}

/* Together they must fit too, or each search would throw out what the one before has read. */
static bool
fit_together(struct columns *c, const struct held *h)
{
	struct extra *e;
	size_t bytes = 0;
	bool fits;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < h->n; i++)
		bytes += h->sets[i]->bytes;
	for (size_t i = 0; i < h->n; i++)
		while (bytes > c->options.budget_bytes && (e = lesser_extra(h->sets[i], NULL)) != NULL)
			bytes -= evict_extra(c, e);
	fits = bytes <= c->options.budget_bytes;
	if (!fits)
		c->crowded_until_mono_ms = clock_mono_ms() + CROWDED_MS;
	pthread_mutex_unlock(&c->lock);
	drop_going(c);
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
hold_all(struct columns *c, struct ctx *cx, const int64_t *ids, size_t n, const struct search *search,
	struct held *h, bool *served)
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
		if ((st = refresh(c, cx, s, served)) == OK && *served &&
			(st = hold_extras(c, cx, s, search, h, served)) == OK && *served)
			*served = fit_together(c, h);
	}
	return st;
}

/* ---- searching ---- */

static struct columns_hit
hit_of(struct ctx *cx, const struct held *h, const struct scan_hit *at, struct whole *const *wholes)
{
	const struct table *t = at->table;
	const struct kept *kept = table_kept(t, at->row);
	struct columns_hit hit = {
		.run_id = ((const int64_t *)t->run_ids.at[at->row / PAGE_ROWS])[at->row % PAGE_ROWS],
		.version = table_version(t, at->row)
	};

	struct run *run = NULL;
	size_t i = 0;

	while (&h->sets[i]->table != t)
		i++;
	hit.experiment_id = h->sets[i]->experiment_id;
	hit.set = h->sets[i]->serial;
	if (kept != NULL) {
		hit.run = kept_copy(kept, cx->arena);
	} else if (wholes[i] != NULL && (run = whole_run(wholes[i], at->row)) != NULL) {
		run->experiment_id = hit.experiment_id;
		hit.run = run;
	}
	return hit;
}

static void
scan_all(struct ctx *cx, const struct columns_query *q, const struct held *h, struct columns_hit **hits,
	size_t *n, const char **next_token)
{
	struct scan *s = scan_new(cx, q->search, q->view, q->after, q->limit);
	struct whole **wholes = arena_array(cx->arena, h->n + 1, sizeof(*wholes));
	struct scan_hit *found;

	for (size_t i = 0; i < h->n; i++)
		pthread_rwlock_rdlock(&h->sets[i]->rw);
	for (size_t i = 0; i < h->n; i++)
		scan_table(s, &h->sets[i]->table);
	scan_end(s, &found, n, next_token);
	*hits = arena_array(cx->arena, *n + 1, sizeof(**hits));
	for (size_t i = 0; *n > 0 && i < h->n; i++)
		wholes[i] = whole_new(&h->sets[i]->table, cx->arena, *n);
	for (size_t i = 0; i < *n; i++)
		(*hits)[i] = hit_of(cx, h, &found[i], wholes);
	for (size_t i = 0; i < h->n; i++)
		pthread_rwlock_unlock(&h->sets[i]->rw);
}

static size_t
count_aggregates(const struct search *s)
{
	size_t n, found = 0;
	const struct search_column *column = search_columns(s, &n);

	for (size_t i = 0; i < n; i++)
		found += column[i].aggregate != AGGREGATE_LAST;
	return found;
}

enum status
columns_search(struct columns *c, struct ctx *cx, const struct columns_query *q, struct columns_hit **hits,
	size_t *n, const char **next_token, bool *served)
{
	int64_t *ids = arena_array(cx->arena, q->experiment_count + 1, sizeof(*ids));
	size_t count, aggregates = count_aggregates(q->search);
	struct held h = { 0 };
	enum status st;

	*served = c->options.budget_bytes > 0 && scan_can(q->search);
	if (!*served)
		return OK;
	if (q->experiment_count > 0)
		memcpy(ids, q->experiments, q->experiment_count * sizeof(*ids));
	count = sort_unique(ids, q->experiment_count);
	h.sets = arena_array(cx->arena, count + 1, sizeof(struct set *));
	h.extras = arena_array(cx->arena, count * aggregates + 1, sizeof(struct extra *));
	if ((st = follow(c, cx)) == OK && (st = hold_all(c, cx, ids, count, q->search, &h, served)) == OK &&
		*served)
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
keep_in_set(struct columns *c, struct set *s, struct columns_hit *const *hits, size_t n)
{
	pthread_mutex_lock(&s->reload);
	pthread_rwlock_wrlock(&s->rw);
	keep_within(c, s);
	for (size_t i = 0; i < n; i++)
		if (hits[i]->set == s->serial && hits[i]->run != NULL)
			table_keep(&s->table, hits[i]->run, hits[i]->version);
	keep_within(c, s);
	pthread_rwlock_unlock(&s->rw);
	(void)count_bytes(c, s);
	pthread_mutex_unlock(&s->reload);
}

void
columns_keep(struct columns *c, struct columns_hit *const *hits, size_t n)
{
	uint64_t done = 0;

	for (size_t i = 0; n <= KEPT_MOST && i < n; i++) {
		struct set *s;

		if (hits[i]->set == done || hits[i]->run == NULL || (s = set_of_hit(c, hits[i])) == NULL)
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
		h = (struct held){ .sets = &s, .n = 1 };
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
