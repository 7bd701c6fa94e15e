#include "domain/world.h"

#include "domain/logged_model.h"

static struct logged_model
new_logged(struct world *w, const char *name)
{
	struct logged_model m;

	ok(w, logged_model_create(
		      w->cx, &(struct logged_model_create){ .experiment_id = "0", .name = name }, &m));
	return m;
}

static struct logged_model
logged_of(struct world *w, const char *uuid)
{
	struct logged_model m;

	ok(w, logged_model_get(w->cx, uuid, true, &m));
	return m;
}

/* A point of a run that belongs to a logged model too. */
static void
log_point(struct world *w, const char *run, const char *model, const char *key, double value, int64_t step,
	const char *dataset)
{
	struct point point = { key, value, 1000 + step, step };
	struct model_point own = { model, run, key, value, 1000 + step, step, dataset,
		dataset == NULL ? NULL : "d1" };
	struct run_batch in = { .uuid = run, .points = &point, .point_count = 1 };

	ok(w, run_batch_check(w->cx, &in));
	in.model_points = &own;
	in.model_point_count = 1;
	ok(w, run_log_batch(w->cx, &in));
}

/* Names of what a search finds, each with a blank. */
static const char *
found(struct world *w, const char *filter, struct logged_model_order *order, struct dataset_scope *scope)
{
	const char *ids[] = { "0" }, *next;
	struct logged_model_search in = { .experiment_ids = ids,
		.experiment_id_count = 1,
		.filter = filter,
		.datasets = scope,
		.dataset_count = scope != NULL,
		.order_by = order,
		.order_by_count = order != NULL,
		.max_results = 50 };
	struct logged_model *all;
	size_t n;
	char *out = arena_alloc(w->cx->arena, 1000);

	ok(w, logged_model_search(w->cx, &in, &all, &n, &next));
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + strlen(out), 1000 - strlen(out), "%s ", all[i].name);
	return out;
}

static void
a_logged_model_is_pending_until_it_is_finalized(void **state)
{
	struct world w = world_start(state);
	struct key_value params[] = { { "p", "1" } }, tags[] = { { "t", "v" } };
	struct logged_model_create in = { "0", "net", "torch", "0123", params, tags, 1, 1 };
	struct logged_model m, done;

	ok(&w, logged_model_create(w.cx, &in, &m));
	assert_int_equal(strlen(m.uuid), 34);
	assert_true(str_starts(m.uuid, "m-"));
	assert_int_equal(m.status, LOGGED_MODEL_PENDING);
	assert_string_equal(
		m.artifact_uri, arena_printf(w.cx->arena, "mlflow-artifacts:/0/models/%s/artifacts", m.uuid));
	assert_string_equal(m.params[0].value, "1");
	assert_string_equal(m.tags[0].value, "v");
	assert_string_equal(m.source_run_uuid, "0123");
	ok(&w, logged_model_finalize(w.cx, m.uuid, LOGGED_MODEL_READY, &done));
	assert_int_equal(done.status, LOGGED_MODEL_READY);
	assert_true(done.updated_unix_ms >= m.updated_unix_ms);
	in = (struct logged_model_create){ .experiment_id = "0" };
	ok(&w, logged_model_create(w.cx, &in, &m));
	assert_non_null(strchr(m.name, '-')); /* a name at random */
	world_stop(&w);
}

static void
bad_names_and_experiments_are_refused(void **state)
{
	struct world w = world_start(state);
	struct logged_model_create in = { .experiment_id = "4711", .name = "m" };
	struct logged_model m;
	int64_t id = new_experiment(&w, "e");

	refused(&w, logged_model_create(w.cx, &in, &m), NOT_FOUND, "No Experiment with id=4711 exists");
	in.experiment_id = arena_printf(w.cx->arena, "%lld", (long long)id);
	in.name = "a/b";
	refused(&w, logged_model_create(w.cx, &in, &m), INVALID, "Invalid model name ('a/b')");
	in.name = "m";
	ok(&w, experiment_delete(w.cx, id));
	refused(&w, logged_model_create(w.cx, &in, &m), INVALID, "must be in the 'active' state");
	world_stop(&w);
}

static void
params_are_only_ever_added(void **state)
{
	struct world w = world_start(state);
	struct key_value params[] = { { "a", "1" }, { "b", "2" } }, more[] = { { "c", "3" }, { "a", "1" } };
	const char *uuid = new_logged(&w, "m").uuid;

	ok(&w, logged_model_params_log(w.cx, uuid, params, 2));
	refused(&w, logged_model_params_log(w.cx, uuid, more, 2), ALREADY_EXISTS, "only ever added");
	assert_int_equal(logged_of(&w, uuid).param_count, 2); /* nothing of it was kept */
	ok(&w, logged_model_params_log(w.cx, uuid, more, 1));
	assert_int_equal(logged_of(&w, uuid).param_count, 3);
	ok(&w, logged_model_params_log(w.cx, uuid, NULL, 0));
	world_stop(&w);
}

static void
tags_are_set_changed_and_taken_away(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_logged(&w, "m").uuid;
	struct key_value tags[] = { { "a", "1" }, { "any key!", "2" }, { "a", "3" } };

	ok(&w, logged_model_tags_set(w.cx, uuid, tags, 3));
	assert_int_equal(logged_of(&w, uuid).tag_count, 2);
	assert_string_equal(logged_of(&w, uuid).tags[0].value, "3");
	ok(&w, logged_model_tag_delete(w.cx, uuid, "a"));
	refused(&w, logged_model_tag_delete(w.cx, uuid, "a"), NOT_FOUND, "No tag with key 'a'");
	world_stop(&w);
}

static void
a_key_that_no_index_can_hold_is_refused(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_logged(&w, "m").uuid;
	char key[8001];
	struct key_value pair = { key, "v" };
	struct logged_model_create in = { .experiment_id = "0", .name = "n", .tags = &pair, .tag_count = 1 };
	struct logged_model m;

	for (size_t at = 0; at < 8000; at += 32)
		random_hex(key + at, 16);
	refused(&w, logged_model_tags_set(w.cx, uuid, &pair, 1), INVALID, "250 characters");
	refused(&w, logged_model_params_log(w.cx, uuid, &pair, 1), INVALID, "250 characters");
	refused(&w, logged_model_create(w.cx, &in, &m), INVALID, "250 characters");
	key[250] = '\0';
	ok(&w, logged_model_tags_set(w.cx, uuid, &pair, 1));
	ok(&w, logged_model_params_log(w.cx, uuid, &pair, 1));
	world_stop(&w);
}

static void
a_deleted_one_is_hidden_and_still_takes_tags(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_logged(&w, "m").uuid;
	struct key_value tag = { "k", "v" };
	struct logged_model m;

	ok(&w, logged_model_delete(w.cx, uuid));
	ok(&w, logged_model_delete(w.cx, uuid));
	refused(&w, logged_model_get(w.cx, uuid, false, &m), NOT_FOUND, "Logged model with ID");
	ok(&w, logged_model_get(w.cx, uuid, true, &m));
	assert_true(m.deleted);
	ok(&w, logged_model_tags_set(w.cx, uuid, &tag, 1));
	ok(&w, logged_model_finalize(w.cx, uuid, LOGGED_MODEL_READY, &m));
	assert_string_equal(found(&w, NULL, NULL, NULL), "");
	world_stop(&w);
}

static void
an_unknown_one_is_not_found(void **state)
{
	struct world w = world_start(state);
	struct key_value pair = { "k", "v" };
	struct logged_model m;

	refused(&w, logged_model_get(w.cx, "m-0", false, &m), NOT_FOUND,
		"Logged model with ID 'm-0' not found.");
	refused(&w, logged_model_finalize(w.cx, "m-0", LOGGED_MODEL_READY, &m), NOT_FOUND, "'m-0'");
	refused(&w, logged_model_delete(w.cx, "m-0"), NOT_FOUND, "'m-0'");
	refused(&w, logged_model_params_log(w.cx, "m-0", &pair, 1), NOT_FOUND, "'m-0'");
	refused(&w, logged_model_tags_set(w.cx, "m-0", &pair, 1), NOT_FOUND, "'m-0'");
	refused(&w, logged_model_tag_delete(w.cx, "m-0", "k"), NOT_FOUND, "'m-0'");
	world_stop(&w);
}

static void
metrics_of_a_run_are_kept_with_the_model_too(void **state)
{
	struct world w = world_start(state);
	const char *run = new_run(&w, 0), *uuid = new_logged(&w, "m").uuid;
	struct logged_model m;
	struct run r;

	log_point(&w, run, uuid, "acc", 0.5, 1, "iris");
	log_point(&w, run, uuid, "acc", 0.5, 1, "iris"); /* an exact duplicate */
	log_point(&w, run, uuid, "acc", 0.7, 2, NULL);
	log_point(&w, run, "m-unknown", "acc", 0.9, 3, NULL);
	m = logged_of(&w, uuid);
	assert_int_equal(m.metric_count, 2);
	assert_string_equal(m.metrics[0].dataset_name, "iris");
	assert_string_equal(m.metrics[0].dataset_digest, "d1");
	assert_string_equal(m.metrics[0].run_uuid, run);
	assert_string_equal(m.metrics[0].model_uuid, uuid);
	assert_null(m.metrics[1].dataset_name);
	ok(&w, run_get(w.cx, run, &r));
	assert_true(r.metrics->keys[0].last.value == 0.9);
	world_stop(&w);
}

static void
a_search_filters_by_any_value_and_orders_by_the_latest(void **state)
{
	struct world w = world_start(state);
	const char *run = new_run(&w, 0), *a = new_logged(&w, "a").uuid, *b = new_logged(&w, "b").uuid;
	struct logged_model_order order = {
		.field_name = "metrics.acc", .has_ascending = true, .ascending = false
	};
	struct logged_model_order name = { .field_name = "name" };
	struct dataset_scope iris = { "iris", NULL };

	new_logged(&w, "c");
	log_point(&w, run, a, "acc", 0.9, 1, "iris");
	log_point(&w, run, a, "acc", 0.1, 2, NULL);
	log_point(&w, run, b, "acc", 0.5, 1, NULL);
	assert_string_equal(found(&w, NULL, &name, NULL), "a b c ");
	assert_string_equal(found(&w, "metrics.acc > 0.8", NULL, NULL), "a ");
	assert_string_equal(found(&w, NULL, &order, NULL), "b a c ");
	assert_string_equal(found(&w, NULL, &name, &iris), "a ");
	assert_string_equal(found(&w, "metrics.acc < 0.8", &name, &iris), "");
	assert_string_equal(found(&w, "name = 'b'", NULL, NULL), "b ");
	world_stop(&w);
}

world_main(pg_test(a_logged_model_is_pending_until_it_is_finalized),
	pg_test(bad_names_and_experiments_are_refused), pg_test(params_are_only_ever_added),
	pg_test(tags_are_set_changed_and_taken_away), pg_test(a_key_that_no_index_can_hold_is_refused),
	pg_test(a_deleted_one_is_hidden_and_still_takes_tags), pg_test(an_unknown_one_is_not_found),
	pg_test(metrics_of_a_run_are_kept_with_the_model_too),
	pg_test(a_search_filters_by_any_value_and_orders_by_the_latest))
