#include "domain/world.h"

#include "base/json.h"
#include "domain/logged_model.h"
#include "domain/registry.h"

static struct model
new_model(struct world *w, const char *name)
{
	struct model m;

	ok(w, model_create(w->cx, name, NULL, NULL, 0, &m));
	return m;
}

static struct version
new_version(struct world *w, const char *model)
{
	struct version_create in = { .name = model, .source = "s3://bucket/model" };
	struct version v;

	ok(w, version_create(w->cx, &in, &v));
	return v;
}

static struct version
version_of(struct world *w, const char *model, const char *number)
{
	struct version v;

	ok(w, version_get(w->cx, model, number, &v));
	return v;
}

static struct model
model_of(struct world *w, const char *name)
{
	struct model m;

	ok(w, model_get(w->cx, name, &m));
	return m;
}

static enum status
read_text(void *arg, void *out, size_t size, size_t *got)
{
	const char **text = arg;

	*got = strlen(*text) < size ? strlen(*text) : size;
	memcpy(out, *text, *got);
	*text += *got;
	return OK;
}

static void
put(struct world *w, const char *path, const char *text)
{
	ok(w, artifact_put(w->cx, path, read_text, &text));
}

/* ---- models ---- */

static void
a_model_is_made_once(void **state)
{
	struct world w = world_start(state);
	struct key_value tags[] = { { "a", "1" }, { "a", "2" } };
	struct model m;

	ok(&w, model_create(w.cx, "m", "words", tags, 2, &m));
	assert_string_equal(m.name, "m");
	assert_string_equal(m.description, "words");
	assert_int_equal(m.tag_count, 1);
	assert_string_equal(m.tags[0].value, "2");
	assert_true(m.created_unix_ms == m.updated_unix_ms);
	refused(&w, model_create(w.cx, "m", NULL, NULL, 0, &m), ALREADY_EXISTS,
		"Registered Model (name=m) already exists");
	refused(&w, model_create(w.cx, "a/b", NULL, NULL, 0, &m), INVALID, "'a/b'");
	refused(&w, model_create(w.cx, "long", text_of(&w, "d", 5001), NULL, 0, &m), INVALID,
		"5000 characters");
	tags[0].value = text_of(&w, "v", 100001);
	refused(&w, model_create(w.cx, "long", NULL, tags, 1, &m), INVALID, "100000 characters");
	world_stop(&w);
}

static void
an_unknown_model_is_not_found(void **state)
{
	struct world w = world_start(state);
	struct key_value tag = { "k", "v" };
	struct version_create in = { .name = "x", .source = "s3://b" };
	struct version v, *versions;
	struct alias *history;
	struct model m;
	size_t n;

	refused(&w, model_get(w.cx, "x", &m), NOT_FOUND, "Registered Model with name=x not found");
	refused(&w, model_rename(w.cx, "x", "y", &m), NOT_FOUND, "name=x");
	refused(&w, model_describe(w.cx, "x", "y", &m), NOT_FOUND, "name=x");
	refused(&w, model_delete(w.cx, "x"), NOT_FOUND, "name=x");
	refused(&w, model_tag_set(w.cx, "x", &tag), NOT_FOUND, "name=x");
	refused(&w, model_tag_delete(w.cx, "x", "k"), NOT_FOUND, "name=x");
	refused(&w, model_latest(w.cx, "x", NULL, 0, &versions, &n), NOT_FOUND, "name=x");
	refused(&w, version_create(w.cx, &in, &v), NOT_FOUND, "name=x");
	refused(&w, alias_set(w.cx, "x", "a", "1"), NOT_FOUND, "name=x");
	refused(&w, alias_delete(w.cx, "x", "a"), NOT_FOUND, "name=x");
	refused(&w, alias_history(w.cx, "x", "a", &history, &n), NOT_FOUND, "name=x");
	new_model(&w, "x");
	refused(&w, version_get(w.cx, "x", "1", &v), NOT_FOUND,
		"Model Version (name=x, version=1) not found");
	refused(&w, version_get(w.cx, "x", "one", &v), INVALID, "must be an integer, got 'one'");
	refused(&w, version_delete(w.cx, "x", "99999999999"), NOT_FOUND, "not found");
	refused(&w, version_stage(w.cx, "x", "1", "Staging", false, &v), NOT_FOUND, "version=1");
	world_stop(&w);
}

static void
renaming_takes_versions_and_aliases_along(void **state)
{
	struct world w = world_start(state);
	struct model m;

	new_model(&w, "old");
	new_model(&w, "taken");
	new_version(&w, "old");
	ok(&w, alias_set(w.cx, "old", "best", "1"));
	refused(&w, model_rename(w.cx, "old", "taken", &m), ALREADY_EXISTS, "(name=taken) already exists");
	ok(&w, model_rename(w.cx, "old", "new", &m));
	assert_string_equal(m.name, "new");
	assert_int_equal(m.latest_count, 1);
	assert_string_equal(version_of(&w, "new", "1").model, "new");
	assert_string_equal(version_of(&w, "new", "1").aliases[0], "best");
	refused(&w, model_get(w.cx, "old", &m), NOT_FOUND, "name=old");
	ok(&w, model_rename(w.cx, "new", "new", &m));
	world_stop(&w);
}

static void
deleting_a_model_takes_everything_along(void **state)
{
	struct world w = world_start(state);
	struct key_value tag = { "k", "v" };

	new_model(&w, "m");
	new_version(&w, "m");
	ok(&w, version_tag_set(w.cx, "m", "1", &tag));
	ok(&w, model_tag_set(w.cx, "m", &tag));
	ok(&w, alias_set(w.cx, "m", "a", "1"));
	ok(&w, model_delete(w.cx, "m"));
	assert_int_equal(world_number(&w, "SELECT (SELECT count(*) FROM cairn.model_version) + (SELECT "
					  "count(*) FROM cairn.alias) + "
					  "(SELECT count(*) FROM cairn.alias_history) + (SELECT count(*) "
					  "FROM cairn.registered_model_tag)"),
		0);
	new_model(&w, "m");
	assert_int_equal(new_version(&w, "m").version, 1);
	world_stop(&w);
}

static void
tags_of_models_and_versions_may_be_deleted_twice(void **state)
{
	struct world w = world_start(state);
	struct key_value tag = { "k", "v" };

	new_model(&w, "m");
	new_version(&w, "m");
	ok(&w, model_tag_set(w.cx, "m", &tag));
	ok(&w, version_tag_set(w.cx, "m", "1", &tag));
	assert_string_equal(version_of(&w, "m", "1").tags[0].value, "v");
	for (int i = 0; i < 2; i++) {
		ok(&w, model_tag_delete(w.cx, "m", "k"));
		ok(&w, version_tag_delete(w.cx, "m", "1", "k"));
		ok(&w, alias_delete(w.cx, "m", "none"));
	}
	assert_int_equal(model_of(&w, "m").tag_count, 0);
	assert_int_equal(version_of(&w, "m", "1").tag_count, 0);
	world_stop(&w);
}

/* ---- versions ---- */

static void
a_number_is_never_given_twice(void **state)
{
	struct world w = world_start(state);
	struct version v;

	new_model(&w, "m");
	assert_int_equal(new_version(&w, "m").version, 1);
	v = new_version(&w, "m");
	assert_int_equal(v.version, 2);
	assert_int_equal(v.status, 1);
	assert_int_equal(v.stage, STAGE_NONE);
	ok(&w, version_delete(w.cx, "m", "2"));
	refused(&w, version_get(w.cx, "m", "2", &v), NOT_FOUND, "version=2");
	refused(&w, version_delete(w.cx, "m", "2"), NOT_FOUND, "version=2");
	assert_int_equal(new_version(&w, "m").version, 3);
	assert_true(model_of(&w, "m").updated_unix_ms >= model_of(&w, "m").created_unix_ms);
	world_stop(&w);
}

static void
a_deleted_version_forgets_its_source_and_loses_its_aliases(void **state)
{
	struct world w = world_start(state);
	struct alias a, *history;
	size_t n;

	new_model(&w, "m");
	new_version(&w, "m");
	ok(&w, alias_set(w.cx, "m", "best", "1"));
	ok(&w, version_delete(w.cx, "m", "1"));
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.model_version WHERE deleted AND source "
					  "IS NULL AND run_uuid IS NULL"),
		1);
	assert_int_equal(model_of(&w, "m").alias_count, 0);
	assert_int_equal(alias_get(w.cx, "m", "best", &a), NOT_FOUND);
	ok(&w, alias_history(w.cx, "m", "best", &history, &n));
	assert_int_equal(n, 2);
	assert_false(history[0].has_version);
	assert_true(history[0].has_previous && history[0].previous_version == 1);
	world_stop(&w);
}

static void
stages_are_canonical_and_the_others_are_archived(void **state)
{
	struct world w = world_start(state);
	struct version v, *latest;
	const char *wanted[] = { "production", "Staging" };
	size_t n;

	new_model(&w, "m");
	for (int i = 0; i < 3; i++)
		new_version(&w, "m");
	ok(&w, version_stage(w.cx, "m", "1", "pRODUCTION", false, &v));
	assert_int_equal(v.stage, STAGE_PRODUCTION);
	ok(&w, version_stage(w.cx, "m", "2", "Production", true, &v));
	assert_int_equal(version_of(&w, "m", "1").stage, STAGE_ARCHIVED);
	assert_int_equal(version_of(&w, "m", "3").stage, STAGE_NONE);
	refused(&w, version_stage(w.cx, "m", "3", "Archived", true, &v), INVALID, "not an Active stage");
	refused(&w, version_stage(w.cx, "m", "3", "Best", false, &v), INVALID,
		"Invalid Model Version stage: Best");
	ok(&w, model_latest(w.cx, "m", NULL, 0, &latest, &n));
	assert_int_equal(n, 3);
	ok(&w, model_latest(w.cx, "m", wanted, 2, &latest, &n));
	assert_int_equal(n, 1);
	assert_int_equal(latest[0].version, 2);
	world_stop(&w);
}

static void
a_description_is_changed_and_cleared(void **state)
{
	struct world w = world_start(state);
	struct version v;
	struct model m;

	new_model(&w, "m");
	new_version(&w, "m");
	ok(&w, version_describe(w.cx, "m", "1", "words", &v));
	assert_string_equal(v.description, "words");
	ok(&w, version_describe(w.cx, "m", "1", NULL, &v));
	assert_true(str_empty(v.description));
	refused(&w, version_describe(w.cx, "m", "1", text_of(&w, "d", 5001), &v), INVALID, "5000 characters");
	ok(&w, model_describe(w.cx, "m", "words", &m));
	assert_string_equal(m.description, "words");
	ok(&w, model_describe(w.cx, "m", NULL, &m));
	assert_null(m.description);
	world_stop(&w);
}

static void
a_source_lies_inside_what_it_names(void **state)
{
	struct world w = world_start(state);
	const char *uuid, *other;
	struct version_create in = { .name = "m" };
	struct version v;

	new_model(&w, "m");
	uuid = new_run(&w, 0);
	other = new_run(&w, 0);
	in.run_id = uuid;
	in.source = arena_printf(w.cx->arena, "mlflow-artifacts:/0/%s/artifacts/model", uuid);
	ok(&w, version_create(w.cx, &in, &v));
	assert_string_equal(v.storage_location, in.source);
	in.source = arena_printf(w.cx->arena, "mlflow-artifacts:/0/%s/artifacts/model", other);
	refused(&w, version_create(w.cx, &in, &v), INVALID, "contained within the artifact directory");
	in.source =
		arena_printf(w.cx->arena, "mlflow-artifacts:/0/%s/artifacts/../../%s/artifacts", uuid, other);
	refused(&w, version_create(w.cx, &in, &v), INVALID, "");
	in.source = arena_printf(w.cx->arena, "mlflow-artifacts:/0/%s/artifacts/%%252e%%252e/x", uuid);
	refused(&w, version_create(w.cx, &in, &v), INVALID, "");
	in.source = arena_printf(w.cx->arena, "runs:/%s/model", uuid);
	ok(&w, version_create(w.cx, &in, &v));
	assert_string_equal(v.storage_location,
		arena_printf(w.cx->arena, "mlflow-artifacts:/0/%s/artifacts/model", uuid));
	in.source = arena_printf(w.cx->arena, "runs:/%s/model", other);
	refused(&w, version_create(w.cx, &in, &v), INVALID, "run_id request parameter must identify");
	in.source = "/etc/passwd";
	refused(&w, version_create(w.cx, &in, &v), INVALID, "");
	in.source = "file:///etc/passwd";
	refused(&w, version_create(w.cx, &in, &v), INVALID, "");
	in.source = "https://example.com/x";
	refused(&w, version_create(w.cx, &in, &v), INVALID, "'https' scheme");
	in.source = "mlflow-artifacts://host/0/x";
	refused(&w, version_create(w.cx, &in, &v), INVALID, "mlflow-artifacts");
	in.source = "";
	refused(&w, version_create(w.cx, &in, &v), INVALID, "'source'");
	in.source = text_of(&w, "%25", 300000);
	refused(&w, version_create(w.cx, &in, &v), INVALID, "4096 characters");
	in.source = "models:/m-x/1";
	in.run_id = NULL;
	refused(&w, version_create(w.cx, &in, &v), NOT_FOUND,
		"Model Version (name=m-x, version=1) not found");
	in.source = "s3://b/x";
	in.run_id = text_of(&w, "r", 257);
	refused(&w, version_create(w.cx, &in, &v), INVALID, "256 characters");
	world_stop(&w);
}

/* ---- aliases ---- */

static void
an_alias_that_moves_leaves_a_row_of_history(void **state)
{
	struct world w = world_start(state);
	struct alias a, *history;
	size_t n;

	new_model(&w, "m");
	new_version(&w, "m");
	new_version(&w, "m");
	ok(&w, alias_set(w.cx, "m", "best", "1"));
	ok(&w, alias_set(w.cx, "m", "best", "1")); /* it points there already */
	ok(&w, alias_get(w.cx, "m", "best", &a));
	assert_true(a.version == 1 && a.generation == 1 && !a.has_previous);
	ok(&w, alias_set(w.cx, "m", "best", "2"));
	ok(&w, alias_get(w.cx, "m", "best", &a));
	assert_true(a.version == 2 && a.generation == 2 && a.has_previous && a.previous_version == 1);
	ok(&w, alias_delete(w.cx, "m", "best"));
	refused(&w, alias_get(w.cx, "m", "best", &a), NOT_FOUND, "Registered model alias best not found.");
	ok(&w, alias_set(w.cx, "m", "best", "1")); /* the generation goes on */
	ok(&w, alias_get(w.cx, "m", "best", &a));
	assert_true(a.version == 1 && a.generation == 4 && !a.has_previous);
	ok(&w, alias_history(w.cx, "m", "best", &history, &n));
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(history[i].generation, 4 - (int64_t)i);
	assert_false(history[1].has_version);
	assert_int_equal(history[2].version, 2);
	world_stop(&w);
}

/* Of model@best; 0: nothing there. */
static int64_t
generation_of(struct world *w, const char *model)
{
	struct alias a;

	return alias_get(w->cx, model, "best", &a) == OK ? a.generation : 0;
}

static void
the_generations_of_an_alias_never_go_back_under_a_name(void **state)
{
	struct world w = world_start(state);
	struct model m;
	struct alias a;

	new_model(&w, "m");
	new_version(&w, "m");
	new_version(&w, "m");
	ok(&w, alias_set(w.cx, "m", "best", "1"));
	ok(&w, alias_set(w.cx, "m", "best", "2"));
	ok(&w, model_delete(w.cx, "m"));
	new_model(&w, "m");
	new_version(&w, "m");
	ok(&w, alias_set(w.cx, "m", "best", "1"));
	assert_int_equal(generation_of(&w, "m"), 3);
	ok(&w, model_rename(w.cx, "m", "n", &m)); /* nobody was n before */
	assert_int_equal(generation_of(&w, "n"), 3);
	new_model(&w, "m");
	new_version(&w, "m");
	ok(&w, alias_set(w.cx, "m", "best", "1"));
	assert_int_equal(generation_of(&w, "m"), 4);
	new_model(&w, "o");
	new_version(&w, "o");
	new_version(&w, "o");
	ok(&w, alias_set(w.cx, "o", "best", "1"));
	ok(&w, alias_set(w.cx, "o", "best", "2"));
	ok(&w, model_delete(w.cx, "n"));
	ok(&w, model_rename(w.cx, "o", "n", &m));
	ok(&w, alias_get(w.cx, "n", "best", &a));
	assert_true(a.generation == 4 && a.version == 2 && a.has_previous && a.previous_version == 1);
	world_stop(&w);
}

static void
an_alias_needs_a_version_that_is_there(void **state)
{
	struct world w = world_start(state);

	new_model(&w, "m");
	new_version(&w, "m");
	refused(&w, alias_set(w.cx, "m", "best", "2"), NOT_FOUND, "version=2");
	refused(&w, alias_set(w.cx, "m", "latest", "1"), INVALID, "reserved");
	refused(&w, alias_set(w.cx, "m", "v1", "1"), INVALID, "reserved");
	ok(&w, version_delete(w.cx, "m", "1"));
	refused(&w, alias_set(w.cx, "m", "best", "1"), NOT_FOUND, "version=1");
	world_stop(&w);
}

static void
what_others_want_to_hear_is_written_with_the_change(void **state)
{
	struct world w = world_start(state);
	struct key_value tag = { "k", "v" };

	new_model(&w, "m");
	new_version(&w, "m");
	ok(&w, version_tag_set(w.cx, "m", "1", &tag));
	ok(&w, version_tag_delete(w.cx, "m", "1", "k"));
	ok(&w, alias_set(w.cx, "m", "a", "1"));
	ok(&w, alias_delete(w.cx, "m", "a"));
	ok(&w, alias_delete(w.cx, "m", "a"));
	assert_string_equal(pg_sql(w.t, "SELECT string_agg(entity || ' ' || action, ', ' ORDER BY event_id) "
					"FROM cairn.outbox"),
		"REGISTERED_MODEL CREATED, MODEL_VERSION CREATED, MODEL_VERSION_TAG SET, MODEL_VERSION_TAG "
		"DELETED, "
		"MODEL_VERSION_ALIAS CREATED, MODEL_VERSION_ALIAS DELETED");
	world_stop(&w);
}

/* ---- manifests ---- */

static void
a_manifest_is_the_same_bytes_for_the_same_files(void **state)
{
	struct world w = world_start(state);
	const char *uuid = new_run(&w, 0), *root = arena_printf(w.cx->arena, "0/%s/artifacts", uuid);
	struct version_create in = { .name = "m", .run_id = uuid };
	struct manifest m;
	struct version v;
	uint8_t digest[32];
	char hex[65];

	new_model(&w, "m");
	put(&w, arena_printf(w.cx->arena, "%s/model/b", root), "bb");
	put(&w, arena_printf(w.cx->arena, "%s/model/a/x", root), "x");
	put(&w, arena_printf(w.cx->arena, "%s/other", root), "o");
	in.source = arena_printf(w.cx->arena, "runs:/%s/model", uuid);
	ok(&w, version_create(w.cx, &in, &v));
	ok(&w, version_manifest(w.cx, &v, &m));
	assert_int_equal(m.file_count, 2);
	assert_int_equal(m.size_bytes, 3);
	assert_string_equal(m.json,
		"{\"files\":[{\"path\":\"a/"
		"x\",\"sha256\":\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\","
		"\"size\":1},{\"path\":\"b\",\"sha256\":"
		"\"3b64db95cb55c763391c707108489ae18b4112d783300de38e033b4c98c3deaf\","
		"\"size\":2}],\"model\":\"m\",\"schema\":\"cairn.manifest/1\",\"version\":1}");
	assert_int_equal(m.len, strlen(m.json));
	sha256_of(m.json, m.len, digest);
	hex_encode(hex, digest, 32);
	assert_string_equal(m.digest, arena_printf(w.cx->arena, "sha256:%s", hex));
	world_stop(&w);
}

/* ---- at once ---- */

struct twins {
	const char *model, *logged;
};

static void *
make_versions(void *arg)
{
	struct worker *k = arg;
	const struct twins *t = k->arg;
	struct version_create in = { .name = t->model, .source = "s3://bucket/x" };
	struct version v;

	if (t->logged != NULL) {
		in.source = arena_printf(k->cx.arena, "models:/%s", t->logged);
		in.model_id = t->logged;
	}
	for (int i = 0; i < 10 && k->st == OK; i++)
		if ((k->st = version_create(&k->cx, &in, &v)) != OK)
			print_error("%s\n", k->cx.message);
	return NULL;
}

static void
versions_made_at_once_have_numbers_of_their_own(void **state)
{
	struct world w = world_start(state);
	struct twins t = { "m", NULL };
	struct worker k[3] = { 0 };

	new_model(&w, "m");
	for (size_t i = 0; i < 3; i++)
		worker_start(&k[i], &w, make_versions, &t);
	for (size_t i = 0; i < 3; i++)
		worker_end(&k[i]);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(k[i].st, OK);
	assert_int_equal(world_number(&w, "SELECT max(version) FROM cairn.model_version"), 30);
	world_stop(&w);
}

static void
versions_made_at_once_from_one_logged_model_are_all_noted_on_it(void **state)
{
	struct world w = world_start(state);
	struct logged_model m;
	struct twins t[3];
	struct worker k[3] = { 0 };
	const struct json *list;
	const char *noted = NULL;

	ok(&w, logged_model_create(
		       w.cx, &(struct logged_model_create){ .experiment_id = "0", .name = "x" }, &m));
	for (size_t i = 0; i < 3; i++) {
		t[i] = (struct twins){ arena_printf(w.cx->arena, "model %zu", i), m.uuid };
		new_model(&w, t[i].model);
	}
	for (size_t i = 0; i < 3; i++)
		worker_start(&k[i], &w, make_versions, &t[i]);
	for (size_t i = 0; i < 3; i++)
		worker_end(&k[i]);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(k[i].st, OK);
	ok(&w, logged_model_get(w.cx, m.uuid, false, &m));
	assert_int_equal(m.registered_count, 30);
	for (size_t i = 0; i < m.tag_count; i++)
		if (str_eq(m.tags[i].key, "mlflow.modelVersions"))
			noted = m.tags[i].value;
	assert_non_null(noted);
	ok(&w, json_parse(w.cx, noted, strlen(noted), &list));
	assert_int_equal(json_length(list), 30);
	world_stop(&w);
}

static void *
move_alias(void *arg)
{
	struct worker *k = arg;

	for (int i = 0; i < 20 && k->st == OK; i++)
		k->st = alias_set(&k->cx, "m", "best", k->arg);
	return NULL;
}

static void
an_alias_moved_by_many_counts_every_move_once(void **state)
{
	struct world w = world_start(state);
	char one[] = "1", two[] = "2";
	struct worker k[2] = { 0 };

	new_model(&w, "m");
	new_version(&w, "m");
	new_version(&w, "m");
	worker_start(&k[0], &w, move_alias, one);
	worker_start(&k[1], &w, move_alias, two);
	for (size_t i = 0; i < 2; i++)
		worker_end(&k[i]);
	assert_int_equal(k[0].st + k[1].st, OK);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.alias_history"),
		world_number(&w, "SELECT generation FROM cairn.alias"));
	assert_int_equal(
		world_number(&w, "SELECT count(*) FROM cairn.alias_history h JOIN cairn.alias_history p "
				 "ON p.generation = h.generation - 1 WHERE h.previous_version IS DISTINCT "
				 "FROM p.version"),
		0);
	world_stop(&w);
}

world_main(pg_test(a_model_is_made_once), pg_test(an_unknown_model_is_not_found),
	pg_test(renaming_takes_versions_and_aliases_along), pg_test(deleting_a_model_takes_everything_along),
	pg_test(tags_of_models_and_versions_may_be_deleted_twice), pg_test(a_number_is_never_given_twice),
	pg_test(a_deleted_version_forgets_its_source_and_loses_its_aliases),
	pg_test(stages_are_canonical_and_the_others_are_archived),
	pg_test(a_description_is_changed_and_cleared), pg_test(a_source_lies_inside_what_it_names),
	pg_test(an_alias_that_moves_leaves_a_row_of_history),
	pg_test(the_generations_of_an_alias_never_go_back_under_a_name),
	pg_test(an_alias_needs_a_version_that_is_there),
	pg_test(what_others_want_to_hear_is_written_with_the_change),
	pg_test(a_manifest_is_the_same_bytes_for_the_same_files),
	pg_test(versions_made_at_once_have_numbers_of_their_own),
	pg_test(versions_made_at_once_from_one_logged_model_are_all_noted_on_it),
	pg_test(an_alias_moved_by_many_counts_every_move_once))
