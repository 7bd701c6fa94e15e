/* Rows of experiments. NOT_FOUND comes without a sentence where one row was asked for. */
#ifndef STORE_EXPERIMENTS_H
#define STORE_EXPERIMENTS_H

#include "domain/experiment.h"
#include "store/tx.h"

enum status store_experiment_insert(
	struct tx *tx, const struct experiment_create *in, int64_t now_unix_ms, int64_t *id) must_check;
enum status store_experiment_get(struct tx *tx, int64_t id, struct experiment *out) must_check;
enum status store_experiment_by_name(struct tx *tx, const char *name, struct experiment *out) must_check;
enum status store_experiment_share(struct tx *tx, int64_t id,
	struct experiment *out) must_check; /* FOR SHARE: something is made in it; no tags */
enum status store_experiment_lock(
	struct tx *tx, int64_t id, struct experiment *out) must_check; /* FOR NO KEY UPDATE; no tags */
enum status store_experiment_list(
	struct tx *tx, enum view view, struct experiment **out, size_t *n) must_check;
enum status store_experiment_overview(
	struct tx *tx, enum view view, struct experiment_overview **out, size_t *n) must_check;
enum status store_experiment_rename(
	struct tx *tx, int64_t id, const char *name, int64_t now_unix_ms) must_check;
enum status store_experiment_set_deleted(
	struct tx *tx, int64_t id, bool deleted, int64_t now_unix_ms) must_check;
enum status store_experiment_tags_put(
	struct tx *tx, int64_t id, const struct key_value *tags, size_t n) must_check;
enum status store_experiment_tag_delete(struct tx *tx, int64_t id, const char *key, bool *found) must_check;

#endif
