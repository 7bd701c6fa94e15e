/*
 * Entries stand in a table by run, and in one of two lists: `waiting` by when they are due by age, `ready` in the order in which the
 * compactor takes them. `lock` guards all of it.
 */
#include "ingest/due.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

struct entry {
	int64_t run_id;
	size_t rows, points;
	int64_t at_mono_ms; /* due by then at the latest */
	bool ready, urgent, settle;
	struct entry *next_in_slot;
	struct entry *before, *after; /* in its list */
};

struct list {
	struct entry *first, *last;
};

struct due {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool stopped;
	struct entry **slots;
	size_t slot_count, n; /* slot_count: a power of two */
	struct list waiting, ready;
};

/* ---- lists ---- */

static void
list_take(struct list *l, struct entry *e)
{
	*(e->before != NULL ? &e->before->after : &l->first) = e->after;
	*(e->after != NULL ? &e->after->before : &l->last) = e->before;
	e->before = e->after = NULL;
}

/* After `at`; NULL: first. */
static void
list_put(struct list *l, struct entry *at, struct entry *e)
{
	e->before = at;
	e->after = at != NULL ? at->after : l->first;
	*(e->before != NULL ? &e->before->after : &l->first) = e;
	*(e->after != NULL ? &e->after->before : &l->last) = e;
}

/* Mostly at the end, for times rise, or before all others: what is due now, or was put off for a short time. */
static void
wait_until(struct due *d, struct entry *e, int64_t at_mono_ms)
{
	struct entry *at = d->waiting.last;

	e->at_mono_ms = at_mono_ms;
	if (at != NULL && d->waiting.first->at_mono_ms > at_mono_ms)
		at = NULL;
	while (at != NULL && at->at_mono_ms > at_mono_ms)
		at = at->before;
	list_put(&d->waiting, at, e);
}

/* ---- the table ---- */

static struct entry **
slot_of(const struct due *d, int64_t run_id)
{
	uint64_t h = (uint64_t)run_id * UINT64_C(0x9e3779b97f4a7c15);
	struct entry **at = &d->slots[h >> 32 & (d->slot_count - 1)];

	while (*at != NULL && (*at)->run_id != run_id)
		at = &(*at)->next_in_slot;
	return at;
}

static void
more_slots(struct due *d)
{
	struct entry **old = d->slots;
	size_t count = d->slot_count;

	if (d->n < d->slot_count)
		return;
	d->slot_count = count == 0 ? 256 : count * 2;
	d->slots = mem_array(d->slot_count, sizeof(struct entry *));
	for (size_t i = 0; i < count; i++)
		for (struct entry *e = old[i], *next; e != NULL; e = next) {
			struct entry **slot = slot_of(d, e->run_id);

			next = e->next_in_slot;
			e->next_in_slot = NULL;
			*slot = e;
		}
	free(old);
}

/* NULL: there are too many. A new one waits. */
static struct entry *
find(struct due *d, int64_t run_id, int64_t at_mono_ms)
{
	struct entry **slot;

	more_slots(d);
	slot = slot_of(d, run_id);
	if (*slot == NULL && d->n < DUE_MOST) {
		*slot = mem_alloc(sizeof(**slot));
		(*slot)->run_id = run_id;
		wait_until(d, *slot, at_mono_ms);
		d->n++;
	}
	return *slot;
}

static void
forget(struct due *d, struct entry *e)
{
	struct entry **slot = slot_of(d, e->run_id);

	list_take(e->ready ? &d->ready : &d->waiting, e);
	*slot = e->next_in_slot;
	free(e);
	d->n--;
}

static void
make_ready(struct due *d, struct entry *e, bool urgent)
{
	if (e->ready && (e->urgent || !urgent))
		return;
	list_take(e->ready ? &d->ready : &d->waiting, e);
	e->ready = true;
	e->urgent = urgent;
	list_put(&d->ready, urgent ? NULL : d->ready.last, e);
	pthread_cond_signal(&d->change);
}

/* ---- saying ---- */

void
due_note(struct due *d, int64_t run_id, size_t rows, size_t points)
{
	struct entry *e;

	pthread_mutex_lock(&d->lock);
	if ((e = find(d, run_id, clock_mono_ms() + DUE_AGE_MS)) != NULL) {
		e->rows += rows;
		e->points += points;
		if (e->rows >= DUE_ROWS || e->points >= DUE_POINTS)
			make_ready(d, e,
				e->rows >= DUE_ROWS * DUE_URGENT || e->points >= DUE_POINTS * DUE_URGENT);
	}
	pthread_mutex_unlock(&d->lock);
}

void
due_now(struct due *d, int64_t run_id, bool settle)
{
	struct entry *e;

	pthread_mutex_lock(&d->lock);
	if ((e = find(d, run_id, 0)) != NULL) {
		e->settle = e->settle || settle;
		make_ready(d, e, false);
	}
	pthread_mutex_unlock(&d->lock);
}

void
due_later(struct due *d, int64_t run_id, bool settle, int64_t after_ms)
{
	int64_t at_mono_ms = clock_mono_ms() + after_ms;
	struct entry *e;

	pthread_mutex_lock(&d->lock);
	if ((e = find(d, run_id, at_mono_ms)) != NULL) {
		e->settle = e->settle || settle;
		list_take(e->ready ? &d->ready : &d->waiting, e);
		e->ready = e->urgent = false;
		e->rows = e->points = 0;
		wait_until(d, e, at_mono_ms);
	}
	pthread_mutex_unlock(&d->lock);
}

/* ---- taking ---- */

static void
wait_for_change(struct due *d, int64_t until_mono_ms)
{
	struct timespec ts = { .tv_sec = (time_t)(until_mono_ms / 1000),
		.tv_nsec = (long)(until_mono_ms % 1000) * 1000000L };

	(void)pthread_cond_timedwait(&d->change, &d->lock, &ts);
}

static struct entry *
first_due(const struct due *d, int64_t now_mono_ms)
{
	struct entry *e = d->waiting.first;

	if (d->ready.first != NULL)
		return d->ready.first;
	return e != NULL && e->at_mono_ms <= now_mono_ms ? e : NULL;
}

bool
due_take(struct due *d, int64_t until_mono_ms, struct due_run *out)
{
	struct entry *e;
	int64_t now;

	pthread_mutex_lock(&d->lock);
	while ((e = first_due(d, now = clock_mono_ms())) == NULL && !d->stopped && now < until_mono_ms) {
		const struct entry *next = d->waiting.first;

		wait_for_change(d,
			next != NULL && next->at_mono_ms < until_mono_ms ? next->at_mono_ms : until_mono_ms);
	}
	if (d->stopped)
		e = NULL;
	if (e != NULL) {
		*out = (struct due_run){ e->run_id, e->settle };
		forget(d, e);
	}
	pthread_mutex_unlock(&d->lock);
	return e != NULL;
}

bool
due_pause(struct due *d, int64_t until_mono_ms)
{
	bool go_on;

	pthread_mutex_lock(&d->lock);
	while (!d->stopped && clock_mono_ms() < until_mono_ms)
		wait_for_change(d, until_mono_ms);
	go_on = !d->stopped;
	pthread_mutex_unlock(&d->lock);
	return go_on;
}

void
due_stop(struct due *d)
{
	pthread_mutex_lock(&d->lock);
	d->stopped = true;
	pthread_cond_broadcast(&d->change);
	pthread_mutex_unlock(&d->lock);
}

bool
due_stopped(struct due *d)
{
	bool stopped;

	pthread_mutex_lock(&d->lock);
	stopped = d->stopped;
	pthread_mutex_unlock(&d->lock);
	return stopped;
}

struct due *
due_new(void)
{
	struct due *d = mem_alloc(sizeof(*d));
	pthread_condattr_t attr;

	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->change, &attr);
	pthread_condattr_destroy(&attr);
	return d;
}

void
due_free(struct due *d)
{
	if (d == NULL)
		return;
	while (d->n > 0)
		forget(d, d->ready.first != NULL ? d->ready.first : d->waiting.first);
	free(d->slots);
	pthread_cond_destroy(&d->change);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
