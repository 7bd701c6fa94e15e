/* Logged models: what a run saved, before anybody registers it. */
#ifndef DOMAIN_LOGGED_MODEL_H
#define DOMAIN_LOGGED_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"
#include "base/fields.h"
#include "domain/experiment.h"
#include "domain/run.h"

enum logged_model_status { LOGGED_MODEL_PENDING = 1, LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED };
const char *logged_model_status_name(enum logged_model_status s);
bool logged_model_status_from(const char *name, enum logged_model_status *out);

struct logged_model {
	int64_t logged_model_id; /* the row */
	const char *uuid;        /* model_id of the protocol */
	int64_t experiment_id;
	const char *name, *model_type, *source_run_uuid;
	const char *artifact_uri; /* "<artifact_location>/models/<uuid>/artifacts" */
	enum logged_model_status status;
	const char *status_message;
	bool deleted;
	int64_t created_unix_ms, updated_unix_ms;
	struct key_value *params, *tags;
	size_t param_count, tag_count;
	const char **registered_names; /* registered as (name, version), side by side */
	const int64_t *registered_versions;
	size_t registered_count;
	struct model_point *metrics; /* by key, step, time, value */
	size_t metric_count;
};

struct logged_model_create {
	const char *experiment_id, *name, *model_type, *source_run_id;
	struct key_value *params, *tags;
	size_t param_count, tag_count;
};

struct logged_model_order {
	const char *field_name;
	bool has_ascending, ascending; /* ascending unless said otherwise */
	const char *dataset_name, *dataset_digest;
};

struct logged_model_search {
	const char **experiment_ids;
	size_t experiment_id_count;
	const char *filter;
	struct dataset_scope {
		const char *dataset_name, *dataset_digest; /* digest NULL: any */
	} * datasets;
	size_t dataset_count;
	struct logged_model_order *order_by;
	size_t order_by_count;
	int64_t max_results;
	const char *page_token;
};

enum status logged_model_create(
	struct ctx *cx, const struct logged_model_create *in, struct logged_model *out) must_check;
enum status logged_model_get(
	struct ctx *cx, const char *uuid, bool deleted_too, struct logged_model *out) must_check;
enum status logged_model_finalize(struct ctx *cx, const char *uuid, enum logged_model_status status,
	struct logged_model *out) must_check;
enum status logged_model_delete(
	struct ctx *cx, const char *uuid) must_check; /* a deleted one again is fine */
enum status logged_model_params_log(
	struct ctx *cx, const char *uuid, const struct key_value *params, size_t n) must_check;
enum status logged_model_tags_set(
	struct ctx *cx, const char *uuid, const struct key_value *tags, size_t n) must_check;
enum status logged_model_tag_delete(struct ctx *cx, const char *uuid, const char *key) must_check;
enum status logged_model_search(struct ctx *cx, const struct logged_model_search *in,
	struct logged_model **out, size_t *n, const char **next_token) must_check;

#endif
