/*
 * What names and values may be: the protocol's limits, with the sentences that its clients match.
 * Each check is OK or INVALID with a sentence. Lengths count code points.
 */
#ifndef DOMAIN_NAMES_H
#define DOMAIN_NAMES_H

#include <stdbool.h>
#include "base/ctx.h"
#include "base/fields.h"

#define METRICS_PER_BATCH  1000
#define PARAMS_PER_BATCH   100
#define TAGS_PER_BATCH     100
#define ENTITIES_PER_BATCH 1000

#define KEY_LENGTH             250
#define PARAM_VALUE_LENGTH     6000 /* longer ones are cut */
#define TAG_VALUE_LENGTH       8000 /* longer ones are cut */
#define ID_LENGTH              256  /* of runs and logged models, as clients send them */
#define SOURCE_LENGTH          4096 /* of a model version */
#define EXPERIMENT_NAME_LENGTH 500
#define EXPERIMENT_TAG_LENGTH  20000
#define MODEL_NAME_LENGTH      256
#define MODEL_TAG_LENGTH       100000
#define DESCRIPTION_LENGTH     5000
#define ALIAS_LENGTH           255
#define DATASET_NAME_LENGTH    500
#define DATASET_DIGEST_LENGTH  36
#define DATASET_SOURCE_LENGTH  65535
#define DATASET_SCHEMA_LENGTH  1048575
#define DATASET_PROFILE_LENGTH 16777215
#define INPUT_TAG_KEY_LENGTH   255
#define INPUT_TAG_VALUE_LENGTH 500

/* Keys of metrics, params and tags: `path` is the field's place in the request ("key", "metrics[3].name"). */
enum status name_key(struct ctx *cx, const char *path, const char *key) must_check;
/* Would name_key() accept it? Cheap: for many keys at a time. */
bool name_key_good(const char *key);
/* "'what' exceeds the maximum length of N characters" */
enum status name_length(struct ctx *cx, const char *what, size_t limit, const char *text) must_check;
/* The text, or its first `limit` characters in the arena. */
const char *name_cut(struct ctx *cx, size_t limit, const char *text);
enum status name_experiment(struct ctx *cx, const char *name) must_check;
/* A decimal number; the protocol's other experiment ids do not exist here. */
enum status name_experiment_id(struct ctx *cx, const char *text, int64_t *out) must_check;
enum status name_run_uuid(struct ctx *cx, const char *path, const char *text) must_check;
enum status name_model(struct ctx *cx, const char *name) must_check;
enum status name_alias(struct ctx *cx, const char *alias) must_check;
enum status name_version(struct ctx *cx, const char *text, int32_t *out) must_check;
enum status name_logged_model(struct ctx *cx, const char *name) must_check;

/* Checked and cut in place: params and tags of a run. `list` is "params" or "tags"; NULL for a single one. */
enum status name_params(struct ctx *cx, const char *list, struct key_value *params, size_t n) must_check;
enum status name_run_tags(struct ctx *cx, const char *list, struct key_value *tags, size_t n) must_check;
/* Those a run is created with: the protocol takes any characters in their keys. */
enum status name_first_tags(struct ctx *cx, struct key_value *tags, size_t n) must_check;
/* The counts of one log-batch. */
enum status name_batch(struct ctx *cx, size_t metrics, size_t params, size_t tags) must_check;

/* "location/rest": one slash between them, and a query of the location stays at the end. */
const char *name_below(struct ctx *cx, const char *location, const char *rest);

/* "gifted-shark-123": a name for what was given none. */
const char *name_random(struct ctx *cx);

#endif
