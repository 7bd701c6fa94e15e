/*
 * Removing runs for good. Compaction of the run is waited for and kept out; whoever writes to it now is waited for by the lock on its
 * row, and whoever comes later does not find it. What a server that died in between left in the tail is found by the compactor.
 */
#include "domain/run.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "domain/artifact.h"
#include "store/artifacts.h"
#include "store/metric_chunks.h"
#include "store/registry.h"
#include "store/runs.h"

#define AT_ONCE 100

/* The folder that is the run's alone: its artifact_uri without "/artifacts"; NULL: its files are somewhere else. */
static const char *
folder_of(struct ctx *cx, const struct run *run)
{
	struct ctx aside;
	const char *path;
	char *end;

	ctx_init(&aside, cx->arena, cx->parts);
	if (artifact_path_of_uri(&aside, run->artifact_uri, &path) != OK)
		return NULL;
	path = arena_str(cx->arena, path);
	end = strstr(path, run->uuid);
	if (end == NULL || !str_eq(end + strlen(run->uuid), "/artifacts"))
		return NULL;
	end[strlen(run->uuid)] = '\0';
	return path;
}

/* A registered version would lose its files. */
static enum status
keep_versions(struct tx *tx, const struct run *run)
{
	const char *version;
	enum status st = store_version_below(tx, run->artifact_uri, &version);

	if (st == OK && version != NULL)
		return fail(tx_ctx(tx), INVALID,
			"The run %s holds the files of the registered model %s: delete that version first",
			run->uuid, version);
	return st;
}

static enum status
remove_all(struct tx *tx, const struct run *run)
{
	const char *folder = folder_of(tx_ctx(tx), run);
	enum status st;

	if (folder != NULL &&
		((st = keep_versions(tx, run)) != OK || (st = store_artifact_delete(tx, folder)) != OK))
		return st;
	if ((st = store_metrics_drop(tx, run->run_id)) != OK)
		return st;
	return store_run_remove(tx, run->run_id);
}

/* Most of the work comes before the lock: a client that still logs to the run has the one writer of all metrics wait there. */
static enum status
lock_deleted(struct tx *tx, const char *uuid, struct run *run)
{
	struct ctx *cx = tx_ctx(tx);
	enum status st = store_run_find(tx, uuid, run);

	if (st == OK && (st = store_compact_wait(tx, run->run_id)) == OK && run->deleted)
		st = store_metrics_drop(tx, run->run_id);
	if (st == OK)
		st = store_run_lock_whole(tx, uuid, run);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Run with id=%s not found", uuid);
	if (st == OK && !run->deleted)
		return fail(cx, INVALID,
			"The run %s must be in the 'deleted' state. Current state is active.", uuid);
	return st;
}

static enum status
remove_one(struct ctx *cx, const char *uuid)
{
	struct run run;
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_begin(cx, &tx)) == OK && (st = lock_deleted(tx, uuid, &run)) == OK &&
		(st = remove_all(tx, &run)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return st;
}

enum status
run_remove(struct ctx *cx, const char *uuid)
{
	struct ctx aside;
	size_t n;
	enum status st = remove_one(cx, uuid);

	if (st == OK) { /* the rows are gone; objects that stay now are swept later */
		ctx_init(&aside, cx->arena, cx->parts);
		if (artifact_sweep(&aside, &n) != OK)
			log_warn("sweep", "message=\"%s\"", aside.message);
	}
	return st;
}

/* One that stays does not keep the others. */
static enum status
remove_page(struct ctx *cx, const struct removable_run *runs, size_t n, size_t *removed)
{
	for (size_t i = 0; i < n; i++) {
		enum status st = remove_one(cx, runs[i].uuid);

		if (st == UNAVAILABLE || st == TIMED_OUT)
			return st;
		if (st == OK)
			++*removed;
		else
			log_warn("purge", "run=%s message=\"%s\"", runs[i].uuid, cx->message);
	}
	return OK;
}

enum status
run_remove_old(struct ctx *cx, int64_t before_unix_ms, size_t *removed)
{
	struct removable_run *runs, last = { .run_id = 0, .deleted_unix_ms = INT64_MIN };
	size_t n = AT_ONCE;
	enum status st = OK;

	*removed = 0;
	while (st == OK && n == AT_ONCE) {
		struct tx *tx = NULL;

		if ((st = tx_auto(cx, &tx)) == OK)
			st = store_run_removable(tx, before_unix_ms, &last, AT_ONCE, &runs, &n);
		tx_rollback(&tx);
		if (st != OK || n == 0)
			break;
		last = runs[n - 1];
		st = remove_page(cx, runs, n, removed);
	}
	return st;
}
