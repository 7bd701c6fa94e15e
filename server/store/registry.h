/* Rows of the registry. NOT_FOUND comes without a sentence where one row was asked for. */
#ifndef STORE_REGISTRY_H
#define STORE_REGISTRY_H

#include "domain/registry.h"
#include "store/tx.h"

enum status store_model_insert(struct tx *tx, const char *name, const char *description, int64_t now_unix_ms,
	int64_t *model_id) must_check;
enum status store_model_get(struct tx *tx, const char *name, struct model *out) must_check;
enum status store_model_list(struct tx *tx, struct model **out, size_t *n) must_check;
enum status store_model_lock(struct tx *tx, const char *name, int64_t *model_id) must_check; /* FOR UPDATE */
struct model_change {
	const char *name; /* NULL: unchanged */
	bool describes;
	const char *description;
};
enum status store_model_update(
	struct tx *tx, int64_t model_id, const struct model_change *change, int64_t now_unix_ms) must_check;
enum status store_model_delete(struct tx *tx, int64_t model_id) must_check;
/* The generations of aliases never go back, under no name: before a model loses its name, and after it got another. */
enum status store_alias_generations_keep(struct tx *tx, int64_t model_id) must_check;
enum status store_alias_generations_raise(struct tx *tx, int64_t model_id) must_check;
enum status store_model_tags_put(
	struct tx *tx, int64_t model_id, const struct key_value *tags, size_t n) must_check;
enum status store_model_tag_delete(struct tx *tx, int64_t model_id, const char *key) must_check;
enum status store_model_is_prompt(struct tx *tx, const char *name, bool *prompt) must_check;

enum status store_version_insert(
	struct tx *tx, const struct version *v, int64_t now_unix_ms, int64_t *version) must_check;
enum status store_version_get(
	struct tx *tx, const char *name, int64_t version, struct version *out) must_check;
enum status store_version_list(struct tx *tx, const char *name, struct version **out,
	size_t *n) must_check; /* NULL: of all models */
/* Ordered by model_id and stage. */
enum status store_version_latest(
	struct tx *tx, const int64_t *model_ids, size_t n, struct version **out, size_t *found) must_check;
struct version_change {
	bool describes;
	const char *description;
	bool stages;
	enum stage stage;
};
enum status store_version_update(struct tx *tx, const struct version *v, const struct version_change *change,
	int64_t now_unix_ms) must_check;
enum status store_version_archive_others(
	struct tx *tx, const struct version *v, enum stage stage, int64_t now_unix_ms) must_check;
enum status store_version_delete(struct tx *tx, const struct version *v, int64_t now_unix_ms) must_check;
enum status store_version_tags_put(
	struct tx *tx, const struct version *v, const struct key_value *tags, size_t n) must_check;
enum status store_version_tag_delete(struct tx *tx, const struct version *v, const char *key) must_check;

/* A version that has its files in this folder, as words for a sentence; NULL: none. */
enum status store_version_below(struct tx *tx, const char *folder_uri, const char **version) must_check;

/* version 0: take it away. *moved false: it pointed there already. */
enum status store_alias_move(struct tx *tx, int64_t model_id, const char *alias, int64_t version,
	int64_t now_unix_ms, bool *moved) must_check;
enum status store_alias_get(
	struct tx *tx, const char *model, const char *alias, struct alias *out, bool *found) must_check;
enum status store_alias_history(
	struct tx *tx, const char *model, const char *alias, struct alias **out, size_t *n) must_check;

enum status store_outbox_put(struct tx *tx, const char *entity, const char *action, const char *data_json,
	int64_t now_unix_ms) must_check;

#endif
