/* Each table is made anew beside the old one, from what the catalog says of it: columns, primary key, storage, parameters, comments. */
#include "store/partition.h"

#include <stdio.h>
#include "base/log.h"
#include "store/internal.h"

static const char cut[] =
	"DO $$"
	" DECLARE"
	"  parts int := current_setting('cairn.partitions')::int;"
	"  t text; key text; parameters text;"
	" BEGIN"
	"  FOREACH t IN ARRAY ARRAY['metric_tail', 'metric_chunk', 'run_summary'] LOOP"
	"   EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', t);"
	"   SELECT pg_get_constraintdef(oid) INTO key FROM pg_constraint WHERE conrelid = t::regclass AND "
	"contype = 'p';"
	"   SELECT string_agg(o, ', ') INTO parameters FROM unnest((SELECT c.reloptions FROM pg_class c"
	"    WHERE c.reloptions IS NOT NULL AND (c.oid = t::regclass"
	"     OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = t::regclass)) LIMIT 1)) o;"
	"   EXECUTE format('ALTER TABLE %I RENAME TO %I', t, t || '_before');"
	"   EXECUTE format('ALTER INDEX %I RENAME TO %I', t || '_pkey', t || '_before_pkey');"
	"   EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING "
	"COMMENTS) %s', t,"
	"    t || '_before', CASE WHEN parts > 1 THEN 'PARTITION BY HASH (run_id)'"
	"    ELSE 'WITH (' || parameters || ')' END);"
	"   EXECUTE format('COMMENT ON TABLE %I IS %L', t, obj_description((t || '_before')::regclass));"
	"   EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I %s', t, t || '_pkey', key);"
	"   FOR i IN 0 .. CASE WHEN parts > 1 THEN parts ELSE 0 END - 1 LOOP"
	"    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s) WITH "
	"(%s)',"
	"     format('%s_%s_of_%s', t, i, parts), t, parts, i, parameters);"
	"   END LOOP;"
	"   EXECUTE format('INSERT INTO %I SELECT * FROM %I', t, t || '_before');"
	"   EXECUTE format('DROP TABLE %I', t || '_before');"
	"  END LOOP;"
	" END $$";

static enum status
cut_tables(struct ctx *cx, struct connection *c, int64_t count)
{
	char setting[64];
	struct tx *t = NULL;
	enum status st;

	(void)snprintf(setting, sizeof(setting), "SET LOCAL cairn.partitions = %lld", (long long)count);
	if ((st = tx_begin_on(cx, c, &t)) != OK ||
		(st = connection_command(c, cx, "SET LOCAL search_path = cairn", NULL)) != OK ||
		(st = connection_command(c, cx, setting, NULL)) != OK ||
		(st = connection_command(c, cx, cut, NULL)) != OK)
		goto out;
	st = tx_commit(&t);
out:
	tx_rollback(&t);
	return st;
}

enum status
partition_metrics(struct ctx *cx, int64_t count)
{
	struct connection *c = NULL;
	enum status st;

	if (count < 1 || count > PARTITIONS_MOST)
		return fail(cx, INVALID, "%lld partitions cannot be: 1 to %d can", (long long)count,
			PARTITIONS_MOST);
	if ((st = pool_open_patient(cx->parts->pool, cx, &c)) == OK)
		st = cut_tables(cx, c, count);
	connection_close(c);
	if (st == OK)
		log_info("partitioned", "partitions=%lld", (long long)count);
	return st;
}
