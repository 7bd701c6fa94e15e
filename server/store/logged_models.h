/* Rows of logged models. NOT_FOUND comes without a sentence where one row was asked for. */
#ifndef STORE_LOGGED_MODELS_H
#define STORE_LOGGED_MODELS_H

#include "domain/logged_model.h"
#include "domain/run.h"
#include "store/tx.h"

enum status store_logged_model_insert(
	struct tx *tx, const struct logged_model *m, int64_t now_unix_ms, int64_t *id) must_check;
enum status store_logged_model_get(
	struct tx *tx, const char *uuid, struct logged_model *out) must_check; /* deleted ones too */
/* The newest of a run that has this name and is not deleted. */
enum status store_logged_model_of_run(struct tx *tx, const struct run *run, const char *name,
	const char **artifact_uri, bool *found) must_check;
enum status store_logged_model_lock(
	struct tx *tx, const char *uuid) must_check; /* FOR NO KEY UPDATE: what is read from now on stays */
enum status store_logged_model_list(struct tx *tx, const int64_t *experiments, size_t n,
	struct logged_model **out, size_t *found) must_check;
struct logged_model_change {
	bool has_status, deletes;
	enum logged_model_status status;
};
enum status store_logged_model_update(
	struct tx *tx, int64_t id, const struct logged_model_change *change, int64_t now_unix_ms) must_check;
enum status store_logged_model_params_put(
	struct tx *tx, int64_t id, const struct key_value *params, size_t n) must_check;
enum status store_logged_model_tags_put(
	struct tx *tx, int64_t id, const struct key_value *tags, size_t n) must_check;
enum status store_logged_model_tag_delete(struct tx *tx, int64_t id, const char *key, bool *found) must_check;
/* Fills metrics of all the models. */
enum status store_logged_model_metrics(struct tx *tx, struct logged_model *models, size_t n) must_check;

#endif
