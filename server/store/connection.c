#include "store/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/query.h"
#include "store/sqlstate.h"

/* PostgreSQL ends a statement at its timeout; only one that cannot even do that meets this. */
#define GRACE_MS 2000

/* libpq's messages have many lines; a log line has one */
static void
first_line(char *out, size_t size, const char *message)
{
	if (message == NULL)
		message = "";
	(void)str_copy(out, size, message);
	out[strcspn(out, "\n")] = '\0';
}

static void
on_notice(void *arg, const PGresult *res)
{
	struct connection *c = arg;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	if (severity == NULL || strcmp(severity, "WARNING") != 0)
		return;
	c->warned = true;
	log_warn("postgresql_warning", "message=\"%s\"", text == NULL ? "" : text);
}

static enum status
refused(struct connection *c, struct ctx *cx)
{
	char line[256];

	first_line(line, sizeof(line), c->pg == NULL ? "no memory" : PQerrorMessage(c->pg));
	log_warn("postgresql_connect", "message=\"%s\"", line);
	return fail(cx, UNAVAILABLE, "PostgreSQL does not answer; try again");
}

enum status
connection_open(const char *conninfo, int64_t statement_timeout_ms, struct ctx *cx, struct connection **out)
{
	struct connection *c = mem_alloc(sizeof(*c));
	enum status st = OK;

	/* blocks at most connect_timeout for each host, which is in conninfo */
	c->pg = PQconnectdb(conninfo);
	c->statement_timeout_ms = statement_timeout_ms;
	if (c->pg == NULL || PQstatus(c->pg) != CONNECTION_OK || PQsetnonblocking(c->pg, 1) != 0) {
		st = refused(c, cx);
		connection_close(c);
		c = NULL;
	} else {
		PQsetNoticeReceiver(c->pg, on_notice, c);
	}
	*out = c;
	return st;
}

void
connection_close(struct connection *c)
{
	if (c == NULL)
		return;
	PQfinish(c->pg);
	free(c->prepared);
	free(c);
}

bool
connection_quiet(const struct connection *c)
{
	struct pollfd fd = { .fd = PQsocket(c->pg), .events = POLLIN };

	return !c->broken && fd.fd >= 0 && poll(&fd, 1, 0) == 0;
}

enum status
connection_lost(struct connection *c, struct ctx *cx)
{
	char line[256];

	c->broken = c->lost = true;
	first_line(line, sizeof(line), PQerrorMessage(c->pg));
	log_warn("postgresql_lost", "request=%s message=\"%s\"", cx->request_id, line);
	return fail(cx, UNAVAILABLE, "%s", sqlstate_find(NULL)->sentence);
}

static enum status
late(struct connection *c, struct ctx *cx)
{
	c->broken = true;
	log_warn("postgresql_late", "request=%s backend=%d", cx->request_id, PQbackendPID(c->pg));
	return fail(cx, TIMED_OUT, "PostgreSQL did not answer in time");
}

static int64_t
wait_until(const struct connection *c, const struct ctx *cx)
{
	int64_t until = INT64_MAX;

	if (c->statement_timeout_ms > 0)
		until = clock_mono_ms() + c->statement_timeout_ms + GRACE_MS;
	if (cx->deadline_mono_ms > 0 && cx->deadline_mono_ms < until)
		until = cx->deadline_mono_ms;
	return until;
}

enum status
connection_wait(struct connection *c, struct ctx *cx, short events)
{
	int64_t until = wait_until(c, cx);
	struct pollfd fd = { .fd = PQsocket(c->pg), .events = events };

	if (fd.fd < 0)
		return connection_lost(c, cx);
	for (;;) {
		int64_t left = until - clock_mono_ms();
		int n;

		if (left <= 0)
			return late(c, cx);
		n = poll(&fd, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return OK;
		if (n < 0 && errno != EINTR)
			return connection_lost(c, cx);
	}
}

enum status
connection_flush(struct connection *c, struct ctx *cx)
{
	enum status st;
	int more;

	/* read while writing: both sides could wait for the other for ever */
	while ((more = PQflush(c->pg)) > 0) {
		if ((st = connection_wait(c, cx, POLLIN | POLLOUT)) != OK)
			return st;
		if (PQconsumeInput(c->pg) == 0)
			return connection_lost(c, cx);
	}
	return more == 0 ? OK : connection_lost(c, cx);
}

/* A plan whose result changed with the schema: everything on this connection is prepared anew by dropping it. */
static bool
stale_plan(const PGresult *res, const char *code)
{
	const char *where = PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION);

	return strcmp(code, "0A000") == 0 && where != NULL && strcmp(where, "RevalidateCachedQuery") == 0;
}

static bool
starts_with_delete(const struct statement *s)
{
	const char *at = s == NULL ? "" : s->text;

	while (strncmp(at, "--", 2) == 0 || *at == '\n')
		at += strcspn(at, "\n") + (strchr(at, '\n') != NULL);
	return strncmp(at, "DELETE", 6) == 0;
}

static void
log_error_of(const struct ctx *cx, const PGresult *res, const struct statement *s, const char *code,
	enum status st)
{
	char line[256];
	const char *name = s == NULL ? "" : s->name;
	const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);

	first_line(line, sizeof(line), PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
	if (st == INTERNAL)
		log_error("postgresql_error", "request=%s sqlstate=%s statement=%s message=\"%s\"",
			cx->request_id, code, name, line);
	else if (st == UNAVAILABLE || st == TIMED_OUT)
		log_warn("postgresql_error", "request=%s sqlstate=%s statement=%s message=\"%s\"",
			cx->request_id, code, name, line);
	else
		log_debug("postgresql_error", "request=%s sqlstate=%s statement=%s constraint=%s",
			cx->request_id, code, name, constraint == NULL ? "" : constraint);
}

static enum status
error_of(struct connection *c, struct ctx *cx, const struct statement *s, PGresult *res)
{
	const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const struct sqlstate *rule;
	enum status st;

	if (code == NULL)
		return connection_lost(c, cx);
	rule = sqlstate_find(stale_plan(res, code) ? "26000" : code);
	if (rule->drop)
		c->broken = c->lost = true;
	log_error_of(cx, res, s, code, rule->status);
	st = rule->status;
	if (strcmp(code, "23503") == 0 && starts_with_delete(s))
		return fail(cx, CONFLICT, "something else still refers to it");
	return fail(cx, st, "%s", rule->sentence);
}

static bool
is_error(const PGresult *res)
{
	ExecStatusType t = PQresultStatus(res);

	return t == PGRES_FATAL_ERROR || t == PGRES_BAD_RESPONSE || t == PGRES_NONFATAL_ERROR;
}

enum status
connection_result(struct connection *c, struct ctx *cx, const struct statement *s, PGresult **out)
{
	PGresult *res;
	enum status st;

	*out = NULL;
	while (PQisBusy(c->pg)) {
		if ((st = connection_wait(c, cx, POLLIN)) != OK)
			return st;
		/* a connection that ends leaves its last words to PQgetResult */
		if (PQconsumeInput(c->pg) == 0 && PQstatus(c->pg) != CONNECTION_BAD)
			return connection_lost(c, cx);
	}
	res = PQgetResult(c->pg);
	if (res != NULL && is_error(res)) {
		st = error_of(c, cx, s, res);
		PQclear(res);
		return st;
	}
	*out = res;
	return OK;
}

enum status
connection_finish(struct connection *c, struct ctx *cx, const struct statement *s)
{
	enum status st = OK;
	PGresult *res;

	while (!c->broken) {
		enum status next = connection_result(c, cx, s, &res);

		if (st == OK)
			st = next;
		if (next == OK && res == NULL)
			break;
		PQclear(res);
	}
	if (PQstatus(c->pg) == CONNECTION_BAD)
		c->broken = true;
	return st;
}

enum status
connection_command(struct connection *c, struct ctx *cx, const char *text, char tag[16])
{
	enum status st = OK;
	PGresult *res = NULL;

	if (PQsendQuery(c->pg, text) == 0)
		return connection_lost(c, cx);
	if ((st = connection_flush(c, cx)) != OK)
		return st;
	while ((st = connection_result(c, cx, NULL, &res)) == OK && res != NULL) {
		if (tag != NULL)
			(void)str_copy(tag, 16, PQcmdStatus(res));
		PQclear(res);
	}
	if (st != OK) {
		struct ctx rest = *cx; /* the sentence of the failure stays */

		(void)!connection_finish(c, &rest, NULL);
	}
	return st;
}
