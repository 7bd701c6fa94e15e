#include "domain/world.h"

#include "domain/registry.h"

static const char *const zero[] = { "0" };

/* A run with a name, a param "i", a tag "kind" and a metric "loss", all from i. */
static const char *
numbered(struct world *w, int i)
{
	struct key_value tags[] = { { "kind", i % 2 == 0 ? "even" : "odd" } };
	struct key_value params[] = { { "i", arena_printf(w->cx->arena, "%d", i) } };
	struct run_create in = { .experiment_id = "0",
		.run_name = arena_printf(w->cx->arena, "run %03d", i),
		.start_time = 1000 + i % 7,
		.tags = tags,
		.tag_count = 1 };
	struct point point = { "loss", (i * 37) % 101, 1, 1 };
	struct run_batch batch = { .points = &point, .point_count = 1, .params = params, .param_count = 1 };
	struct run run;

	ok(w, run_start(w->cx, &in, &run));
	batch.uuid = run.uuid;
	ok(w, run_log_batch(w->cx, &batch));
	return run.uuid;
}

static size_t
count(struct world *w, const char *filter, enum view view)
{
	struct search_in in = { .filter = filter, .max_results = 1000, .view = view };
	struct run *runs;
	const char *next;
	size_t n;

	ok(w, run_search(w->cx, zero, 1, &in, &runs, &n, &next));
	assert_null(next);
	return n;
}

static void
pages_together_hold_every_run_once(void **state)
{
	struct world w = world_start(state);
	const char *order[] = { "metrics.loss DESC" };
	struct search_in in = {
		.order_by = order, .order_by_count = 1, .max_results = 17, .view = VIEW_ACTIVE
	};
	size_t n, seen = 0, pages = 0;
	double last = 1e9;

	for (int i = 0; i < 100; i++)
		numbered(&w, i);
	do {
		struct run *runs;
		const char *next;

		ok(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &next));
		for (size_t i = 0; i < n; i++) {
			assert_true(runs[i].metrics->keys[0].last.value < last);
			last = runs[i].metrics->keys[0].last.value;
			assert_int_equal(runs[i].param_count, 1);
			assert_int_equal(runs[i].tag_count, 2);
		}
		seen += n;
		pages++;
		in.page_token = next;
	} while (in.page_token != NULL);
	assert_int_equal(seen, 100);
	assert_int_equal(pages, 6);
	world_stop(&w);
}

static void
the_default_order_is_the_latest_start_then_the_id(void **state)
{
	struct world w = world_start(state);
	struct search_in in = { .max_results = 100, .view = VIEW_ACTIVE };
	struct run *runs;
	const char *next;
	size_t n;

	for (int i = 0; i < 20; i++)
		numbered(&w, i);
	ok(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &next));
	assert_int_equal(n, 20);
	for (size_t i = 1; i < n; i++)
		assert_true(runs[i - 1].start_unix_ms > runs[i].start_unix_ms ||
			    (runs[i - 1].start_unix_ms == runs[i].start_unix_ms &&
				    strcmp(runs[i - 1].uuid, runs[i].uuid) < 0));
	world_stop(&w);
}

static void
filters_look_at_every_kind_of_column(void **state)
{
	struct world w = world_start(state);
	struct run_input in = { .dataset = { "iris", "d1", "local", "{}", NULL, NULL } };
	struct key_value context = { "mlflow.data.context", "training" };
	const char *first = NULL;

	for (int i = 0; i < 10; i++)
		first = numbered(&w, i);
	in.tags = &context;
	in.tag_count = 1;
	ok(&w, run_log_inputs(w.cx, first, &in, 1, NULL, 0));
	assert_int_equal(count(&w, NULL, VIEW_ACTIVE), 10);
	assert_int_equal(count(&w, "params.i = '3'", VIEW_ACTIVE), 1);
	assert_int_equal(count(&w, "tags.kind = 'even'", VIEW_ACTIVE), 5);
	assert_int_equal(count(&w, "tags.none != 'x'", VIEW_ACTIVE), 0);
	assert_int_equal(count(&w, "metrics.loss = 0", VIEW_ACTIVE), 1);
	assert_int_equal(count(&w, "metrics.loss >= 0 AND params.i LIKE '%1%'", VIEW_ACTIVE), 1);
	assert_int_equal(count(&w, "run_name ILIKE 'RUN 00%'", VIEW_ACTIVE), 10);
	assert_int_equal(count(&w, "status = 'RUNNING' AND start_time > 1003", VIEW_ACTIVE), 3);
	assert_int_equal(
		count(&w, "datasets.name = 'iris' AND datasets.context = 'training'", VIEW_ACTIVE), 1);
	assert_int_equal(count(&w, arena_printf(w.cx->arena, "run_id = '%s'", first), VIEW_ACTIVE), 1);
	world_stop(&w);
}

static void
a_view_shows_active_or_deleted_ones_or_both(void **state)
{
	struct world w = world_start(state);

	numbered(&w, 1);
	ok(&w, run_delete(w.cx, numbered(&w, 2)));
	assert_int_equal(count(&w, NULL, VIEW_ACTIVE), 1);
	assert_int_equal(count(&w, NULL, VIEW_DELETED), 1);
	assert_int_equal(count(&w, NULL, VIEW_ALL), 2);
	assert_int_equal(count(&w, "tags.kind = 'even'", VIEW_DELETED), 1);
	world_stop(&w);
}

static void
searching_no_experiment_or_an_unknown_one_finds_nothing(void **state)
{
	struct world w = world_start(state);
	struct search_in in = { .filter = "metrics.loss > 0", .max_results = 10, .view = VIEW_ACTIVE };
	const char *unknown[] = { "4711", "0", "0" }, *bad[] = { "x" }, *next;
	struct run *runs;
	size_t n;

	numbered(&w, 5);
	ok(&w, run_search(w.cx, NULL, 0, &in, &runs, &n, &next));
	assert_int_equal(n, 0);
	ok(&w, run_search(w.cx, unknown, 1, &in, &runs, &n, &next));
	assert_int_equal(n, 0);
	ok(&w, run_search(w.cx, unknown, 3, &in, &runs, &n, &next));
	assert_int_equal(n, 1);
	refused(&w, run_search(w.cx, bad, 1, &in, &runs, &n, &next), INVALID, "Invalid experiment ID 'x'");
	world_stop(&w);
}

static void
sizes_tokens_and_filters_are_checked(void **state)
{
	struct world w = world_start(state);
	struct search_in in = { .max_results = 50001, .view = VIEW_ACTIVE };
	const char *next, *token;
	struct run *runs;
	size_t n;

	numbered(&w, 1);
	numbered(&w, 2);
	refused(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &next), INVALID, "'max_results'");
	in.max_results = 0;
	refused(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &next), INVALID, "'max_results'");
	in.max_results = 50000;
	ok(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &next));
	in.page_token = "junk";
	refused(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &next), INVALID, "page token");
	in = (struct search_in){ .max_results = 1, .view = VIEW_ACTIVE };
	ok(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &token));
	assert_non_null(token);
	in.page_token = token;
	in.filter = "tags.kind = 'odd'"; /* the token is of another search */
	refused(&w, run_search(w.cx, zero, 1, &in, &runs, &n, &next), INVALID, "page token");
	in = (struct search_in){ .filter = "metrics.loss = 'x'", .max_results = 1, .view = VIEW_ACTIVE };
	assert_int_equal(run_search(w.cx, zero, 1, &in, &runs, &n, &next), INVALID);
	world_stop(&w);
}

struct seen {
	size_t n;
	char uuid[2][40];
	double first[2];
};

static enum status
see(void *arg, const char *uuid, const struct sample *samples, size_t n)
{
	struct seen *seen = arg;

	assert_true(seen->n < 2);
	assert_int_equal(n, 1);
	(void)snprintf(seen->uuid[seen->n], sizeof(seen->uuid[0]), "%s", uuid);
	seen->first[seen->n++] = samples[0].value;
	return OK;
}

static void
the_samples_of_several_runs_come_in_their_order_each_run_once(void **state)
{
	struct world w = world_start(state);
	const char *two = numbered(&w, 2), *one = numbered(&w, 1);
	const char *uuids[] = { one, "unknown", two, one };
	struct run_tiles_in in = { uuids, 4, "loss", INT64_MIN, INT64_MAX, 10 };
	struct seen seen = { 0 };

	ok(&w, run_tiles(w.cx, &in, see, &seen));
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.uuid[0], one);
	assert_string_equal(seen.uuid[1], two);
	assert_true(seen.first[1] == 74);
	seen.n = 0;
	ok(&w, run_histories(w.cx, uuids, 4, "loss", 1, see, &seen));
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.uuid[0], one);
	in.step_lo = 2;
	seen.n = 0;
	ok(&w, run_tiles(w.cx, &in, see, &seen));
	in.step_lo = INT64_MIN;
	in.key = "none";
	ok(&w, run_tiles(w.cx, &in, see, &seen));
	assert_int_equal(seen.n, 0);
	world_stop(&w);
}

static void
experiments_models_and_versions_are_searched_page_by_page(void **state)
{
	struct world w = world_start(state);
	struct search_in in = { .filter = "name LIKE 'm%'", .max_results = 2, .view = VIEW_ACTIVE };
	struct experiment *experiments;
	struct version *versions, v;
	struct model *models, m;
	const char *next;
	size_t n;

	for (int i = 0; i < 3; i++) {
		const char *name = arena_printf(w.cx->arena, "m%d", i);

		new_experiment(&w, name);
		ok(&w, model_create(w.cx, name, NULL, NULL, 0, &m));
		ok(&w, version_create(
			       w.cx, &(struct version_create){ .name = name, .source = "s3://b/x" }, &v));
	}
	ok(&w, experiment_search(w.cx, &in, &experiments, &n, &next));
	assert_int_equal(n, 2);
	in.page_token = next;
	ok(&w, experiment_search(w.cx, &in, &experiments, &n, &next));
	assert_int_equal(n, 1);
	assert_null(next);
	in.page_token = NULL;
	ok(&w, model_search(w.cx, &in, &models, &n, &next));
	assert_int_equal(n, 2);
	assert_string_equal(models[0].name, "m0");
	assert_int_equal(models[1].latest_count, 1);
	in.page_token = next;
	ok(&w, model_search(w.cx, &in, &models, &n, &next));
	assert_int_equal(n, 1);
	in = (struct search_in){ .filter = "name = 'm1'", .max_results = 10, .view = VIEW_ACTIVE };
	ok(&w, version_search(w.cx, &in, &versions, &n, &next));
	assert_int_equal(n, 1);
	assert_string_equal(versions[0].model, "m1");
	in.max_results = 1001;
	refused(&w, model_search(w.cx, &in, &models, &n, &next), INVALID, "max_results");
	world_stop(&w);
}

world_main(pg_test(pages_together_hold_every_run_once),
	pg_test(the_default_order_is_the_latest_start_then_the_id),
	pg_test(filters_look_at_every_kind_of_column), pg_test(a_view_shows_active_or_deleted_ones_or_both),
	pg_test(searching_no_experiment_or_an_unknown_one_finds_nothing),
	pg_test(sizes_tokens_and_filters_are_checked),
	pg_test(the_samples_of_several_runs_come_in_their_order_each_run_once),
	pg_test(experiments_models_and_versions_are_searched_page_by_page))
