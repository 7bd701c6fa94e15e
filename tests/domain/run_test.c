#include "domain/world.h"

#include <math.h>
#include "base/json.h"
#include "store/runs.h"

static struct run
run_of(struct world *w, const char *uuid)
{
	struct run run;

	ok(w, run_get(w->cx, uuid, &run));
	return run;
}

static const char *
value_of(const struct key_value *pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(pairs[i].key, key))
			return pairs[i].value;
	return NULL;
}

static const char *
tag_of(struct world *w, const char *uuid, const char *key)
{
	struct run run = run_of(w, uuid);

	return value_of(run.tags, run.tag_count, key);
}

static enum status
set_tag(struct world *w, const char *uuid, const char *key, const char *value)
{
	return run_tag_set(w->cx, uuid, &(struct key_value){ key, value });
}

static enum status
log_param(struct world *w, const char *uuid, const char *key, const char *value)
{
	return run_param_log(w->cx, uuid, &(struct key_value){ key, value });
}

static enum status
log_batch(struct world *w, struct run_batch *in)
{
	enum status st = run_batch_check(w->cx, in);

	return st == OK ? run_log_batch(w->cx, in) : st;
}

/* ---- a run's life ---- */

static void
a_new_run_is_running_with_a_name_and_a_place(void **state)
{
	struct world w = world_start(state);
	struct run_create in = {
		.experiment_id = "0", .user_id = "ada", .run_name = "night run", .start_time = 1234
	};
	struct run run;

	ok(&w, run_start(w.cx, &in, &run));
	assert_int_equal(strlen(run.uuid), 32);
	assert_int_equal(strspn(run.uuid, "0123456789abcdef"), 32);
	assert_int_equal(run.status, RUN_RUNNING);
	assert_string_equal(run.name, "night run");
	assert_string_equal(run.user_text, "ada");
	assert_true(run.start_unix_ms == 1234 && !run.has_end && !run.deleted);
	assert_string_equal(
		run.artifact_uri, arena_printf(w.cx->arena, "mlflow-artifacts:/0/%s/artifacts", run.uuid));
	assert_string_equal(tag_of(&w, run.uuid, "mlflow.runName"), "night run");
	world_stop(&w);
}

static void
a_run_is_named_by_its_tag_or_at_random(void **state)
{
	struct world w = world_start(state);
	struct key_value tags[] = { { "mlflow.runName", "tagged" }, { "x", "y" } };
	struct run_create in = { .experiment_id = "0", .tags = tags, .tag_count = 2 };
	struct run run;

	ok(&w, run_start(w.cx, &in, &run));
	assert_string_equal(run.name, "tagged");
	in.run_name = "tagged";
	ok(&w, run_start(w.cx, &in, &run));
	in.run_name = "other";
	refused(&w, run_start(w.cx, &in, &run), INVALID, "with different values");
	in = (struct run_create){ .experiment_id = "0", .run_name = "" };
	ok(&w, run_start(w.cx, &in, &run));
	assert_non_null(strchr(run.name, '-'));
	assert_string_equal(tag_of(&w, run.uuid, "mlflow.runName"), run.name);
	world_stop(&w);
}

static void
a_run_needs_an_experiment_that_exists(void **state)
{
	struct world w = world_start(state);
	struct run_create in = { .experiment_id = "4711" };
	struct run run;

	refused(&w, run_start(w.cx, &in, &run), NOT_FOUND, "No Experiment with id=4711 exists");
	in.experiment_id = "abc";
	refused(&w, run_start(w.cx, &in, &run), INVALID, "Invalid experiment ID 'abc'");
	in.experiment_id = NULL;
	refused(&w, run_start(w.cx, &in, &run), INVALID, "Invalid experiment ID");
	world_stop(&w);
}

static void
an_update_changes_what_it_names_alone(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0), *name = run_of(&w, uuid).name;
	struct run_update in = { .uuid = uuid, .has_end = true, .end_unix_ms = -1 };
	struct run run;

	ok(&w, run_update(w.cx, &in, &run));
	assert_true(run.has_end && run.end_unix_ms == -1);
	assert_int_equal(run.status, RUN_RUNNING);
	assert_string_equal(run.name, name);
	in = (struct run_update){ .uuid = uuid, .has_status = true, .status = RUN_FAILED, .name = "" };
	ok(&w, run_update(w.cx, &in, &run));
	assert_int_equal(run.status, RUN_FAILED);
	assert_true(run.end_unix_ms == -1);
	assert_string_equal(run.name, name); /* an empty name is none */
	in = (struct run_update){ .uuid = uuid, .name = "better" };
	ok(&w, run_update(w.cx, &in, &run));
	assert_string_equal(run.name, "better");
	assert_string_equal(tag_of(&w, uuid, "mlflow.runName"), "better");
	in.uuid = "0123";
	refused(&w, run_update(w.cx, &in, &run), NOT_FOUND, "Run with id=0123 not found");
	world_stop(&w);
}

static void
setting_the_tag_of_the_name_renames_the_run(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct key_value tags[] = { { "mlflow.runName", "one" }, { "a", "b" }, { "mlflow.runName", "two" } };
	struct run_batch in = { .uuid = uuid, .tags = tags, .tag_count = COUNT(tags) };

	ok(&w, set_tag(&w, uuid, "mlflow.runName", "renamed"));
	assert_string_equal(run_of(&w, uuid).name, "renamed");
	ok(&w, log_batch(&w, &in));
	assert_string_equal(run_of(&w, uuid).name, "two");
	assert_string_equal(tag_of(&w, uuid, "mlflow.runName"), "two");
	world_stop(&w);
}

static void
deleting_and_restoring_may_be_repeated(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);

	ok(&w, run_delete(w.cx, uuid));
	ok(&w, run_delete(w.cx, uuid));
	assert_true(run_of(&w, uuid).deleted);
	ok(&w, run_restore(w.cx, uuid));
	ok(&w, run_restore(w.cx, uuid));
	assert_false(run_of(&w, uuid).deleted);
	refused(&w, run_delete(w.cx, "nope"), NOT_FOUND, "Run with id=nope not found");
	refused(&w, run_restore(w.cx, "nope"), NOT_FOUND, "Run with id=nope not found");
	world_stop(&w);
}

static void
a_deleted_run_takes_nothing(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct point point = { "loss", 1, 1, 1 };
	struct run_batch metrics = { .uuid = uuid, .points = &point, .point_count = 1 };
	struct run_update update = { .uuid = uuid, .name = "x" };
	struct run_output output = { "m-1", 0 };
	struct run run;

	ok(&w, set_tag(&w, uuid, "k", "v"));
	ok(&w, run_delete(w.cx, uuid));
	refused(&w, log_param(&w, uuid, "p", "v"), INVALID, "must be in the 'active' state");
	refused(&w, set_tag(&w, uuid, "t", "v"), INVALID, "must be in the 'active' state");
	refused(&w, run_tag_delete(w.cx, uuid, "k"), INVALID, "must be in the 'active' state");
	refused(&w, run_update(w.cx, &update, &run), INVALID, "must be in the 'active' state");
	refused(&w, log_batch(&w, &metrics), INVALID, "must be in the 'active' state");
	refused(&w, run_log_inputs(w.cx, uuid, NULL, 0, NULL, 0), INVALID, "must be in the 'active' state");
	refused(&w, run_log_outputs(w.cx, uuid, &output, 1), INVALID, "must be in the 'active' state");
	assert_int_equal(run_of(&w, uuid).metrics->n, 0);
	ok(&w, run_restore(w.cx, uuid));
	ok(&w, log_batch(&w, &metrics));
	world_stop(&w);
}

static void
an_unknown_run_is_not_found(void **state)
{
	struct world w = world_start(state);
	struct point point = { "loss", 1, 1, 1 };
	struct run_batch metrics = { .uuid = "0123", .points = &point, .point_count = 1 };
	struct run run;

	refused(&w, run_get(w.cx, "0123", &run), NOT_FOUND, "Run with id=0123 not found");
	refused(&w, run_find(w.cx, "0123", &run), NOT_FOUND, "Run with id=0123 not found");
	refused(&w, log_param(&w, "0123", "p", "v"), NOT_FOUND, "Run with id=0123 not found");
	refused(&w, set_tag(&w, "0123", "p", "v"), NOT_FOUND, "Run with id=0123 not found");
	refused(&w, run_tag_delete(w.cx, "0123", "p"), NOT_FOUND, "Run with id=0123 not found");
	refused(&w, log_batch(&w, &metrics), NOT_FOUND, "Run with id=0123 not found");
	refused(&w, run_log_outputs(w.cx, "0123", NULL, 0), NOT_FOUND, "Run with id=0123 not found");
	world_stop(&w);
}

/* ---- params and tags ---- */

static void
a_param_is_logged_once_or_again_the_same(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct run run;

	ok(&w, log_param(&w, uuid, "lr", "0.1"));
	ok(&w, log_param(&w, uuid, "lr", "0.1"));
	refused(&w, log_param(&w, uuid, "lr", "0.2"), INVALID, "Changing param values is not allowed");
	ok(&w, log_param(&w, uuid, "empty", ""));
	ok(&w, log_param(&w, uuid, "long", text_of(&w, "\xc3\xa9", 7000)));
	ok(&w, log_param(&w, uuid, "long", text_of(&w, "\xc3\xa9", 6001))); /* cut to the same */
	run = run_of(&w, uuid);
	assert_int_equal(run.param_count, 3);
	assert_string_equal(value_of(run.params, run.param_count, "lr"), "0.1");
	assert_string_equal(value_of(run.params, run.param_count, "empty"), "");
	assert_int_equal(strlen(value_of(run.params, run.param_count, "long")), 12000);
	world_stop(&w);
}

static void
of_a_batch_with_a_conflict_nothing_is_kept(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct key_value params[] = { { "a", "1" }, { "lr", "0.2" }, { "z", "1" } },
			 tags[] = { { "t", "v" } };
	struct point point = { "loss", 1, 1, 1 };
	struct run_batch in = { .uuid = uuid,
		.points = &point,
		.point_count = 1,
		.params = params,
		.param_count = 3,
		.tags = tags,
		.tag_count = 1 };
	struct run run;

	ok(&w, log_param(&w, uuid, "lr", "0.1"));
	refused(&w, log_batch(&w, &in), INVALID, "key='lr'");
	run = run_of(&w, uuid);
	assert_int_equal(run.param_count, 1);
	assert_null(value_of(run.tags, run.tag_count, "t"));
	assert_int_equal(run.metrics->n, 0);
	world_stop(&w);
}

static void
twin_params_in_a_batch_are_refused_and_of_twin_tags_the_last_wins(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct key_value params[] = { { "a", "1" }, { "b", "1" }, { "a", "1" } },
			 tags[] = { { "t", "1" }, { "t", "2" } };
	struct run_batch twins = { .uuid = uuid, .params = params, .param_count = 3 };
	struct run_batch good = { .uuid = uuid, .tags = tags, .tag_count = 2 };

	refused(&w, log_batch(&w, &twins), INVALID, "Duplicate parameter keys have been submitted: ['a']");
	ok(&w, log_batch(&w, &good));
	assert_string_equal(tag_of(&w, uuid, "t"), "2");
	world_stop(&w);
}

static void
a_tag_is_set_changed_cut_and_taken_away(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);

	ok(&w, set_tag(&w, uuid, "k", "1"));
	ok(&w, set_tag(&w, uuid, "k", NULL));
	assert_string_equal(tag_of(&w, uuid, "k"), "");
	ok(&w, set_tag(&w, uuid, "k", text_of(&w, "x", 8001)));
	assert_int_equal(strlen(tag_of(&w, uuid, "k")), 8000);
	ok(&w, run_tag_delete(w.cx, uuid, "k"));
	assert_null(tag_of(&w, uuid, "k"));
	refused(&w, run_tag_delete(w.cx, uuid, "k"), NOT_FOUND, "No tag with name: k in run with id");
	refused(&w, set_tag(&w, uuid, "a//b", "v"), INVALID, "'key'");
	world_stop(&w);
}

static void
a_batch_is_checked_item_by_item(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct point points[] = { { "good", 1, 1, 1 }, { "../bad", 1, 1, 1 } }, early = { "loss", 1, -1, 0 };
	struct key_value params[] = { { "a/../b", "1" } };
	struct run_batch in = { .uuid = "not/a/run" };

	refused(&w, log_batch(&w, &in), INVALID, "'run_id'");
	in = (struct run_batch){ .uuid = uuid, .points = points, .point_count = 2 };
	refused(&w, log_batch(&w, &in), INVALID, "metrics[1].name");
	in = (struct run_batch){ .uuid = uuid, .points = &early, .point_count = 1 };
	refused(&w, log_batch(&w, &in), INVALID, "metrics[0].timestamp");
	in = (struct run_batch){ .uuid = uuid, .params = params, .param_count = 1 };
	refused(&w, log_batch(&w, &in), INVALID, "params[0].key");
	in = (struct run_batch){ .uuid = uuid };
	ok(&w, log_batch(&w, &in));
	world_stop(&w);
}

static void
a_batch_of_a_thousand_is_taken_whole(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct point *points = arena_array(w.cx->arena, 801, sizeof(*points));
	struct key_value *params = arena_array(w.cx->arena, 100, sizeof(*params)),
			 *tags = arena_array(w.cx->arena, 100, sizeof(*tags));
	struct run_batch in = { .uuid = uuid,
		.points = points,
		.point_count = 800,
		.params = params,
		.param_count = 100,
		.tags = tags,
		.tag_count = 100 };
	struct run run;

	for (int i = 0; i < 801; i++)
		points[i] = (struct point){ arena_printf(w.cx->arena, "m%d", i % 40), i, i, i };
	for (int i = 0; i < 100; i++)
		params[i] = tags[i] = (struct key_value){ arena_printf(w.cx->arena, "k%d", i), "v" };
	ok(&w, log_batch(&w, &in));
	run = run_of(&w, uuid);
	assert_int_equal(run.metrics->n, 40);
	assert_int_equal(run.param_count, 100);
	assert_int_equal(run.tag_count, 101);
	in.point_count = 801;
	refused(&w, log_batch(&w, &in), INVALID, "at most 1000");
	world_stop(&w);
}

/* ---- metrics ---- */

static void
the_latest_is_the_greatest_step_then_time_then_value(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct point points[] = { { "m", 5, 100, 3 }, { "m", 1, 900, 2 }, { "m", 7, 50, 3 },
		{ "m", 2, 100, 3 }, { "m", 5, 100, 3 }, { "n", (double)NAN, 1, 1 } };
	struct run_batch in = { .uuid = uuid, .points = points, .point_count = COUNT(points) };
	struct sample *samples;
	const char *next;
	struct run run;
	size_t n;

	ok(&w, log_batch(&w, &in));
	ok(&w, log_batch(&w, &in)); /* exact duplicates are dropped */
	run = run_of(&w, uuid);
	assert_int_equal(run.metrics->n, 2);
	assert_true(run.metrics->keys[0].last.value == 5);
	assert_true(isnan(run.metrics->keys[1].last.value));
	ok(&w, run_history(w.cx, uuid, "m", 0, NULL, &samples, &n, &next));
	assert_int_equal(n, 4);
	assert_null(next);
	assert_true(samples[0].time_unix_ms == 50 && samples[1].value == 2 && samples[2].value == 5);
	assert_true(samples[3].time_unix_ms == 900);
	world_stop(&w);
}

static void
a_history_is_given_page_by_page(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0), *next = NULL;
	struct point *points = arena_array(w.cx->arena, 100, sizeof(*points));
	struct run_batch in = { .uuid = uuid, .points = points, .point_count = 100 };
	struct sample *samples;
	size_t n, seen = 0, pages = 0;

	for (int i = 0; i < 100; i++)
		points[i] = (struct point){ "m", i, 1000 + i, 100 - i };
	ok(&w, log_batch(&w, &in));
	do {
		ok(&w, run_history(w.cx, uuid, "m", 30, next, &samples, &n, &next));
		for (size_t i = 0; i < n; i++, seen++)
			assert_true(samples[i].value == (double)seen);
		pages++;
	} while (next != NULL);
	assert_int_equal(seen, 100);
	assert_int_equal(pages, 4);
	ok(&w, run_history(w.cx, "unknown", "m", 0, NULL, &samples, &n, &next));
	assert_int_equal(n, 0);
	ok(&w, run_history(w.cx, uuid, "unknown", 0, NULL, &samples, &n, &next));
	assert_int_equal(n, 0);
	refused(&w, run_history(w.cx, uuid, "m", 30, "junk!", &samples, &n, &next), INVALID, "page token");
	refused(&w, run_history(w.cx, uuid, "m", 30, "anVuaw", &samples, &n, &next), INVALID, "page token");
	world_stop(&w);
}

/* ---- inputs, outputs, models ---- */

static struct run_input
dataset(const char *name, const char *digest)
{
	return (struct run_input){ .dataset = { name, digest, "local", "{}", NULL, NULL } };
}

static void
a_dataset_is_kept_once_an_experiment_and_linked_once_a_run(void **state)
{
	struct world w = world_start(state);
	const char *a = new_run(&w, 0), *b = new_run(&w, 0);
	struct key_value first[] = { { "mlflow.data.context", "training" } },
			 second[] = { { "mlflow.data.context", "eval" } };
	struct run_input in = dataset("iris", "abc");
	struct run run;

	in.tags = first;
	in.tag_count = 1;
	ok(&w, run_log_inputs(w.cx, a, &in, 1, NULL, 0));
	in.tags = second;
	in.dataset.source = "another";
	ok(&w, run_log_inputs(w.cx, a, &in, 1, NULL, 0));
	ok(&w, run_log_inputs(w.cx, b, &in, 1, NULL, 0));
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.dataset"), 1);
	run = run_of(&w, a);
	assert_int_equal(run.input_count, 1);
	assert_string_equal(run.inputs[0].dataset.source, "{}"); /* the first stays */
	assert_string_equal(run.inputs[0].tags[0].value, "training");
	run = run_of(&w, b);
	assert_string_equal(run.inputs[0].tags[0].value, "eval");
	world_stop(&w);
}

static void
a_dataset_has_its_limits(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct run_input in = dataset(text_of(&w, "\xc3\xa9", 500), text_of(&w, "d", 36));
	struct key_value tag = { text_of(&w, "k", 255), text_of(&w, "v", 500) };

	in.tags = &tag;
	in.tag_count = 1;
	in.dataset.source = text_of(&w, "s", 65535);
	in.dataset.schema = text_of(&w, "s", 1048575);
	ok(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0));
	in.dataset.schema = text_of(&w, "s", 1048576);
	refused(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0), INVALID, "'schema'");
	in.dataset.schema = NULL;
	in.dataset.source = text_of(&w, "s", 65536);
	refused(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0), INVALID, "'source'");
	in.dataset.source = "";
	refused(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0), INVALID, "'datasets[0].dataset.source'");
	in = dataset(text_of(&w, "n", 501), "d");
	refused(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0), INVALID, "'name'");
	in = dataset("n", text_of(&w, "d", 37));
	refused(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0), INVALID, "'digest'");
	in = dataset("n", "d");
	tag.key = text_of(&w, "k", 256);
	in.tags = &tag;
	in.tag_count = 1;
	refused(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0), INVALID, "'key'");
	tag = (struct key_value){ "k", text_of(&w, "v", 501) };
	refused(&w, run_log_inputs(w.cx, uuid, &in, 1, NULL, 0), INVALID, "'value'");
	world_stop(&w);
}

static void
models_of_a_run_keep_the_order_of_logging(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0), *used[] = { "m-c", "m-a", "m-c", "m-b" };
	struct run_output made[] = { { "m-z", 3 }, { "m-y", 1 } },
			  twins[] = { { "m-1", 0 }, { "m-2", 0 }, { "m-1", 1 } };
	struct run run;

	ok(&w, run_log_inputs(w.cx, uuid, NULL, 0, used, COUNT(used)));
	ok(&w, run_log_outputs(w.cx, uuid, made, 2));
	refused(&w, run_log_outputs(w.cx, uuid, twins, 3), INVALID, "'m-1' is named twice");
	run = run_of(&w, uuid);
	assert_int_equal(run.model_input_count, 3);
	assert_string_equal(run.model_inputs[0], "m-c");
	assert_string_equal(run.model_inputs[1], "m-a");
	assert_string_equal(run.model_inputs[2], "m-b");
	assert_int_equal(run.output_count, 2);
	assert_string_equal(run.outputs[0].model_uuid, "m-z");
	assert_true(run.outputs[0].step == 3);
	world_stop(&w);
}

/* Random digits do not compress, so that an index really sees their length. */
static char *
random_digits(struct world *w, size_t n)
{
	char *out = arena_alloc(w->cx->arena, n + 64);

	for (size_t at = 0; at < n; at += 32)
		random_hex(out + at, 16);
	out[n] = '\0';
	return out;
}

static void
an_id_of_a_model_that_no_index_can_hold_is_refused(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0), *id = random_digits(&w, 20000);
	struct run_output made = { id, 0 };

	refused(&w, run_log_inputs(w.cx, uuid, NULL, 0, &id, 1), INVALID, "256 characters");
	refused(&w, run_log_outputs(w.cx, uuid, &made, 1), INVALID, "256 characters");
	id = made.model_uuid = random_digits(&w, 256);
	ok(&w, run_log_inputs(w.cx, uuid, NULL, 0, &id, 1));
	ok(&w, run_log_outputs(w.cx, uuid, &made, 1));
	world_stop(&w);
}

static void
the_history_of_models_grows_by_one_description(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	const char *json =
		"{\"artifact_path\":\"m\",\"flavors\":{},\"utc_time_created\":\"t\",\"run_id\":\"r\"}";

	for (size_t n = 1; n <= 3; n++) {
		const struct json *list;
		const char *text;

		ok(&w, run_log_model(w.cx, uuid, json));
		text = tag_of(&w, uuid, "mlflow.log-model.history");
		ok(&w, json_parse(w.cx, text, strlen(text), &list));
		assert_int_equal(json_length(list), n);
		assert_string_equal(json_text(json_member(json_at(list, n - 1), "artifact_path")), "m");
	}
	refused(&w, run_log_model(w.cx, uuid, "no json"), INVALID, "Malformed model info");
	refused(&w, run_log_model(w.cx, uuid, "[]"), INVALID, "Malformed model info");
	refused(&w, run_log_model(w.cx, uuid, "{\"artifact_path\":\"m\"}"), INVALID,
		"mandatory fields: flavors");
	world_stop(&w);
}

/* ---- at once ---- */

static void *
log_same_dataset(void *arg)
{
	struct worker *k = arg;
	struct run_input in = dataset("iris", "abc");

	k->st = run_log_inputs(&k->cx, k->arg, &in, 1, NULL, 0);
	return NULL;
}

static void
two_runs_log_the_same_new_dataset_at_once(void **state)
{
	struct world w = world_start(state);
	const char *a = new_run(&w, 0), *b = new_run(&w, 0);
	struct run_input in = dataset("iris", "abc");
	struct worker k;
	struct run run;
	struct tx *tx = NULL;

	ok(&w, tx_begin(w.cx, &tx));
	ok(&w, store_run_share(tx, a, &run));
	ok(&w, store_run_input_put(tx, &run, &in));
	worker_start(&k, &w, log_same_dataset, (void *)(uintptr_t)b);
	until_waiting(&w, 1); /* its statement has begun: it will not see what is committed now */
	ok(&w, tx_commit(&tx));
	worker_end(&k);
	assert_int_equal(k.st, OK);
	assert_int_equal(run_of(&w, b).input_count, 1);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.dataset"), 1);
	world_stop(&w);
}

static void *
log_other_value(void *arg)
{
	struct worker *k = arg;

	k->st = run_param_log(&k->cx, k->arg, &(struct key_value){ "lr", "0.2" });
	return NULL;
}

static void
of_two_values_of_a_param_at_once_one_is_refused(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct param_conflict conflict;
	struct worker k;
	struct run run;
	struct tx *tx = NULL;

	ok(&w, tx_begin(w.cx, &tx));
	ok(&w, store_run_share(tx, uuid, &run));
	ok(&w, store_params_put(tx, run.run_id, &(struct key_value){ "lr", "0.1" }, 1, &conflict));
	worker_start(&k, &w, log_other_value, (void *)(uintptr_t)uuid);
	until_waiting(&w, 1);
	ok(&w, tx_commit(&tx));
	worker_end(&k);
	assert_int_equal(k.st, INVALID);
	world_stop(&w);
}

static void *
delete_run(void *arg)
{
	struct worker *k = arg;

	k->st = run_delete(&k->cx, k->arg);
	return NULL;
}

static void
a_run_is_deleted_after_what_is_being_written_to_it(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct worker k;
	struct run run;
	struct tx *tx = NULL;

	ok(&w, tx_begin(w.cx, &tx));
	ok(&w, store_run_share(tx, uuid, &run));
	worker_start(&k, &w, delete_run, (void *)(uintptr_t)uuid);
	until_waiting(&w, 1);
	/* the writer may still rename the run that the other waits for */
	ok(&w, store_run_update(tx, run.run_id, &(struct run_update){ .name = "last words" }));
	ok(&w, tx_commit(&tx));
	worker_end(&k);
	assert_int_equal(k.st, OK);
	run = run_of(&w, uuid);
	assert_true(run.deleted);
	assert_string_equal(run.name, "last words");
	world_stop(&w);
}

#define WRITERS 4

static void *
write_a_lot(void *arg)
{
	struct worker *k = arg;
	struct key_value tags[] = { { "b", "1" }, { "mlflow.runName", "n" }, { "a", "1" } };
	struct key_value backwards[] = { { "a", "2" }, { "mlflow.runName", "m" }, { "b", "2" } };
	struct point points[] = { { "y", 1, 1, 1 }, { "x", 1, 1, 1 } };

	for (int i = 0; i < 25 && k->st == OK; i++) {
		struct run_batch in = { .uuid = k->arg,
			.tags = i % 2 == 0 ? tags : backwards,
			.tag_count = 3,
			.points = points,
			.point_count = 2 };
		struct run_update end = {
			.uuid = k->arg, .has_status = true, .status = RUN_FINISHED, .name = "u"
		};
		struct run run;

		if ((k->st = run_log_batch(&k->cx, &in)) == OK)
			k->st = run_update(&k->cx, &end, &run);
		if (k->st != OK)
			print_error("%s\n", k->cx.message);
	}
	return NULL;
}

static void
many_who_write_to_one_run_do_not_lock_each_other_out(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0);
	struct worker k[WRITERS] = { 0 };

	for (size_t i = 0; i < WRITERS; i++)
		worker_start(&k[i], &w, write_a_lot, (void *)(uintptr_t)uuid);
	for (size_t i = 0; i < WRITERS; i++)
		worker_end(&k[i]);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(k[i].st, OK);
	assert_string_equal(run_of(&w, uuid).name, tag_of(&w, uuid, "mlflow.runName"));
	world_stop(&w);
}

world_main(pg_test(a_new_run_is_running_with_a_name_and_a_place),
	pg_test(a_run_is_named_by_its_tag_or_at_random), pg_test(a_run_needs_an_experiment_that_exists),
	pg_test(an_update_changes_what_it_names_alone), pg_test(setting_the_tag_of_the_name_renames_the_run),
	pg_test(deleting_and_restoring_may_be_repeated), pg_test(a_deleted_run_takes_nothing),
	pg_test(an_unknown_run_is_not_found), pg_test(a_param_is_logged_once_or_again_the_same),
	pg_test(of_a_batch_with_a_conflict_nothing_is_kept),
	pg_test(twin_params_in_a_batch_are_refused_and_of_twin_tags_the_last_wins),
	pg_test(a_tag_is_set_changed_cut_and_taken_away), pg_test(a_batch_is_checked_item_by_item),
	pg_test(a_batch_of_a_thousand_is_taken_whole),
	pg_test(the_latest_is_the_greatest_step_then_time_then_value),
	pg_test(a_history_is_given_page_by_page),
	pg_test(a_dataset_is_kept_once_an_experiment_and_linked_once_a_run),
	pg_test(a_dataset_has_its_limits), pg_test(models_of_a_run_keep_the_order_of_logging),
	pg_test(an_id_of_a_model_that_no_index_can_hold_is_refused),
	pg_test(the_history_of_models_grows_by_one_description),
	pg_test(two_runs_log_the_same_new_dataset_at_once),
	pg_test(of_two_values_of_a_param_at_once_one_is_refused),
	pg_test(a_run_is_deleted_after_what_is_being_written_to_it),
	pg_test(many_who_write_to_one_run_do_not_lock_each_other_out))
