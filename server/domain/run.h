/* Runs: what one training did. Written to by many, ended once or not at all. */
#ifndef DOMAIN_RUN_H
#define DOMAIN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"
#include "base/fields.h"
#include "domain/experiment.h"

struct run_latest; /* ingest/ingest.h */
struct point;
struct sample;

enum run_status { RUN_RUNNING = 1, RUN_SCHEDULED, RUN_FINISHED, RUN_FAILED, RUN_KILLED };
const char *run_status_name(enum run_status s);
bool run_status_from(const char *name, enum run_status *out);

struct dataset {
	const char *name, *digest, *source_type, *source;
	const char *schema, *profile; /* NULL: not given */
};

struct run_input {
	struct dataset dataset;
	struct key_value *tags;
	size_t tag_count;
};

struct run_output {
	const char *model_uuid;
	int64_t step;
};

struct run {
	int64_t run_id;   /* the row; inside the server only */
	const char *uuid; /* run_id of the protocol: 32 hex digits */
	int64_t experiment_id;
	const char *name;
	const char *user_text; /* the client's word */
	enum run_status status;
	int64_t start_unix_ms;
	bool has_end;
	int64_t end_unix_ms;
	const char *artifact_uri; /* "<artifact_location>/<uuid>/artifacts" */
	bool deleted;
	struct key_value *params, *tags; /* by key */
	size_t param_count, tag_count;
	bool has_inputs, has_outputs; /* whether the following lists are worth a look */
	struct run_input *inputs;
	size_t input_count;
	const char **model_inputs;
	size_t model_input_count;
	struct run_output *outputs;
	size_t output_count;
	const struct run_latest *metrics; /* NULL until loaded */
};

struct run_create {
	const char *experiment_id;
	const char *user_id;
	const char *run_name;
	int64_t start_time;
	struct key_value *tags;
	size_t tag_count;
};

struct run_update {
	const char *uuid;
	bool has_status, has_end;
	enum run_status status;
	int64_t end_unix_ms;
	const char *name; /* NULL or "": unchanged */
};

enum status run_start(struct ctx *cx, const struct run_create *in, struct run *out) must_check;
enum status run_get(
	struct ctx *cx, const char *uuid, struct run *out) must_check; /* with metrics, inputs, outputs */
/* Its row alone: without params, tags, metrics, links. */
enum status run_find(struct ctx *cx, const char *uuid, struct run *out) must_check;
/* Several, in the order of run_ids, in the caller's transaction. One that has been removed for good has no uuid. */
struct tx;
enum status run_load_many(struct tx *tx, const int64_t *run_ids, size_t n, struct run *out) must_check;
/* Who made it: names of the user and the token, NULL for nobody and none. */
struct run_origin {
	int64_t created_unix_ms; /* the server's clock */
	const char *created_by, *created_token;
};
enum status run_origin(struct ctx *cx, const char *uuid, struct run_origin *out) must_check;
enum status run_update(struct ctx *cx, const struct run_update *in, struct run *out) must_check;
enum status run_delete(struct ctx *cx, const char *uuid) must_check;
enum status run_restore(struct ctx *cx, const char *uuid) must_check;
/* For good, with its metrics and files: one that is deleted, and holds no files of a registered version. */
enum status run_remove(struct ctx *cx, const char *uuid) must_check;
/* All that were deleted before some moment; one that cannot be removed stays. */
enum status run_remove_old(struct ctx *cx, int64_t before_unix_ms, size_t *removed) must_check;
enum status run_param_log(struct ctx *cx, const char *uuid, struct key_value *param) must_check;
enum status run_tag_set(struct ctx *cx, const char *uuid, struct key_value *tag) must_check;
enum status run_tag_delete(struct ctx *cx, const char *uuid, const char *key) must_check;

/* A point that belongs to a logged model too. */
struct model_point {
	const char *model_uuid, *run_uuid;
	const char *key;
	double value;
	int64_t time_unix_ms, step;
	const char *dataset_name, *dataset_digest; /* NULL: none */
};

struct run_batch {
	const char *uuid;
	bool single; /* one point by itself: messages name its fields without metrics[0] */
	const struct point *points;
	size_t point_count;
	struct model_point *model_points;
	size_t model_point_count;
	struct key_value *params, *tags;
	size_t param_count, tag_count;
};
/* All of it or nothing, in one transaction. Names and limits have been checked by run_batch_check. */
enum status run_log_batch(struct ctx *cx, const struct run_batch *in) must_check;
enum status run_batch_check(struct ctx *cx, struct run_batch *in) must_check;
/* The same for points alone whose names stand once, in a list of their own; how many there may be is not asked here. */
enum status run_points_check(struct ctx *cx, const char *uuid, const char *const *names, size_t name_count,
	const struct point *points, size_t n) must_check;

/* What the runs of experiments used, and as what. */
struct dataset_summary {
	int64_t experiment_id;
	const char *name, *digest, *context; /* context NULL: none */
};
/* At most 20 experiments; at most 1,000 rows. */
enum status run_datasets(struct ctx *cx, const char *const *experiment_ids, size_t n,
	struct dataset_summary **out, size_t *found) must_check;

enum status run_log_inputs(struct ctx *cx, const char *uuid, const struct run_input *inputs, size_t n,
	const char *const *models, size_t model_count) must_check;
enum status run_log_outputs(
	struct ctx *cx, const char *uuid, const struct run_output *outputs, size_t n) must_check;
enum status run_log_model(struct ctx *cx, const char *uuid, const char *model_json) must_check;

enum status run_search(struct ctx *cx, const char *const *experiment_ids, size_t id_count,
	const struct search_in *in, struct run **out, size_t *n, const char **next_token) must_check;

/*
 * Metric history in the protocol's order. A page has at most RUN_HISTORY_MOST samples; limit 0: all, INVALID when there are more
 * than those.
 */
#define RUN_HISTORY_MOST 250000
enum status run_history(struct ctx *cx, const char *uuid, const char *key, size_t limit,
	const char *page_token, struct sample **out, size_t *n, const char **next_token) must_check;
/* Of several runs, in their order, each once; an unknown run or key gives none. Lent for the call. */
typedef enum status run_samples_fn(void *arg, const char *uuid, const struct sample *samples, size_t n);
/* Their histories one after the other, `limit` samples in all. */
enum status run_histories(struct ctx *cx, const char *const *uuids, size_t n, const char *key, size_t limit,
	run_samples_fn *each, void *arg) must_check;
/* A few samples of each as the protocol picks them (ingest_tiles). */
struct run_tiles_in {
	const char *const *uuids;
	size_t n;
	const char *key;
	int64_t step_lo, step_hi; /* inclusive */
	size_t most;              /* of each run */
};
enum status run_tiles(
	struct ctx *cx, const struct run_tiles_in *in, run_samples_fn *each, void *arg) must_check;

#endif
