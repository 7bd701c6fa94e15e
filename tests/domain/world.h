/*
 * A test's own PostgreSQL database, folder of blobs and ingest writer. world_start() is the first line of a test,
 * world_stop() its last; a failing test keeps them until the process ends.
 */
#ifndef DOMAIN_WORLD_H
#define DOMAIN_WORLD_H

#include "support/pg.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fields.h"
#include "base/hash.h"
#include "base/str.h"
#include "blob/blob.h"
#include "domain/artifact.h"
#include "domain/experiment.h"
#include "domain/run.h"
#include "ingest/ingest.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct world {
	struct pg_test *t;
	struct ctx *cx;
	char folder[64];
};

static size_t world_files; /* counted by world_count */

static inline int
world_remove(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
world_count(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)path;
	(void)sb;
	(void)ftw;
	world_files += type == FTW_F;
	return 0;
}

/* Files in the blob store's folder: objects and half-written ones. */
static inline size_t
world_objects(const struct world *w)
{
	world_files = 0;
	(void)nftw(w->folder, world_count, 16, FTW_PHYS);
	return world_files;
}

static inline struct world
world_start(void **state)
{
	struct world w = { .t = *state };
	char error[200];

	w.cx = &w.t->cx;
	(void)snprintf(w.folder, sizeof(w.folder), "/tmp/cairn-domain-XXXXXX");
	assert_non_null(mkdtemp(w.folder));
	w.t->parts.blobs = blob_open(w.folder, error, sizeof(error));
	assert_non_null(w.t->parts.blobs);
	w.t->parts.ingest = ingest_start(&(struct ingest_options){ w.t->pool, 64u << 20 });
	assert_non_null(w.t->parts.ingest);
	return w;
}

static inline void
world_stop(struct world *w)
{
	ingest_stop(w->t->parts.ingest);
	blob_close(w->t->parts.blobs);
	(void)nftw(w->folder, world_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The call must succeed; its sentence is shown when it does not. */
#define ok(w, call)                                                                                          \
	do {                                                                                                 \
		enum status ok_status = (call);                                                              \
		if (ok_status != OK)                                                                         \
			print_error("%s: %s\n", #call, (w)->cx->message);                                    \
		assert_int_equal(ok_status, OK);                                                             \
	} while (0)

/* The call must fail so, and its sentence hold `part`. */
#define refused(w, call, st, part)                                                                           \
	do {                                                                                                 \
		(w)->cx->message[0] = '\0';                                                                  \
		assert_int_equal((call), (st));                                                              \
		if (strstr((w)->cx->message, (part)) == NULL)                                                \
			print_error("%s: %s\n", #call, (w)->cx->message);                                    \
		assert_non_null(strstr((w)->cx->message, (part)));                                           \
	} while (0)

static inline int64_t
world_number(const struct world *w, const char *sql)
{
	return strtoll(pg_sql(w->t, sql), NULL, 10);
}

static inline int64_t
new_experiment(struct world *w, const char *name)
{
	int64_t id = 0;

	ok(w, experiment_create(w->cx, &(struct experiment_create){ .name = name }, &id));
	return id;
}

/* A new run's uuid, in the test's arena. */
static inline const char *
new_run(struct world *w, int64_t experiment)
{
	struct run_create in = { .experiment_id = arena_printf(w->cx->arena, "%lld", (long long)experiment) };
	struct run run;

	ok(w, run_start(w->cx, &in, &run));
	return run.uuid;
}

/* n characters. */
static inline const char *
text_of(struct world *w, const char *character, size_t n)
{
	size_t len = strlen(character);
	char *out = arena_alloc(w->cx->arena, n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * len, character, len);
	return out;
}

/* Another thread with a ctx of its own. */
struct worker {
	struct world *w;
	struct ctx cx;
	enum status st;
	pthread_t thread;
	void *arg;
};

static inline void
worker_start(struct worker *k, struct world *w, void *(*run)(void *), void *arg)
{
	k->w = w;
	k->arg = arg;
	ctx_init(&k->cx, arena_new(), &w->t->parts);
	assert_int_equal(pthread_create(&k->thread, NULL, run, k), 0);
}

static inline void
worker_end(struct worker *k)
{
	pthread_join(k->thread, NULL);
	arena_free(k->cx.arena);
}

/* Wait until so many sessions of this test's database wait for a lock. */
static inline void
until_waiting(struct world *w, int64_t n)
{
	int64_t until = clock_mono_ms() + 5000;

	while (world_number(w, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
			       "AND wait_event_type = 'Lock'") < n) {
		assert_true(clock_mono_ms() < until);
		(void)usleep(5000);
	}
}

#define world_main(...)                                                                                      \
	int main(void)                                                                                       \
	{                                                                                                    \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                           \
                                                                                                             \
		return cmocka_run_group_tests(tests, pg_group_setup, pg_group_teardown);                     \
	}

#endif
