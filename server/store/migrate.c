/*
 * The schema "cairn" and its table of migrations are made here; everything else by the files of migrations/.
 * An advisory lock on a connection that does nothing else keeps a second process waiting; each migration is one
 * transaction on another connection, together with the row that records it.
 */
#include "store/migrate.h"

#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/internal.h"
#include "store/migrations.h"
#include "store/query.h"
#include "store/sql.h"

static const char create_schema[] = "CREATE SCHEMA cairn";
static const char create_table[] = "CREATE TABLE cairn.migration ("
				   " number int PRIMARY KEY, name text NOT NULL, sha256 bytea NOT NULL, "
				   "applied_unix_ms bigint NOT NULL);"
				   "COMMENT ON TABLE cairn.migration IS 'The files of migrations/ that ran "
				   "here: SHA-256 of their bytes'";

struct there {
	bool schema;
	bool table;
};

static enum status
there_from_row(struct row *row, void *out)
{
	struct there *t = out;

	t->schema = row_bool(row, "has_schema");
	t->table = row_bool(row, "has_table");
	return OK;
}

static enum status
find_there(struct tx *t, struct there *out)
{
	struct query q;

	query_init(&q, t, &SQL_migration_exists);
	return query_one(&q, there_from_row, out);
}

struct applied {
	int64_t number;
	const char *name;
	const void *sha256;
	size_t sha256_len;
};

static enum status
applied_from_row(struct row *row, void *out)
{
	struct applied *a = out;

	a->number = row_int8(row, "number");
	a->name = row_text(row, "name");
	a->sha256 = row_bytea(row, "sha256", &a->sha256_len);
	return OK;
}

static bool
same_migration(const struct applied *a, const struct migration *m)
{
	uint8_t hash[SHA256_BYTES];

	sha256_of(m->text, m->size, hash);
	return a->number == m->number && a->sha256_len == sizeof(hash) &&
	       memcmp(a->sha256, hash, sizeof(hash)) == 0;
}

static enum schema_state
strange(struct ctx *cx, int64_t number, const char *name)
{
	(void)fail(cx, CONFLICT,
		"the database ran migration %lld (%s), which is not the one this cairnd knows: it belongs to "
		"another build",
		(long long)number, name);
	return SCHEMA_STRANGE;
}

/* `list` is ordered by number. */
static enum schema_state
compare(struct ctx *cx, const struct applied *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i >= (size_t)migration_count) {
			(void)fail(cx, CONFLICT,
				"the database has schema %lld, this cairnd knows up to %d: it was made by a "
				"newer one",
				(long long)list[n - 1].number, migration_count);
			return SCHEMA_AHEAD;
		}
		if (!same_migration(&list[i], &migrations[i]))
			return strange(cx, list[i].number, list[i].name);
	}
	if (n == (size_t)migration_count)
		return SCHEMA_CURRENT;
	(void)fail(cx, PRECONDITION,
		"the database has schema %zu, this cairnd needs %d: run \"cairnd migrate\"", n,
		migration_count);
	return n == 0 ? SCHEMA_EMPTY : SCHEMA_BEHIND;
}

static enum status
state_of(struct tx *t, enum schema_state *out, size_t *applied)
{
	struct there there;
	struct applied *list = NULL;
	struct query q;
	enum status st;

	*applied = 0;
	if ((st = find_there(t, &there)) != OK)
		return st;
	if (there.table) {
		query_init(&q, t, &SQL_migration_list);
		if ((st = query_list(&q, applied_from_row, sizeof(*list), &list, applied)) != OK)
			return st;
	}
	*out = compare(tx_ctx(t), list, *applied);
	return OK;
}

enum status
migrate_state(struct ctx *cx, enum schema_state *out)
{
	struct tx *t = NULL;
	size_t applied;
	enum status st;

	if ((st = tx_auto(cx, &t)) != OK)
		return st;
	if ((st = state_of(t, out, &applied)) == OK)
		st = tx_commit(&t);
	tx_rollback(&t);
	return st;
}

/* ---- running them ---- */

static enum status
take_lock(struct ctx *cx, struct connection *c)
{
	struct tx *t = tx_on(cx, c);
	struct query q;
	int64_t got = 0;
	enum status st;

	query_init(&q, t, &SQL_migration_try_lock);
	st = query_one(&q, row_read_int8, &got);
	if (st == OK && got == 0) {
		log_info("migrate", "message=\"another process migrates this database; waiting for it\"");
		query_init(&q, t, &SQL_migration_lock);
		st = query_run(&q, NULL);
	}
	tx_rollback(&t);
	return st;
}

static enum status
prepare_schema(struct ctx *cx, struct connection *c)
{
	struct there there;
	struct tx *t = NULL;
	enum status st;

	if ((st = tx_begin_on(cx, c, &t)) != OK || (st = find_there(t, &there)) != OK)
		goto out;
	if (!there.schema && (st = connection_command(c, cx, create_schema, NULL)) != OK)
		goto out;
	if (!there.table && (st = connection_command(c, cx, create_table, NULL)) != OK)
		goto out;
	st = tx_commit(&t);
out:
	tx_rollback(&t);
	return st;
}

static enum status
record(struct tx *t, const struct migration *m)
{
	uint8_t hash[SHA256_BYTES];
	struct query q;

	sha256_of(m->text, m->size, hash);
	query_init(&q, t, &SQL_migration_insert);
	query_int4(&q, m->number);
	query_text(&q, m->name);
	query_bytea(&q, hash, sizeof(hash));
	query_int8(&q, clock_unix_ms());
	return query_run(&q, NULL);
}

static enum status
apply(struct ctx *cx, struct connection *c, const struct migration *m)
{
	struct tx *t = NULL;
	enum status st;

	if ((st = tx_begin_on(cx, c, &t)) != OK)
		goto out;
	if ((st = connection_command(c, cx, "SET LOCAL search_path = cairn", NULL)) != OK)
		goto out;
	if ((st = connection_command(c, cx, m->text, NULL)) != OK)
		goto out;
	if ((st = record(t, m)) != OK)
		goto out;
	if ((st = tx_commit(&t)) == OK)
		log_info("migrated", "migration=%s", m->name);
out:
	tx_rollback(&t);
	return st;
}

static enum status
apply_rest(struct ctx *cx, struct connection *c, int *applied)
{
	struct tx *t = tx_on(cx, c);
	enum schema_state state = SCHEMA_EMPTY;
	size_t have = 0;
	enum status st = state_of(t, &state, &have);

	tx_rollback(&t);
	if (st != OK)
		return st;
	if (state == SCHEMA_AHEAD || state == SCHEMA_STRANGE)
		return cx->status; /* its sentence is written */
	if (have == 0 && (st = prepare_schema(cx, c)) != OK)
		return st;
	for (size_t i = have; i < (size_t)migration_count; i++) {
		if ((st = apply(cx, c, &migrations[i])) != OK)
			return st;
		(*applied)++;
	}
	return OK;
}

enum status
migrate_run(struct ctx *cx, int *applied)
{
	struct connection *lock = NULL, *work = NULL;
	enum status st;

	*applied = 0;
	if ((st = pool_open_patient(cx->parts->pool, cx, &lock)) != OK ||
		(st = pool_open_patient(cx->parts->pool, cx, &work)) != OK)
		goto out;
	if ((st = take_lock(cx, lock)) != OK)
		goto out;
	st = apply_rest(cx, work, applied);
out:
	connection_close(work);
	connection_close(lock); /* and with it the lock */
	return st;
}
