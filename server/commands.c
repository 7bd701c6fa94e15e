/* migrate, user and token: a database opened for the duration, one piece of work, the answer on standard output. */
#include "commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/account.h"
#include "auth/auth.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/migrate.h"
#include "store/partition.h"
#include "store/pool.h"

#define PASSWORD_BYTES 1024
#define CONNECTIONS    3

struct session {
	struct data data;
	struct database db;
	struct parts parts;
	struct arena *arena;
	struct ctx cx;
};

static int
complain(const char *sentence)
{
	(void)fprintf(stderr, "cairnd: %s\n", sentence);
	return 1;
}

bool
stop_asked(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

void
random_password(char out[RANDOM_PASSWORD])
{
	uint8_t bytes[15];

	random_bytes(bytes, sizeof(bytes));
	base64url_encode(out, RANDOM_PASSWORD, bytes, sizeof(bytes));
	wipe(bytes, sizeof(bytes));
}

static void
session_close(struct session *s)
{
	database_close(&s->db);
	data_close(&s->data);
	arena_free(s->arena);
}

static enum status
open_database(struct session *s, const struct config *c, char *error, size_t size)
{
	struct database_options o = {
		.config = c, .data = &s->data, .pool = CONNECTIONS, .cancelled = stop_asked
	};
	enum status st;

	if (c->database == NULL) {
		if ((st = data_open(&s->data, c->data, error, size)) != OK)
			return st;
		st = data_lock(&s->data, error, size);
		o.join = st == CONFLICT;
		if (st != OK && st != CONFLICT)
			return st;
	}
	return database_open(&s->db, &o, error, size);
}

/* False: the sentence has been said. */
static bool
session_open(struct session *s, const struct config *c)
{
	char error[2048];

	memset(s, 0, sizeof(*s));
	s->data.lock_fd = -1;
	if (open_database(s, c, error, sizeof(error)) != OK) {
		(void)complain(error);
		session_close(s);
		return false;
	}
	s->arena = arena_new();
	s->parts.pool = s->db.pool;
	ctx_init(&s->cx, s->arena, &s->parts);
	return true;
}

static int
run_migrations(struct ctx *cx)
{
	int applied = 0;

	if (migrate_run(cx, &applied) != OK)
		return complain(cx->message);
	if (applied == 0)
		(void)printf("the schema is up to date\n");
	else
		(void)printf("%d migration%s applied; the schema is up to date\n", applied,
			applied == 1 ? "" : "s");
	return 0;
}

static int
run_partitions(struct ctx *cx, int64_t count)
{
	if (partition_metrics(cx, count) != OK)
		return complain(cx->message);
	(void)printf("the tables of metrics have %lld partition%s each\n", (long long)count,
		count == 1 ? "" : "s");
	return 0;
}

int
command_migrate(const struct config *c)
{
	enum schema_state state;
	struct session s;
	int code = 0;

	if (!session_open(&s, c))
		return 1;
	if (!c->check) {
		code = run_migrations(&s.cx);
		if (code == 0 && c->partitions > 0)
			code = run_partitions(&s.cx, c->partitions);
	} else if (migrate_state(&s.cx, &state) != OK || state != SCHEMA_CURRENT)
		code = complain(s.cx.message);
	else
		(void)printf("the schema is up to date\n");
	session_close(&s);
	return code;
}

/* ---- accounts ---- */

static enum status
read_password(struct ctx *cx, const char *file, char out[PASSWORD_BYTES + 2])
{
	FILE *f = str_eq(file, "-") ? stdin : fopen(file, "re");
	enum status st = OK;

	if (f == NULL)
		return fail(cx, INVALID, "the password file %s cannot be read: %s", file, strerror(errno));
	if (fgets(out, PASSWORD_BYTES + 2, f) == NULL)
		st = fail(cx, INVALID, "no password came from %s: its first line is the password",
			f == stdin ? "standard input" : file);
	else if (strcspn(out, "\n") > PASSWORD_BYTES)
		st = fail(cx, INVALID, "the password is longer than %d bytes", PASSWORD_BYTES);
	out[strcspn(out, "\r\n")] = '\0';
	if (f != stdin)
		(void)fclose(f);
	return st;
}

static enum status
choose_password(struct ctx *cx, const struct config *c, char out[PASSWORD_BYTES + 2], bool *made)
{
	out[0] = '\0';
	*made = c->password_file == NULL;
	if (!*made)
		return read_password(cx, c->password_file, out);
	random_password(out);
	return OK;
}

static enum status
user_add(struct ctx *cx, const struct config *c)
{
	char password[PASSWORD_BYTES + 2];
	struct user user;
	enum status st;
	bool made;

	if ((st = choose_password(cx, c, password, &made)) == OK &&
		(st = account_add(cx, c->operand, password, c->admin, &user)) == OK) {
		(void)printf("added %s\"%s\"\n", user.is_admin ? "administrator " : "user ", user.name);
		if (made)
			(void)printf("password: %s\n", password);
	}
	wipe(password, sizeof(password));
	return st;
}

static enum status
user_password(struct ctx *cx, const struct config *c)
{
	char password[PASSWORD_BYTES + 2];
	enum status st;
	bool made;

	if ((st = choose_password(cx, c, password, &made)) == OK &&
		(st = account_password(cx, c->operand, password)) == OK) {
		(void)printf("password of \"%s\" changed\n", c->operand);
		if (made)
			(void)printf("password: %s\n", password);
	}
	wipe(password, sizeof(password));
	return st;
}

static enum status
user_list(struct ctx *cx)
{
	struct user *users = NULL;
	size_t n = 0;
	enum status st;

	if ((st = account_list(cx, &users, &n)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		(void)printf("%s\t%s\t%s\n", users[i].name, users[i].is_admin ? "administrator" : "user",
			users[i].disabled ? "disabled" : "enabled");
	return OK;
}

static enum status
token_add(struct ctx *cx, const struct config *c)
{
	char text[TOKEN_TEXT];
	struct user_token token;
	struct user user;
	enum status st;

	if ((st = account_find(cx, c->operand, &user)) != OK)
		return st;
	if ((st = account_token_add(cx, user.user_id, c->name, c->expires_days, text, &token)) == OK)
		(void)printf("%s\n", text);
	wipe(text, sizeof(text));
	return st;
}

static enum status
done(enum status st, const char *what, const char *name)
{
	if (st == OK)
		(void)printf("%s \"%s\"\n", what, name);
	return st;
}

static enum status
run_account(struct ctx *cx, const struct config *c)
{
	switch (c->command) {
	case COMMAND_USER_ADD:
		return user_add(cx, c);
	case COMMAND_USER_LIST:
		return user_list(cx);
	case COMMAND_USER_PASSWORD:
		return user_password(cx, c);
	case COMMAND_USER_ENABLE:
		return done(account_enable(cx, c->operand, true), "enabled", c->operand);
	case COMMAND_USER_DISABLE:
		return done(account_enable(cx, c->operand, false), "disabled", c->operand);
	case COMMAND_USER_REMOVE:
		return done(account_remove(cx, c->operand), "removed", c->operand);
	case COMMAND_USER_ADMIN:
		return done(account_admin(cx, c->operand, !c->revoke),
			c->revoke ? "ordinary user" : "administrator", c->operand);
	case COMMAND_TOKEN_ADD:
		return token_add(cx, c);
	default:
		return fail(cx, INTERNAL, "no such command");
	}
}

int
command_account(const struct config *c)
{
	struct session s;
	int code = 0;

	if (!session_open(&s, c))
		return 1;
	/* a database of ours that no running server looks after is brought up to date as serve would do it */
	if (database_schema(&s.cx, s.db.postgres != NULL) != OK ||
		auth_setup(&s.cx, &(struct auth_options){ .on = true }) != OK || run_account(&s.cx, c) != OK)
		code = complain(s.cx.message);
	auth_fini();
	session_close(&s);
	return code;
}
