/*
 * What came to some series since a cursor, out of the tail: raw samples, in stored order, exact duplicates among them dropped. Where
 * compaction has moved points since, old and new cannot be told apart any more: such a run is to be read anew. So is one with a row
 * that cannot be read.
 */
#ifndef INGEST_NEWS_H
#define INGEST_NEWS_H

#include "ingest/ingest.h"

struct news_run {
	int64_t run_id, experiment_id;
};
struct news_in {
	const char *since;           /* a snapshot of this cluster (ingest/cursor.h) */
	const struct news_run *runs; /* sorted by run_id, no twins */
	size_t run_count;
	const char *const *keys; /* sorted by bytes, no twins */
	size_t key_count;
	size_t most;        /* points in all, and */
	size_t most_of_run; /* of a run: who has more is to be read anew */
};
struct news_series {
	int64_t run_id;
	const char *key; /* of in->keys */
	const struct sample *samples;
	size_t n; /* never 0 */
};
/* In the arena. */
struct news {
	struct news_series *series; /* by run_id, then key; none of runs that are to be read anew */
	size_t n;
	int64_t *reset; /* run_ids, sorted */
	size_t reset_count;
	size_t points;
};
/* What the transaction sees and `since` did not: in one snapshot with cursor_now() nothing is missed and nothing comes twice. */
enum status ingest_news(struct tx *tx, const struct news_in *in, struct news *out) must_check;

/* Those of one run and key; NULL: none. */
const struct news_series *news_find(const struct news *news, int64_t run_id, const char *key);
bool news_is_reset(const struct news *news, int64_t run_id);

#endif
