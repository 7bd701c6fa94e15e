/*
 * Several sorted runs of samples as one: in order, exact duplicates dropped, handed on in spans without a copy. Chunks are added
 * as they arrive, in the order of where they begin; memory is that of the chunks that overlap. Inside ingest only.
 */
#ifndef INGEST_MERGE_H
#define INGEST_MERGE_H

#include "ingest/samples.h"

/* A place in the order: (step, time) or (time, step). */
struct place_in_order {
	int64_t first, second;
};

/* Lent for the call. false in *more: it is enough, nothing more is wanted. */
typedef enum status merge_span_fn(void *arg, const struct sample *samples, size_t n, bool *more);

struct merge_source;
struct merge {
	bool by_time; /* history order; else stored order */
	sample_compare_fn *compare;
	merge_span_fn *span;
	void *arg;
	struct merge_source *heap; /* least sample on top */
	size_t n, room;
	struct sample last; /* handed on last */
	bool any, more;
};

void merge_init(struct merge *m, bool by_time, merge_span_fn *span, void *arg);
void merge_fini(struct merge *m);
struct place_in_order merge_place(const struct merge *m, int64_t step, int64_t time_unix_ms);
int merge_compare_places(const struct place_in_order *a, const struct place_in_order *b);

/* Sorted, no twins; borrowed until the merge ends. */
void merge_add(struct merge *m, const struct sample *samples, size_t n);
/*
 * The same, borrowed for the call: handed on at once where nothing stands between them, copied otherwise. Everything before its
 * first sample has been handed on (merge_until). next: where the source after it begins; NULL: it is the last.
 */
enum status merge_pass(struct merge *m, const struct sample *samples, size_t n,
	const struct place_in_order *next) must_check;
/* Hand on what lies before a place; NULL: all. */
enum status merge_until(struct merge *m, const struct place_in_order *limit) must_check;

#endif
