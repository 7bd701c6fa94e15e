/*
 * The pool: idle connections on a stack (the last used is the next used), a count of all that are open, one lock.
 * Connections are opened and closed outside the lock.
 *
 * Each connection carries the pool's generation of when it was opened. One that finds PostgreSQL gone moves the
 * generation on, and every older one is closed instead of used. A thread looks each second whether PostgreSQL answers.
 */
#include "store/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/internal.h"

#define OPENING_AT_ONCE 4 /* so that a restart of PostgreSQL is not met by all workers at once */
#define LOOK_MS         1000
#define LOOK_WAIT_MS    2000 /* an answer later than this is none */
#define BACK_OFF_LEAST  100  /* after a failed opening, others fail at once for so long */
#define BACK_OFF_MOST   1000
#define IDLE_MS         300000 /* unused for so long: closed */
#define LOCK_TIMEOUT_MS 10000
#define IDLE_IN_TX_MS   60000

struct pool {
	char *conninfo; /* NULL: malformed */
	struct pool_options options;
	pthread_mutex_t lock;
	pthread_cond_t change;   /* a connection was handed back or an opening ended */
	pthread_cond_t stopping; /* of the looker; its own, so that it never takes a waiter's signal */
	struct connection *idle;
	unsigned open; /* idle, lent and being opened */
	unsigned opening;
	uint64_t generation;
	int64_t retry_mono_ms; /* no opening before */
	int64_t back_off_ms;
	bool stop;
	pthread_t looker;
	atomic_bool healthy;
	atomic_int server_version;
	atomic_llong good_mono_ms; /* PostgreSQL answered */
};

/* ---- the connection string ---- */

static void
add_setting(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "%s%s='", b->len > 0 ? " " : "", key);
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			buf_char(b, '\\');
		buf_char(b, *value);
	}
	buf_char(b, '\'');
}

/* what the user did not say */
static const char *const defaults[][2] = {
	{ "application_name", "cairnd" },
	{ "client_encoding", "UTF8" },
	{ "connect_timeout", "3" },
	{ "keepalives_idle", "10" },
	{ "keepalives_interval", "3" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "10000" },
	{ "target_session_attrs", "read-write" },
};

static void
add_options(struct buf *b, const char *theirs, int64_t statement_timeout_ms)
{
	char text[512];
	struct buf all;

	buf_init(&all, 8192);
	(void)snprintf(text, sizeof(text),
		"-c search_path=cairn -c statement_timeout=%lld -c lock_timeout=%d "
		"-c idle_in_transaction_session_timeout=%d -c client_connection_check_interval=5000",
		(long long)statement_timeout_ms, LOCK_TIMEOUT_MS, IDLE_IN_TX_MS);
	buf_printf(&all, "%s%s%s", theirs == NULL ? "" : theirs, theirs == NULL ? "" : " ", text);
	add_setting(b, "options", all.data);
	buf_fini(&all);
}

static bool
is_set(const PQconninfoOption *list, const char *key, const char **value)
{
	for (; list->keyword != NULL; list++)
		if (strcmp(list->keyword, key) == 0) {
			*value = list->val;
			return list->val != NULL;
		}
	return false;
}

static char *
whole_conninfo(const struct pool_options *o)
{
	PQconninfoOption *list = PQconninfoParse(o->conninfo, NULL);
	const char *theirs = NULL;
	struct buf b;

	if (list == NULL)
		return NULL;
	buf_init(&b, 16384);
	for (const PQconninfoOption *at = list; at->keyword != NULL; at++)
		if (at->val != NULL && strcmp(at->keyword, "options") != 0 &&
			strcmp(at->keyword, "client_encoding") != 0)
			add_setting(&b, at->keyword, at->val);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (!is_set(list, defaults[i][0], &theirs) || strcmp(defaults[i][0], "client_encoding") == 0)
			add_setting(&b, defaults[i][0], defaults[i][1]);
	theirs = NULL;
	(void)is_set(list, "options", &theirs);
	add_options(&b, theirs, o->statement_timeout_ms);
	PQconninfoFree(list);
	if (b.overflow) {
		buf_fini(&b);
		return NULL;
	}
	return b.data; /* the buffer's memory is ours now */
}

const char *
pool_conninfo(const struct pool *p)
{
	return p->conninfo;
}

/* ---- opening and closing ---- */

static enum status
malformed(struct ctx *cx)
{
	return fail(cx, INVALID,
		"the database's connection string is malformed; \"host=… dbname=… user=…\" or "
		"\"postgresql://…\" would be right");
}

enum status
pool_open_own(struct pool *p, struct ctx *cx, struct connection **out)
{
	*out = NULL;
	if (p->conninfo == NULL)
		return malformed(cx);
	return connection_open(p->conninfo, p->options.statement_timeout_ms, cx, out);
}

enum status
pool_open_patient(struct pool *p, struct ctx *cx, struct connection **out)
{
	enum status st;

	if ((st = pool_open_own(p, cx, out)) != OK)
		return st;
	(*out)->statement_timeout_ms = 0;
	return connection_command(*out, cx,
		"SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = "
		"0",
		NULL);
}

static void
close_all(struct connection *list)
{
	while (list != NULL) {
		struct connection *next = list->next;

		connection_close(list);
		list = next;
	}
}

/* Under the lock. What fits neither the generation nor the age is moved to a list of its own, for close_all(). */
static struct connection *
sort_out(struct pool *p, int64_t unused_since)
{
	struct connection **at = &p->idle;
	struct connection *out = NULL;

	while (*at != NULL) {
		struct connection *c = *at;

		if (c->generation == p->generation && c->used_mono_ms >= unused_since) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		c->next = out;
		out = c;
		p->open--;
	}
	return out;
}

static int64_t
jittered(int64_t ms)
{
	return ms / 2 + (int64_t)(random_u64() % (uint64_t)(ms / 2 + 1));
}

/* Under the lock: what an opening came to. */
static void
opened(struct pool *p, struct connection *c)
{
	int64_t now = clock_mono_ms();

	p->opening--;
	if (c != NULL) {
		atomic_store(&p->healthy, true);
		atomic_store(&p->server_version, PQserverVersion(c->pg));
		p->back_off_ms = 0;
		p->retry_mono_ms = 0;
		atomic_store(&p->good_mono_ms, now);
	} else {
		p->open--;
		p->back_off_ms = p->back_off_ms == 0 ? BACK_OFF_LEAST : p->back_off_ms * 2;
		if (p->back_off_ms > BACK_OFF_MOST)
			p->back_off_ms = BACK_OFF_MOST;
		p->retry_mono_ms = now + jittered(p->back_off_ms);
	}
	pthread_cond_broadcast(&p->change);
}

/* With the lock held, which is let go meanwhile. */
static enum status
open_one(struct pool *p, struct ctx *cx, struct connection **out)
{
	uint64_t generation = p->generation;
	enum status st;

	p->open++;
	p->opening++;
	pthread_mutex_unlock(&p->lock);
	st = pool_open_own(p, cx, out);
	pthread_mutex_lock(&p->lock);
	opened(p, *out);
	if (*out != NULL)
		(*out)->generation = generation;
	return st;
}

/* ---- lending ---- */

/* Under the lock. The idle one used last that is still good, or NULL. */
static struct connection *
take_idle(struct pool *p, struct connection **dead)
{
	while (p->idle != NULL) {
		struct connection *c = p->idle;

		p->idle = c->next;
		c->next = NULL;
		if (c->generation == p->generation && connection_quiet(c))
			return c;
		c->next = *dead;
		*dead = c;
		p->open--;
	}
	return NULL;
}

static void
wait_until(struct pool *p, pthread_cond_t *cond, int64_t until_mono_ms)
{
	struct timespec ts = { .tv_sec = (time_t)(until_mono_ms / 1000),
		.tv_nsec = (long)(until_mono_ms % 1000) * 1000000L };

	(void)pthread_cond_timedwait(cond, &p->lock, &ts);
}

/* With the lock held. `patient` callers do not open while the last opening has just failed. */
static enum status
lend(struct pool *p, struct ctx *cx, int64_t until, bool patient, struct connection **out,
	struct connection **dead)
{
	for (;;) {
		int64_t now = clock_mono_ms();

		if ((*out = take_idle(p, dead)) != NULL)
			return OK;
		if (p->open < p->options.size && p->opening < OPENING_AT_ONCE) {
			if (patient && now < p->retry_mono_ms)
				return fail(cx, UNAVAILABLE, "PostgreSQL does not answer; try again");
			return open_one(p, cx, out);
		}
		if (now >= until)
			return fail(cx, UNAVAILABLE, "all %u connections to PostgreSQL are busy; try again",
				p->options.size);
		wait_until(p, &p->change, until);
	}
}

enum status
pool_acquire(struct pool *p, struct ctx *cx, struct connection **out)
{
	int64_t until = clock_mono_ms() + p->options.acquire_timeout_ms;
	struct connection *dead = NULL;
	enum status st;

	*out = NULL;
	if (p->conninfo == NULL)
		return malformed(cx);
	if (cx->deadline_mono_ms > 0 && cx->deadline_mono_ms < until)
		until = cx->deadline_mono_ms;
	if (until == cx->deadline_mono_ms && clock_mono_ms() >= until)
		return fail(cx, TIMED_OUT, "the request took too long");
	pthread_mutex_lock(&p->lock);
	st = lend(p, cx, until, true, out, &dead);
	pthread_mutex_unlock(&p->lock);
	close_all(dead);
	return st;
}

static void
roll_back(struct connection *c)
{
	PGTransactionStatusType state = PQtransactionStatus(c->pg);
	struct ctx cx;

	if (c->broken || state == PQTRANS_IDLE)
		return;
	if (state != PQTRANS_INTRANS && state != PQTRANS_INERROR) {
		c->broken = true;
		return;
	}
	ctx_init(&cx, NULL, NULL);
	cx.deadline_mono_ms = clock_mono_ms() + LOOK_WAIT_MS;
	if (connection_command(c, &cx, "ROLLBACK", NULL) != OK)
		c->broken = true;
}

void
pool_release(struct pool *p, struct connection *c)
{
	struct connection *dead = NULL;
	bool broken;

	if (c == NULL)
		return;
	roll_back(c);
	c->used_mono_ms = clock_mono_ms();
	pthread_mutex_lock(&p->lock);
	if (c->lost && c->generation == p->generation)
		p->generation++;
	broken = c->broken; /* once it is idle and the lock is off it is another's */
	if (!broken) {
		atomic_store(&p->good_mono_ms, c->used_mono_ms);
		c->next = p->idle;
		p->idle = c;
	} else {
		p->open--;
	}
	dead = sort_out(p, 0);
	pthread_cond_signal(&p->change);
	pthread_mutex_unlock(&p->lock);
	if (broken)
		connection_close(c);
	close_all(dead);
}

/* ---- the look each second ---- */

static bool
answers(struct pool *p, struct ctx *cx)
{
	struct connection *c = NULL, *dead = NULL;
	bool good = false;
	enum status st;

	pthread_mutex_lock(&p->lock);
	st = lend(p, cx, 0, false, &c, &dead);
	good = st != OK && p->open >= p->options.size && atomic_load(&p->healthy); /* all busy: as it was */
	pthread_mutex_unlock(&p->lock);
	close_all(dead);
	if (c != NULL) {
		good = connection_command(c, cx, "SELECT 1", NULL) == OK;
		pool_release(p, c);
	}
	return good;
}

static void
close_unused(struct pool *p)
{
	struct connection *unused;

	pthread_mutex_lock(&p->lock);
	unused = sort_out(p, clock_mono_ms() - IDLE_MS);
	pthread_mutex_unlock(&p->lock);
	close_all(unused);
}

static void
look(struct pool *p)
{
	struct ctx cx;
	bool before = atomic_load(&p->healthy), now = true;

	close_unused(p);
	if (clock_mono_ms() - (int64_t)atomic_load(&p->good_mono_ms) >= LOOK_MS || !before) {
		ctx_init(&cx, NULL, NULL);
		cx.deadline_mono_ms = clock_mono_ms() + LOOK_WAIT_MS;
		now = answers(p, &cx);
		atomic_store(&p->healthy, now);
	}
	if (now != before)
		log_info("postgresql", "healthy=%s", now ? "true" : "false");
}

static void *
looker(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		int64_t until;

		pthread_mutex_unlock(&p->lock);
		look(p);
		until = clock_mono_ms() + (pool_healthy(p) ? LOOK_MS : jittered(LOOK_MS));
		pthread_mutex_lock(&p->lock);
		while (!p->stop && clock_mono_ms() < until)
			wait_until(p, &p->stopping, until);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

bool
pool_healthy(struct pool *p)
{
	return atomic_load(&p->healthy);
}

int
pool_server_version(struct pool *p)
{
	return atomic_load(&p->server_version);
}

/* ---- birth and end ---- */

struct pool *
pool_new(const struct pool_options *options)
{
	struct pool *p = mem_alloc(sizeof(*p));
	pthread_condattr_t attr;

	p->options = *options;
	p->options.conninfo = NULL; /* ours is the whole one */
	p->conninfo = whole_conninfo(options);
	atomic_init(&p->healthy, false);
	atomic_init(&p->server_version, 0);
	atomic_init(&p->good_mono_ms, 0);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->change, &attr);
	pthread_cond_init(&p->stopping, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&p->looker, NULL, looker, p) != 0)
		abort();
	return p;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->stopping);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->looker, NULL);
	p->generation++;
	close_all(sort_out(p, 0));
	assert(p->open == 0); /* somebody kept one */
	pthread_cond_destroy(&p->change);
	pthread_cond_destroy(&p->stopping);
	pthread_mutex_destroy(&p->lock);
	free(p->conninfo);
	free(p);
}
