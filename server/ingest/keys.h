/*
 * Numbers of metric names. What is shared is remembered only after a commit, and bounded: over its limit it forgets everything.
 * What one transaction found or made is its own until then.
 */
#ifndef INGEST_KEYS_H
#define INGEST_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "store/tx.h"

struct keys; /* any thread */

struct keys *keys_new(size_t limit_bytes);
void keys_free(struct keys *k); /* NULL is fine */

/* One transaction's view. One thread. */
struct key_work;

struct key_work *key_work_new(struct keys *shared);
void key_work_free(struct key_work *w); /* NULL is fine */
/* 0: not known yet; then it is noted for key_work_make(). The name is borrowed until that. */
int32_t key_work_find(struct key_work *w, int64_t experiment_id, const char *name);
/* How many are noted. */
size_t key_work_missing(const struct key_work *w);
/* Give all noted names their numbers, in this transaction; new names are made. */
enum status key_work_make(struct key_work *w, struct tx *tx) must_check;
/* Did this transaction have to look for names, and so perhaps make some? */
bool key_work_looked(const struct key_work *w);
void key_work_committed(struct key_work *w); /* all may know; starts anew */
void key_work_forget(struct key_work *w);    /* the transaction came to nothing; starts anew */

#endif
