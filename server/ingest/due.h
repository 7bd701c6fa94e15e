/*
 * Which runs are due for compaction, as far as this process knows: who writes says how much, and run ends; the compactor takes them
 * one by one. What it does not know (written by others, before a restart) is found by the compactor's sweep. Any thread.
 *
 * A run is due with DUE_ROWS tail rows or DUE_POINTS points since it was last taken, when its oldest point is DUE_AGE_MS old, and at
 * once when it ends. One that has DUE_URGENT times as many rows or points is first in line. Memory is bounded: beyond DUE_MOST runs
 * the others are left to the sweep.
 */
#ifndef INGEST_DUE_H
#define INGEST_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DUE_ROWS   1024
#define DUE_POINTS 40000
#define DUE_AGE_MS 600000
#define DUE_URGENT 8
#define DUE_MOST   (1u << 18)

struct due;

struct due *due_new(void);
void due_free(struct due *d); /* NULL is fine */

void due_note(struct due *d, int64_t run_id, size_t rows, size_t points);
/* At once; settle: the run has ended. */
void due_now(struct due *d, int64_t run_id, bool settle);
/* Not before then. */
void due_later(struct due *d, int64_t run_id, bool settle, int64_t after_ms);

struct due_run {
	int64_t run_id;
	bool settle;
};
/* Waits until a run is due, and takes it; false: none was until then, or due_stop() was called. */
bool due_take(struct due *d, int64_t until_mono_ms, struct due_run *out);
/* From now on due_take() and due_pause() return at once. */
void due_stop(struct due *d);
bool due_stopped(struct due *d);
/* Waits; false: due_stop() was called. */
bool due_pause(struct due *d, int64_t until_mono_ms);

#endif
