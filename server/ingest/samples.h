/* The order of samples, and what is the same sample twice: as MLflow's database has it. Inside ingest only. */
#ifndef INGEST_SAMPLES_H
#define INGEST_SAMPLES_H

#include "ingest/ingest.h"

/* NaN sorts as 0, after a real 0 of the same moment; -0.0 equals 0.0, NaN equals NaN. */
int sample_compare_value(double a, double b);
int sample_compare_stored(const struct sample *a, const struct sample *b);  /* step, time, value */
int sample_compare_history(const struct sample *a, const struct sample *b); /* time, step, value */

typedef int sample_compare_fn(const struct sample *a, const struct sample *b);
/* Each greater than the one before. */
bool samples_rising(const struct sample *samples, size_t n, sample_compare_fn *compare);
/* Sort (looking first whether they are) and drop exact duplicates; how many are left. */
size_t samples_settle(struct sample *samples, size_t n, sample_compare_fn *compare);
/* Drop those that are among `have`; both in stored order; how many are left. */
size_t samples_subtract(struct sample *samples, size_t n, const struct sample *have, size_t have_count);
/* How many come before a moment; in stored order. */
size_t samples_before(const struct sample *samples, size_t n, int64_t step, int64_t time_unix_ms);

/* A tail row that the codec refuses: logged, and INTERNAL. */
enum status damaged_row(struct ctx *cx, int64_t run_id) must_check;

#endif
