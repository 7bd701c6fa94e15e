#include "store/tx.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"

static struct tx *
tx_new(struct ctx *cx, struct connection *c)
{
	struct tx *t = mem_alloc(sizeof(*t));

	t->cx = cx;
	t->c = c;
	return t;
}

struct tx *
tx_on(struct ctx *cx, struct connection *c)
{
	struct tx *t = tx_new(cx, c);

	t->single = t->own = true;
	return t;
}

static void
tx_end(struct tx **t)
{
	if (!(*t)->own)
		pool_release((*t)->cx->parts->pool, (*t)->c);
	free(*t);
	*t = NULL;
}

/* Nothing has happened before BEGIN, so it may be said again on a fresh connection when the first was dead. */
static enum status
begin(struct ctx *cx, const char *how, struct tx **out)
{
	struct pool *p = cx->parts->pool;
	struct connection *c = NULL;
	enum status st = UNAVAILABLE;

	*out = NULL;
	for (int left = 2; left > 0; left--) {
		if ((st = pool_acquire(p, cx, &c)) != OK)
			return st;
		if ((st = connection_command(c, cx, how, NULL)) == OK) {
			*out = tx_new(cx, c);
			return OK;
		}
		if (!c->lost)
			left = 0;
		pool_release(p, c);
	}
	return st;
}

enum status
tx_begin(struct ctx *cx, struct tx **out)
{
	return begin(cx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", out);
}

enum status
tx_begin_snapshot(struct ctx *cx, struct tx **out)
{
	return begin(cx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", out);
}

enum status
tx_begin_on(struct ctx *cx, struct connection *c, struct tx **out)
{
	enum status st = connection_command(c, cx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL);

	*out = NULL;
	if (st == OK) {
		*out = tx_new(cx, c);
		(*out)->own = true;
	}
	return st;
}

enum status
tx_auto(struct ctx *cx, struct tx **out)
{
	struct connection *c;
	enum status st;

	*out = NULL;
	if ((st = pool_acquire(cx->parts->pool, cx, &c)) != OK)
		return st;
	*out = tx_new(cx, c);
	(*out)->single = true;
	return OK;
}

enum status
tx_change(struct ctx *cx, struct tx **out)
{
	enum status st = tx_auto(cx, out);

	if (st == OK) {
		(*out)->change = true;
		(*out)->c->warned = false;
	}
	return st;
}

enum status
tx_renew(struct tx *t)
{
	struct pool *p = t->cx->parts->pool;
	enum status st;

	pool_release(p, t->c);
	t->c = NULL;
	t->unknown = false;
	if ((st = pool_acquire(p, t->cx, &t->c)) == OK)
		t->c->warned = false; /* by what was before */
	return st;
}

/* A request's deadline does not cut its COMMIT short: an outcome that nobody knows is worse than a late answer. */
static enum status
send_commit(struct tx *t, char tag[16])
{
	int64_t deadline = t->cx->deadline_mono_ms, least = clock_mono_ms() + COMMIT_MS;
	enum status st;

	if (deadline > 0 && deadline < least)
		t->cx->deadline_mono_ms = least;
	st = connection_command(t->c, t->cx, "COMMIT", tag);
	t->cx->deadline_mono_ms = deadline;
	return st;
}

enum status
tx_unknown(struct tx *t)
{
	t->c->broken = t->unknown = true;
	return fail(t->cx, UNAVAILABLE,
		"PostgreSQL went away during the commit: it is not known whether the change was kept; look "
		"before "
		"trying again");
}

/*
 * After COMMIT was sent, a lost connection does not tell what became of it. Neither does a warning: it is what
 * PostgreSQL says when it kept the change here but gave up waiting for its standby.
 */
static enum status
commit(struct tx *t)
{
	char tag[16] = "";
	enum status st;

	if (t->c->broken)
		return fail(t->cx, UNAVAILABLE,
			"the connection to PostgreSQL was lost and nothing was kept; try again");
	if (t->cx->deadline_mono_ms > 0 && clock_mono_ms() >= t->cx->deadline_mono_ms)
		return fail(t->cx, TIMED_OUT, "the request took too long and nothing was kept");
	t->c->warned = false;
	st = send_commit(t, tag);
	if (t->c->broken || t->c->warned)
		return tx_unknown(t);
	if (st == OK && strcmp(tag, "COMMIT") != 0)
		return fail(t->cx, INTERNAL, "a transaction that had failed was committed; nothing was kept");
	return st;
}

enum status
tx_commit(struct tx **t)
{
	enum status st = OK;

	if (!(*t)->single)
		st = commit(*t);
	else if ((*t)->change && (*t)->c->warned)
		st = tx_unknown(*t);
	if (st == OK)
		tx_end(t);
	else
		tx_rollback(t);
	return st;
}

void
tx_rollback(struct tx **t)
{
	struct tx *open = *t;

	if (open == NULL)
		return;
	if (open->own && !open->single && !open->c->broken &&
		PQtransactionStatus(open->c->pg) != PQTRANS_IDLE) {
		struct ctx rest = *open->cx;

		if (connection_command(open->c, &rest, "ROLLBACK", NULL) != OK)
			open->c->broken = true;
	}
	tx_end(t); /* the pool rolls back what is open on its own */
}

bool
tx_is_unknown(const struct tx *t)
{
	return t->unknown || (t->change && t->c != NULL && t->c->warned);
}

struct ctx *
tx_ctx(struct tx *t)
{
	return t->cx;
}
