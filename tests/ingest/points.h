/* Points of a series spread over tail rows, chunks and bundles, as compaction and retries leave them; and what a reader must see. */
#ifndef TESTS_INGEST_POINTS_H
#define TESTS_INGEST_POINTS_H

#include "support/pg.h"

#include "ingest/chunk.h"
#include "ingest/ingest.h"

struct spread {
	struct pg_test *t;
	struct codec *codec;
	struct chunk_coder *coder;
	int64_t seq;
};

void spread_init(struct spread *s, struct pg_test *t);
void spread_fini(struct spread *s);

/* A run of experiment 0, and the number of a key there. */
struct read_run spread_run(struct spread *s, const char *uuid);
void spread_key(struct spread *s, int64_t experiment_id, int32_t key_id, const char *name);

/* In any order, with twins: rows are made as the tables want them. */
void spread_tail(struct spread *s, int64_t run_id, int32_t key_id, const struct sample *samples, size_t n);
void spread_chunk(struct spread *s, int64_t run_id, int32_t key_id, const struct sample *samples, size_t n);
/* Of two keys of one bundle; n_b may be 0. */
void spread_bundle(struct spread *s, int64_t run_id, int32_t key_a, const struct sample *a, size_t n_a,
	int32_t key_b, const struct sample *b, size_t n_b);

/* A new array in the arena: in order, without twins. */
struct sample *spread_settled(
	struct spread *s, const struct sample *samples, size_t n, bool by_time, size_t *left);

uint64_t spread_random(uint64_t *seed);

#endif
