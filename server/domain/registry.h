/* The registry: models under a name, their numbered versions, and aliases that point at versions. */
#ifndef DOMAIN_REGISTRY_H
#define DOMAIN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"
#include "base/fields.h"
#include "domain/artifact.h"
#include "domain/experiment.h"

enum stage { STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED, STAGES };
const char *stage_name(enum stage s);
enum status stage_from(struct ctx *cx, const char *name, enum stage *out) must_check;

struct version {
	int64_t model_id;
	const char *model;
	int64_t version;
	const char *description; /* NULL: none */
	const char *source, *storage_location;
	const char *run_uuid, *run_link, *logged_model_uuid; /* NULL: none */
	enum stage stage;
	int status; /* 1 READY 2 PENDING_REGISTRATION 3 FAILED_REGISTRATION */
	const char *status_message;
	int64_t created_unix_ms, updated_unix_ms;
	const char *created_by, *created_token; /* names of the user and the token; NULL: nobody, none */
	struct key_value *tags;
	size_t tag_count;
	const char **aliases;
	size_t alias_count;
};

struct model {
	int64_t model_id;
	const char *name, *description;
	int64_t created_unix_ms, updated_unix_ms;
	struct key_value *tags;
	size_t tag_count;
	const char **alias_names; /* side by side with alias_versions */
	const int64_t *alias_versions;
	size_t alias_count;
	struct version *latest; /* the highest of each stage that has one */
	size_t latest_count;
};

struct version_create {
	const char *name, *source, *run_id, *run_link, *description, *model_id;
	struct key_value *tags;
	size_t tag_count;
};

struct alias {
	const char *model, *name;
	bool has_version, has_previous;
	int64_t version, previous_version, generation, changed_unix_ms;
	const char *changed_by, *changed_token; /* names of the user and the token; NULL: nobody, none */
};

enum status model_create(struct ctx *cx, const char *name, const char *description,
	const struct key_value *tags, size_t n, struct model *out) must_check;
enum status model_get(struct ctx *cx, const char *name, struct model *out) must_check;
enum status model_rename(
	struct ctx *cx, const char *name, const char *new_name, struct model *out) must_check;
enum status model_describe(
	struct ctx *cx, const char *name, const char *description, struct model *out) must_check;
enum status model_delete(struct ctx *cx, const char *name) must_check;
enum status model_tag_set(struct ctx *cx, const char *name, const struct key_value *tag) must_check;
enum status model_tag_delete(struct ctx *cx, const char *name, const char *key) must_check;
enum status model_search(struct ctx *cx, const struct search_in *in, struct model **out, size_t *n,
	const char **next_token) must_check;
/* The highest version of each of the stages (none given: of all). */
enum status model_latest(struct ctx *cx, const char *name, const char *const *stages, size_t stage_count,
	struct version **out, size_t *n) must_check;

enum status version_create(struct ctx *cx, const struct version_create *in, struct version *out) must_check;
enum status version_get(
	struct ctx *cx, const char *name, const char *version, struct version *out) must_check;
enum status version_describe(struct ctx *cx, const char *name, const char *version, const char *description,
	struct version *out) must_check;
enum status version_stage(struct ctx *cx, const char *name, const char *version, const char *stage,
	bool archive_others, struct version *out) must_check;
enum status version_delete(struct ctx *cx, const char *name, const char *version) must_check;
enum status version_tag_set(
	struct ctx *cx, const char *name, const char *version, const struct key_value *tag) must_check;
enum status version_tag_delete(
	struct ctx *cx, const char *name, const char *version, const char *key) must_check;
enum status version_search(struct ctx *cx, const struct search_in *in, struct version **out, size_t *n,
	const char **next_token) must_check;

enum status alias_set(struct ctx *cx, const char *name, const char *alias, const char *version) must_check;
enum status alias_delete(
	struct ctx *cx, const char *name, const char *alias) must_check; /* a missing one is fine */
enum status alias_get(struct ctx *cx, const char *name, const char *alias,
	struct alias *out) must_check; /* none: NOT_FOUND */
enum status alias_history(
	struct ctx *cx, const char *name, const char *alias, struct alias **out, size_t *n) must_check;

/* What a version is made of. Its identity is the SHA-256 of the manifest's bytes. */
struct manifest {
	const char *json; /* canonical: keys sorted, no spaces */
	size_t len;
	char digest[sizeof("sha256:") + 64];
	int64_t size_bytes;     /* of all files */
	struct artifact *files; /* paths inside the version */
	size_t file_count;
};
enum status version_manifest(struct ctx *cx, const struct version *v, struct manifest *out) must_check;

#endif
