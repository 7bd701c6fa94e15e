#include "domain/world.h"

#include "store/metrics.h"
#include "store/runs.h"

static enum status
create(struct world *w, const char *name, const char *location, int64_t *id)
{
	return experiment_create(
		w->cx, &(struct experiment_create){ .name = name, .artifact_location = location }, id);
}

static struct experiment
experiment_of(struct world *w, int64_t id)
{
	struct experiment e;

	ok(w, experiment_get(w->cx, id, &e));
	return e;
}

static void
a_fresh_server_has_the_experiment_default(void **state)
{
	struct world w = world_start(state);
	struct experiment e = experiment_of(&w, 0);

	assert_string_equal(e.name, "Default");
	assert_false(e.deleted);
	assert_string_equal(e.artifact_location, "mlflow-artifacts:/0");
	world_stop(&w);
}

static void
a_new_experiment_has_the_next_number_and_a_place_of_its_own(void **state)
{
	struct world w = world_start(state);
	struct key_value tags[] = { { "a", "1" }, { "b", "2" }, { "a", "3" } };
	int64_t id = 0, next = new_experiment(&w, "first");
	struct experiment e;

	ok(&w, experiment_create(
		       w.cx, &(struct experiment_create){ "second", NULL, tags, COUNT(tags) }, &id));
	assert_true(id == next + 1);
	e = experiment_of(&w, id);
	assert_string_equal(
		e.artifact_location, arena_printf(w.cx->arena, "mlflow-artifacts:/%lld", (long long)id));
	assert_int_equal(e.tag_count, 2);
	assert_string_equal(e.tags[0].value, "3"); /* of twins the last */
	assert_true(e.created_unix_ms > 1700000000000 && e.updated_unix_ms == e.created_unix_ms);
	ok(&w, experiment_get_by_name(w.cx, "second", &e));
	assert_true(e.experiment_id == id);
	world_stop(&w);
}

static void
a_name_is_unique_among_active_and_deleted_ones(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "taken"), other = new_experiment(&w, "other"), none;

	refused(&w, create(&w, "taken", NULL, &none), ALREADY_EXISTS,
		"Experiment(name=taken) already exists.");
	ok(&w, experiment_delete(w.cx, id));
	refused(&w, create(&w, "taken", NULL, &none), ALREADY_EXISTS, "already exists");
	refused(&w, experiment_rename(w.cx, other, "taken"), ALREADY_EXISTS, "already exists");
	ok(&w, create(&w, "Taken", NULL, &none));
	world_stop(&w);
}

static void
names_and_tags_have_their_limits(void **state)
{
	struct world w = world_start(state);
	int64_t id = 0;

	refused(&w, create(&w, "", NULL, &id), INVALID, "Invalid experiment name");
	ok(&w, create(&w, text_of(&w, "\xf0\x9f\x98\x80", 500), NULL, &id));
	refused(&w, create(&w, text_of(&w, "e", 501), NULL, &id), INVALID, "500 characters");
	ok(&w, experiment_tag_set(w.cx, id, text_of(&w, "k", 250), text_of(&w, "\xc3\xa9", 20000)));
	refused(&w, experiment_tag_set(w.cx, id, text_of(&w, "k", 251), "v"), INVALID, "250 characters");
	refused(&w, experiment_tag_set(w.cx, id, "k", text_of(&w, "v", 20001)), INVALID, "20000 characters");
	refused(&w, experiment_tag_set(w.cx, id, "../k", "v"), INVALID, "'key'");
	ok(&w, experiment_tag_set(w.cx, id, "empty", ""));
	world_stop(&w);
}

static void
artifacts_do_not_lie_just_anywhere(void **state)
{
	struct world w = world_start(state);
	int64_t id = 0;

	ok(&w, create(&w, "s3", "s3://bucket/folder", &id));
	assert_string_equal(experiment_of(&w, id).artifact_location, "s3://bucket/folder");
	refused(&w, create(&w, "a", "runs:/abc", &id), INVALID, "runs:/ URI");
	refused(&w, create(&w, "a", "mlflow-artifacts:/7", &id), INVALID, "inside Cairn");
	refused(&w, create(&w, "a", "s3://bucket/a#b", &id), INVALID, "'#'");
	refused(&w, create(&w, "a", "s3://bucket/a;b", &id), INVALID, "';'");
	refused(&w, create(&w, "a", text_of(&w, "s", 2049), &id), INVALID, "2048 characters");
	world_stop(&w);
}

static void
an_unknown_experiment_is_not_found(void **state)
{
	struct world w = world_start(state);
	struct experiment e;

	refused(&w, experiment_get(w.cx, 4711, &e), NOT_FOUND, "No Experiment with id=4711 exists");
	refused(&w, experiment_get(w.cx, INT64_MAX, &e), NOT_FOUND, "exists");
	refused(&w, experiment_get_by_name(w.cx, "none", &e), NOT_FOUND, "'none'");
	refused(&w, experiment_delete(w.cx, 4711), NOT_FOUND, "4711");
	refused(&w, experiment_restore(w.cx, -1), NOT_FOUND, "-1");
	refused(&w, experiment_rename(w.cx, 4711, "x"), NOT_FOUND, "4711");
	refused(&w, experiment_tag_set(w.cx, 4711, "k", "v"), NOT_FOUND, "4711");
	refused(&w, experiment_tag_delete(w.cx, 4711, "k"), NOT_FOUND, "4711");
	world_stop(&w);
}

static void
only_active_ones_are_deleted_and_only_deleted_ones_restored(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "e"), before;

	refused(&w, experiment_restore(w.cx, id), NOT_FOUND, "deleted");
	before = experiment_of(&w, id).updated_unix_ms;
	(void)usleep(2000);
	ok(&w, experiment_delete(w.cx, id));
	assert_true(experiment_of(&w, id).deleted);
	assert_true(experiment_of(&w, id).updated_unix_ms > before);
	refused(&w, experiment_delete(w.cx, id), NOT_FOUND, "active");
	ok(&w, experiment_restore(w.cx, id));
	assert_false(experiment_of(&w, id).deleted);
	world_stop(&w);
}

static void
a_deleted_experiment_takes_nothing(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "e");
	struct run_create in = { .experiment_id = arena_printf(w.cx->arena, "%lld", (long long)id) };
	struct run run;

	ok(&w, experiment_tag_set(w.cx, id, "k", "v"));
	ok(&w, experiment_delete(w.cx, id));
	refused(&w, experiment_rename(w.cx, id, "x"), INVALID, "Cannot rename a non-active experiment");
	refused(&w, experiment_tag_set(w.cx, id, "k", "w"), INVALID, "must be in the 'active' state");
	refused(&w, experiment_tag_delete(w.cx, id, "k"), INVALID, "must be in the 'active' state");
	refused(&w, run_start(w.cx, &in, &run), INVALID, "must be in the 'active' state");
	world_stop(&w);
}

static void
deleting_an_experiment_deletes_its_runs_and_restoring_restores_all(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "e"), other = new_experiment(&w, "other");
	const char *a = new_run(&w, id), *b = new_run(&w, id), *c = new_run(&w, other);
	struct run run;

	ok(&w, run_delete(w.cx, b)); /* one by itself, before */
	ok(&w, experiment_delete(w.cx, id));
	ok(&w, run_get(w.cx, a, &run));
	assert_true(run.deleted);
	ok(&w, run_get(w.cx, c, &run));
	assert_false(run.deleted);
	ok(&w, experiment_restore(w.cx, id));
	ok(&w, run_get(w.cx, a, &run));
	assert_false(run.deleted);
	ok(&w, run_get(w.cx, b, &run));
	assert_false(run.deleted);
	assert_int_equal(
		world_number(&w, "SELECT count(*) FROM cairn.run WHERE deleted_unix_ms IS NOT NULL"), 0);
	world_stop(&w);
}

static void
a_tag_is_set_changed_and_taken_away(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "e");

	ok(&w, experiment_tag_set(w.cx, id, "k", "1"));
	ok(&w, experiment_tag_set(w.cx, id, "k", "2"));
	assert_int_equal(experiment_of(&w, id).tag_count, 1);
	assert_string_equal(experiment_of(&w, id).tags[0].value, "2");
	ok(&w, experiment_tag_delete(w.cx, id, "k"));
	assert_int_equal(experiment_of(&w, id).tag_count, 0);
	refused(&w, experiment_tag_delete(w.cx, id, "k"), NOT_FOUND, "No tag with name: k");
	world_stop(&w);
}

static void
the_overview_counts_runs(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "busy");
	struct experiment_overview *all;
	struct run_update end = { .has_status = true, .status = RUN_FINISHED };
	struct run run;
	size_t n;

	new_run(&w, id);
	end.uuid = new_run(&w, id);
	ok(&w, run_update(w.cx, &end, &run));
	ok(&w, run_delete(w.cx, new_run(&w, id)));
	ok(&w, experiment_overview(w.cx, VIEW_ACTIVE, &all, &n));
	assert_int_equal(n, 2);
	assert_string_equal(all[0].experiment.name, "busy"); /* the latest first */
	assert_int_equal(all[0].runs, 2);
	assert_int_equal(all[0].active_runs, 1);
	assert_true(all[0].has_last_run);
	assert_false(all[1].has_last_run);
	ok(&w, experiment_overview(w.cx, VIEW_DELETED, &all, &n));
	assert_int_equal(n, 0);
	world_stop(&w);
}

/* ---- at once ---- */

static void *
make_same(void *arg)
{
	struct worker *k = arg;
	int64_t id;

	k->st = experiment_create(&k->cx, &(struct experiment_create){ .name = k->arg }, &id);
	return NULL;
}

static void
of_two_who_make_the_same_experiment_one_is_told(void **state)
{
	struct world w = world_start(state);
	struct worker k[2];

	for (int round = 0; round < 10; round++) {
		char *name = arena_printf(w.cx->arena, "same %d", round);

		for (size_t i = 0; i < 2; i++)
			worker_start(&k[i], &w, make_same, name);
		for (size_t i = 0; i < 2; i++)
			worker_end(&k[i]);
		assert_int_equal(k[0].st + k[1].st, OK + ALREADY_EXISTS);
	}
	world_stop(&w);
}

static void *
delete_experiment(void *arg)
{
	struct worker *k = arg;

	k->st = experiment_delete(&k->cx, *(int64_t *)k->arg);
	return NULL;
}

/* Who holds some runs already and now wants the next, in the order of the metric writer, is not waited for in a circle. */
static void
deleting_an_experiment_waits_for_the_writers_of_its_runs(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "e");
	struct worker k;
	struct run run;
	struct tx *tx = NULL;
	const char *uuids[2];

	do { /* such that the order of uuids is not the order of making */
		uuids[1] = new_run(&w, id);
		uuids[0] = new_run(&w, id);
	} while (strcmp(uuids[0], uuids[1]) > 0);
	ok(&w, tx_begin(w.cx, &tx));
	ok(&w, store_run_share(tx, uuids[0], &run));
	worker_start(&k, &w, delete_experiment, &id);
	until_waiting(&w, 1);
	ok(&w, store_run_share(tx, uuids[1], &run));
	assert_false(run.deleted);
	ok(&w, tx_commit(&tx));
	worker_end(&k);
	assert_int_equal(k.st, OK);
	ok(&w, run_get(w.cx, uuids[1], &run));
	assert_true(run.deleted);
	world_stop(&w);
}

static void
a_new_metric_name_does_not_wait_for_a_deletion_that_waits_for_its_run(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "e");
	const char *uuid = new_run(&w, id), *name = "loss";
	struct metric_key *keys;
	struct worker k;
	struct run run;
	struct tx *tx = NULL;
	size_t n;

	ok(&w, tx_begin(w.cx, &tx));
	ok(&w, store_run_share(tx, uuid, &run));
	worker_start(&k, &w, delete_experiment, &id);
	until_waiting(&w, 1);
	ok(&w, store_metric_keys_make(tx, id, &name, 1, &keys, &n));
	ok(&w, tx_commit(&tx));
	worker_end(&k);
	assert_int_equal(k.st, OK);
	world_stop(&w);
}

static void *
start_run(void *arg)
{
	struct worker *k = arg;
	struct run_create in = { .experiment_id = k->arg };
	struct run run;

	k->st = run_start(&k->cx, &in, &run);
	return NULL;
}

static void
no_active_run_appears_in_an_experiment_that_is_being_deleted(void **state)
{
	struct world w = world_start(state);

	for (int round = 0; round < 15; round++) {
		int64_t id = new_experiment(&w, arena_printf(w.cx->arena, "e%d", round));
		char *text = arena_printf(w.cx->arena, "%lld", (long long)id);
		struct worker starter, deleter;

		worker_start(&starter, &w, start_run, text);
		worker_start(&deleter, &w, delete_experiment, &id);
		worker_end(&starter);
		worker_end(&deleter);
		assert_int_equal(deleter.st, OK);
		assert_true(starter.st == OK || starter.st == INVALID);
	}
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.run WHERE NOT deleted"), 0);
	world_stop(&w);
}

world_main(pg_test(a_fresh_server_has_the_experiment_default),
	pg_test(a_new_experiment_has_the_next_number_and_a_place_of_its_own),
	pg_test(a_name_is_unique_among_active_and_deleted_ones), pg_test(names_and_tags_have_their_limits),
	pg_test(artifacts_do_not_lie_just_anywhere), pg_test(an_unknown_experiment_is_not_found),
	pg_test(only_active_ones_are_deleted_and_only_deleted_ones_restored),
	pg_test(a_deleted_experiment_takes_nothing),
	pg_test(deleting_an_experiment_deletes_its_runs_and_restoring_restores_all),
	pg_test(a_tag_is_set_changed_and_taken_away), pg_test(the_overview_counts_runs),
	pg_test(of_two_who_make_the_same_experiment_one_is_told),
	pg_test(deleting_an_experiment_waits_for_the_writers_of_its_runs),
	pg_test(a_new_metric_name_does_not_wait_for_a_deletion_that_waits_for_its_run),
	pg_test(no_active_run_appears_in_an_experiment_that_is_being_deleted))
