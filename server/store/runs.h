/* Rows of runs and of what belongs to them, metrics apart. NOT_FOUND comes without a sentence where one row was asked for. */
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include "domain/run.h"
#include "store/tx.h"

/* Reads uuid, experiment_id, name, user_text, start and tags. `out` is deleted when the experiment is: then nothing was made. */
enum status store_run_insert(
	struct tx *tx, const struct run *in, int64_t now_unix_ms, struct run *out) must_check;
enum status store_run_get(
	struct tx *tx, const char *uuid, struct run *out) must_check; /* with params and tags */
enum status store_run_get_many(
	struct tx *tx, const int64_t *run_ids, size_t n, struct run **out, size_t *found) must_check;
/* Without params and tags: */
enum status store_run_find(struct tx *tx, const char *uuid, struct run *out) must_check;
enum status store_run_find_many(
	struct tx *tx, const char *const *uuids, size_t n, struct run **out, size_t *found) must_check;
enum status store_run_origin(struct tx *tx, const char *uuid, struct run_origin *out) must_check;
enum status store_run_share(struct tx *tx, const char *uuid,
	struct run *out) must_check; /* FOR KEY SHARE: rows of it are written */
enum status store_run_lock(
	struct tx *tx, const char *uuid, struct run *out) must_check; /* FOR NO KEY UPDATE: it changes */
enum status store_run_lock_whole(
	struct tx *tx, const char *uuid, struct run *out) must_check; /* FOR UPDATE: deleted or restored */

/* For searches that read the database: runs of some experiments, in pieces. */
struct run_candidates {
	const int64_t *experiments;
	size_t experiment_count;
	enum view view;
	int64_t above; /* run_ids greater than this, rising */
	size_t most;
};
enum status store_run_candidate_ids(
	struct tx *tx, const struct run_candidates *in, const int64_t **out, size_t *found) must_check;
/* Their rows, in any order, without params and tags. */
enum status store_run_candidates(
	struct tx *tx, const int64_t *run_ids, size_t n, struct run **out, size_t *found) must_check;
/* The metric names of the one of these experiments that has most: no run has more. */
enum status store_metric_key_count(
	struct tx *tx, const int64_t *experiments, size_t n, int64_t *count) must_check;

/* One (run, key, value) of a search; what arrives is lent to `each` for the call. */
struct candidate_value {
	int64_t run_id;
	const char *key, *value;
};
typedef void candidate_fn(void *arg, const struct candidate_value *v);
enum status store_run_candidate_params(struct tx *tx, const int64_t *run_ids, size_t n,
	const char *const *keys, size_t key_count, candidate_fn *each, void *arg) must_check;
enum status store_run_candidate_tags(struct tx *tx, const int64_t *run_ids, size_t n, const char *const *keys,
	size_t key_count, candidate_fn *each, void *arg) must_check;

/* For columns in memory: all runs of an experiment, sorted. */
enum status store_run_ids(struct tx *tx, int64_t experiment_id, const int64_t **out, size_t *n) must_check;
/* Of some runs: attributes, params and tags (in no order), has_inputs and has_outputs; not experiment_id. */
enum status store_run_rows(
	struct tx *tx, const int64_t *run_ids, size_t n, struct run **out, size_t *found) must_check;
/* Datasets by run and in the order of logging; key is "name", "digest" or "context". */
enum status store_run_row_datasets(
	struct tx *tx, const int64_t *run_ids, size_t n, candidate_fn *each, void *arg) must_check;

enum status store_run_update(struct tx *tx, int64_t run_id, const struct run_update *in) must_check;
enum status store_run_set_deleted(
	struct tx *tx, int64_t run_id, bool deleted, int64_t now_unix_ms) must_check;
/* With params, tags and links; not its metrics and files. Those who follow are told. */
enum status store_run_remove(struct tx *tx, int64_t run_id) must_check;
struct removable_run {
	int64_t run_id, deleted_unix_ms;
	const char *uuid;
};
/* Deleted before some moment, in that order, after the one given. */
enum status store_run_removable(struct tx *tx, int64_t before_unix_ms, const struct removable_run *after,
	int64_t most, struct removable_run **out, size_t *n) must_check;
enum status store_run_tags_put(
	struct tx *tx, int64_t run_id, const struct key_value *tags, size_t n) must_check;
enum status store_run_tag_get(
	struct tx *tx, int64_t run_id, const char *key, const char **value) must_check; /* NULL: none */
enum status store_run_tag_delete(struct tx *tx, int64_t run_id, const char *key, bool *found) must_check;
/* Of twins in `params` the last counts; `conflict` gets the first that has another value already (found false: none). */
struct param_conflict {
	bool found;
	const char *key, *old, *new;
};
enum status store_params_put(struct tx *tx, int64_t run_id, const struct key_value *params, size_t n,
	struct param_conflict *conflict) must_check;

enum status store_run_input_put(struct tx *tx, const struct run *run, const struct run_input *in) must_check;
enum status store_run_model_inputs_put(
	struct tx *tx, int64_t run_id, const char *const *models, size_t n) must_check;
enum status store_run_outputs_put(
	struct tx *tx, int64_t run_id, const struct run_output *outputs, size_t n) must_check;
/* Fill inputs, model inputs and outputs of the runs that say they have some. */
enum status store_run_links(struct tx *tx, struct run *runs, size_t n) must_check;
enum status store_model_points_put(struct tx *tx, const struct model_point *points, size_t n) must_check;

enum status store_dataset_summaries(struct tx *tx, const int64_t *experiments, size_t n,
	struct dataset_summary **out, size_t *found) must_check;

#endif
