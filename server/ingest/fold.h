/* Summaries of series: a sample at a time, in any order. Inside ingest only. */
#ifndef INGEST_FOLD_H
#define INGEST_FOLD_H

#include "ingest/chunk.h"

/* n 0: nothing yet. Extremes: real numbers before NaN, of equals the earliest in stored order. */
void fold_sample(struct series_summary *sum, const struct sample *s);
/* Samples in stored order, all different from what is in sum; their own sum is made with more digits than a double has. */
void fold_samples(struct series_summary *sum, const struct sample *samples, size_t n);
/* Two halves of a series that have no sample in common. */
void fold_join(struct series_summary *sum, const struct series_summary *other);

#endif
