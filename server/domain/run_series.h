/* Metrics of many runs as charts and tables want them: down-sampled, grouped, in a few numbers. Unknown runs and keys give nothing. */
#ifndef DOMAIN_RUN_SERIES_H
#define DOMAIN_RUN_SERIES_H

#include "ingest/ingest.h"
#include "ingest/series.h"

struct run_series_in {
	const char *const *uuids, *const *keys; /* whatever stands twice counts once */
	size_t uuid_count, key_count;
	struct series_in how; /* all but runs and keys */
};
/* Lent for the call. The runs come in their order. */
typedef enum status run_series_fn(void *arg, const char *uuid, const char *key, const struct series *s);
/* All in one snapshot; *cursor is that (ingest/cursor.h), in the arena. */
enum status run_series(struct ctx *cx, const struct run_series_in *in, run_series_fn *each, void *arg,
	const char **cursor) must_check;

struct run_set {
	const char *name;
	const char **uuids;
	size_t uuid_count;
};
struct run_grouped_in {
	const struct run_set *groups;
	size_t group_count;
	const char *const *keys;
	size_t key_count;
	struct series_in how; /* all but runs and keys; not SERIES_METRIC */
};
typedef enum status run_grouped_fn(
	void *arg, const struct run_set *group, const char *key, const struct grouped *g);
enum status run_grouped(
	struct ctx *cx, const struct run_grouped_in *in, run_grouped_fn *each, void *arg) must_check;

/* All metrics of a run in a few numbers each; NOT_FOUND. */
enum status run_metrics(struct ctx *cx, const char *uuid, struct run_latest *out) must_check;
/* The same of some keys of some runs (no keys: of all), in the order of the runs. */
typedef enum status run_summary_fn(
	void *arg, const char *uuid, const struct latest *const *metrics, size_t n);
enum status run_summaries(struct ctx *cx, const char *const *uuids, size_t n, const char *const *keys,
	size_t key_count, run_summary_fn *each, void *arg) must_check;

#endif
