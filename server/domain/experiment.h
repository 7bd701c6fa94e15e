/* Experiments: a name, a place for artifacts, tags; active or deleted. */
#ifndef DOMAIN_EXPERIMENT_H
#define DOMAIN_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"
#include "base/fields.h"

enum view { VIEW_ACTIVE = 1, VIEW_DELETED, VIEW_ALL };

struct experiment {
	int64_t experiment_id;
	const char *name;
	const char *artifact_location; /* "mlflow-artifacts:/<id>" unless the client chose another */
	bool deleted;
	int64_t created_unix_ms, updated_unix_ms;
	struct key_value *tags; /* by key */
	size_t tag_count;
};

struct experiment_create {
	const char *name;
	const char *artifact_location; /* NULL: ours */
	struct key_value *tags;
	size_t tag_count;
};

struct search_in {
	const char *filter;
	const char **order_by;
	size_t order_by_count;
	int64_t max_results;
	const char *page_token;
	enum view view;
};

enum status experiment_create(struct ctx *cx, const struct experiment_create *in, int64_t *id) must_check;
enum status experiment_get(struct ctx *cx, int64_t id, struct experiment *out) must_check;
enum status experiment_get_by_name(struct ctx *cx, const char *name, struct experiment *out) must_check;
enum status experiment_rename(struct ctx *cx, int64_t id, const char *name) must_check;
enum status experiment_delete(struct ctx *cx, int64_t id) must_check;  /* its runs too */
enum status experiment_restore(struct ctx *cx, int64_t id) must_check; /* all its runs too */
enum status experiment_tag_set(struct ctx *cx, int64_t id, const char *key, const char *value) must_check;
enum status experiment_tag_delete(struct ctx *cx, int64_t id, const char *key) must_check;
enum status experiment_search(struct ctx *cx, const struct search_in *in, struct experiment **out, size_t *n,
	const char **next_token) must_check;

/* The first page of the UI: each experiment with what happened in it. */
struct experiment_overview {
	struct experiment experiment; /* without tags */
	int64_t runs, active_runs;    /* not deleted; of them RUNNING */
	bool has_last_run;
	int64_t last_run_unix_ms;
	const char *created_by, *created_token; /* names of the user and the token; NULL: nobody, none */
};
enum status experiment_overview(
	struct ctx *cx, enum view view, struct experiment_overview **out, size_t *n) must_check;

#endif
