#include "domain/world.h"

/* ---- helpers ---- */

struct text_source {
	const char *text;
	size_t len, at, piece; /* piece: most bytes at a time */
	enum status end;       /* what it returns when the text is over */
};

static enum status
read_text(void *arg, void *out, size_t size, size_t *got)
{
	struct text_source *s = arg;
	size_t n = s->len - s->at;

	*got = 0;
	if (n == 0)
		return s->end;
	if (n > s->piece)
		n = s->piece;
	if (n > size)
		n = size;
	memcpy(out, s->text + s->at, n);
	s->at += n;
	*got = n;
	return OK;
}

static enum status
put(struct ctx *cx, const char *path, const char *text)
{
	struct text_source s = { text, strlen(text), 0, 5, OK };

	return artifact_put(cx, path, read_text, &s);
}

struct text_sink {
	int begun;
	int64_t promised;
	char text[1000];
	size_t len;
};

static enum status
sink_begin(void *arg, int64_t length)
{
	struct text_sink *s = arg;

	s->begun++;
	s->promised = length;
	return OK;
}

static enum status
sink_take(void *arg, const void *data, size_t len)
{
	struct text_sink *s = arg;

	assert_true(s->len + len < sizeof(s->text));
	memcpy(s->text + s->len, data, len);
	s->len += len;
	s->text[s->len] = '\0';
	return OK;
}

static const char *
text_at(struct world *w, const char *path)
{
	struct text_sink s = { 0 };
	struct artifact a;

	ok(w, artifact_get(w->cx, path, &a));
	ok(w, artifact_read(w->cx, &a, 0, a.size_bytes, sink_begin, sink_take, &s));
	assert_int_equal(s.begun, 1);
	assert_true(s.promised == a.size_bytes);
	return arena_str(w->cx->arena, s.text);
}

/* The listing of a folder as "name:size name/ …". */
static const char *
listing(struct world *w, const char *folder)
{
	struct artifact *files;
	size_t n;
	char *out = arena_alloc(w->cx->arena, 1000);

	ok(w, artifact_list(w->cx, folder, &files, &n));
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(out);

		if (files[i].is_dir)
			(void)snprintf(out + at, 1000 - at, "%s/ ", files[i].path);
		else
			(void)snprintf(out + at, 1000 - at, "%s:%lld ", files[i].path,
				(long long)files[i].size_bytes);
	}
	return out;
}

static size_t
sweep(struct world *w)
{
	size_t n;

	ok(w, artifact_sweep(w->cx, &n));
	return n;
}

/* ---- tests ---- */

static void
a_file_comes_back_as_it_was_written(void **state)
{
	struct world w = world_start(state);
	struct artifact a;
	uint8_t digest[32];

	ok(&w, put(w.cx, "1/r/artifacts/model/MLmodel", "flavors: none\n"));
	ok(&w, artifact_get(w.cx, "1/r/artifacts/model/MLmodel", &a));
	assert_string_equal(a.path, "1/r/artifacts/model/MLmodel");
	assert_false(a.is_dir);
	assert_int_equal(a.size_bytes, 14);
	sha256_of("flavors: none\n", 14, digest);
	assert_memory_equal(a.sha256, digest, 32);
	assert_string_equal(text_at(&w, "1/r/artifacts/model/MLmodel"), "flavors: none\n");
	assert_int_equal(world_objects(&w), 1);
	world_stop(&w);
}

static void
an_empty_file_is_a_file(void **state)
{
	struct world w = world_start(state);

	ok(&w, put(w.cx, "1/empty", ""));
	assert_string_equal(text_at(&w, "1/empty"), "");
	assert_string_equal(listing(&w, "1"), "1/empty:0 ");
	world_stop(&w);
}

static void
a_range_of_a_file_is_read(void **state)
{
	struct world w = world_start(state);
	struct text_sink s = { 0 };
	struct artifact a;

	ok(&w, put(w.cx, "1/f", "0123456789"));
	ok(&w, artifact_get(w.cx, "1/f", &a));
	ok(&w, artifact_read(w.cx, &a, 3, 4, sink_begin, sink_take, &s));
	assert_string_equal(s.text, "3456");
	assert_true(s.promised == 4);
	world_stop(&w);
}

static void
a_missing_file_and_a_folder_are_told_apart(void **state)
{
	struct world w = world_start(state);
	struct artifact a;

	ok(&w, put(w.cx, "1/m/a", "x"));
	refused(&w, artifact_get(w.cx, "1/m", &a), INVALID, "is a folder");
	refused(&w, artifact_get(w.cx, "1/m/b", &a), NOT_FOUND, "No such artifact: '1/m/b'");
	refused(&w, artifact_get(w.cx, "1/m/a/b", &a), NOT_FOUND, "No such artifact");
	refused(&w, artifact_get(w.cx, "1/", &a), NOT_FOUND, "");
	world_stop(&w);
}

static void
a_listing_shows_one_level(void **state)
{
	struct world w = world_start(state);

	ok(&w, put(w.cx, "1/r/b.txt", "bb"));
	ok(&w, put(w.cx, "1/r/a/deep/x", "x"));
	ok(&w, put(w.cx, "1/r/a/y", "yyy"));
	ok(&w, put(w.cx, "1/r/a.txt", "a"));
	ok(&w, put(w.cx, "1/r2/other", "o"));
	ok(&w, put(w.cx, "1/r!", "!"));
	ok(&w, put(w.cx, "1/r/\xc3\xa9/\xe4\xb8\xad", "u"));
	assert_string_equal(listing(&w, "1/r"), "1/r/a/ 1/r/a.txt:1 1/r/b.txt:2 1/r/\xc3\xa9/ ");
	assert_string_equal(listing(&w, "1/r/a"), "1/r/a/deep/ 1/r/a/y:3 ");
	assert_string_equal(listing(&w, "1"), "1/r/ 1/r!:1 1/r2/ ");
	assert_string_equal(listing(&w, ""), "1/ ");
	assert_string_equal(listing(&w, "1/r/b.txt"), "");
	assert_string_equal(listing(&w, "nothing"), "");
	world_stop(&w);
}

static void
a_tree_holds_every_file_in_the_order_of_bytes(void **state)
{
	struct world w = world_start(state);
	static const char *const want[] = { "1/r/a!", "1/r/a/b", "1/r/a0", "1/r/B" };
	struct artifact *files;
	size_t n;

	ok(&w, put(w.cx, "1/r/a/b", "x"));
	ok(&w, put(w.cx, "1/r/a0", "x"));
	ok(&w, put(w.cx, "1/r/a!", "x"));
	ok(&w, put(w.cx, "1/r/B", "x"));
	ok(&w, put(w.cx, "1/rx", "x"));
	ok(&w, artifact_tree(w.cx, "1/r", &files, &n));
	assert_int_equal(n, 4);
	assert_string_equal(files[0].path, want[3]);
	for (size_t i = 1; i < n; i++)
		assert_string_equal(files[i].path, want[i - 1]);
	world_stop(&w);
}

static void
a_file_is_found_by_its_digest_in_its_folder_alone(void **state)
{
	struct world w = world_start(state);
	struct artifact a;
	uint8_t digest[32];

	ok(&w, put(w.cx, "1/r/one", "same"));
	ok(&w, put(w.cx, "2/r/two", "other"));
	sha256_of("same", 4, digest);
	ok(&w, artifact_by_digest(w.cx, "1/r", digest, &a));
	assert_string_equal(a.path, "1/r/one");
	assert_int_equal(artifact_by_digest(w.cx, "2/r", digest, &a), NOT_FOUND);
	world_stop(&w);
}

static void
a_path_is_a_file_or_a_folder_and_not_both(void **state)
{
	struct world w = world_start(state);

	ok(&w, put(w.cx, "1/a/b/c", "x"));
	refused(&w, put(w.cx, "1/a/b", "y"), INVALID, "\"1/a/b/c\" is there");
	refused(&w, put(w.cx, "1/a", "y"), INVALID, "a file or a folder");
	refused(&w, put(w.cx, "1/a/b/c/d", "y"), INVALID, "\"1/a/b/c\" is there");
	refused(&w, put(w.cx, "1/a/b/c/d/e/f", "y"), INVALID, "\"1/a/b/c\" is there");
	ok(&w, put(w.cx, "1/a/b!", "y"));
	ok(&w, put(w.cx, "1/a/b0", "y"));
	assert_int_equal(world_objects(&w), 3); /* the refused ones left nothing */
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.blob"), 3);
	world_stop(&w);
}

static void
an_upload_whose_source_fails_leaves_nothing(void **state)
{
	struct world w = world_start(state);
	struct text_source s = { "half of it", 10, 0, 4, BAD_REQUEST };
	struct artifact a;

	ok(&w, put(w.cx, "1/f", "before"));
	assert_int_equal(artifact_put(w.cx, "1/f", read_text, &s), BAD_REQUEST);
	s.at = 0;
	assert_int_equal(artifact_put(w.cx, "1/g", read_text, &s), BAD_REQUEST);
	assert_string_equal(text_at(&w, "1/f"), "before");
	assert_int_equal(artifact_get(w.cx, "1/g", &a), NOT_FOUND);
	assert_int_equal(world_objects(&w), 1);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.blob"), 1);
	world_stop(&w);
}

static void
overwriting_lets_the_old_object_go(void **state)
{
	struct world w = world_start(state);

	ok(&w, put(w.cx, "1/f", "old"));
	ok(&w, put(w.cx, "1/f", "newer"));
	assert_string_equal(text_at(&w, "1/f"), "newer");
	assert_int_equal(world_objects(&w), 2);
	assert_int_equal(sweep(&w), 1);
	assert_int_equal(world_objects(&w), 1);
	assert_string_equal(text_at(&w, "1/f"), "newer");
	assert_int_equal(sweep(&w), 0);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.blob"), 1);
	world_stop(&w);
}

static void
deleting_takes_the_objects_too(void **state)
{
	struct world w = world_start(state);

	ok(&w, put(w.cx, "1/a/x", "x"));
	ok(&w, put(w.cx, "1/a/y/z", "z"));
	ok(&w, put(w.cx, "1/ab", "stays"));
	ok(&w, put(w.cx, "1/a!", "stays"));
	ok(&w, artifact_delete(w.cx, "1/a"));
	assert_string_equal(listing(&w, "1"), "1/a!:5 1/ab:5 ");
	assert_int_equal(world_objects(&w), 2);
	ok(&w, artifact_delete(w.cx, "1/ab"));
	ok(&w, artifact_delete(w.cx, "1/ab"));
	ok(&w, artifact_delete(w.cx, "never/was"));
	assert_string_equal(listing(&w, ""), "1/ ");
	assert_int_equal(world_objects(&w), 1);
	ok(&w, put(w.cx, "1/ab/now/a/folder", "f"));
	world_stop(&w);
}

static void
an_upload_that_never_ended_is_swept_after_a_day(void **state)
{
	struct world w = world_start(state);

	pg_sql(w.t,
		"INSERT INTO cairn.blob (key, state, created_unix_ms) SELECT 'objects/aa/old' || i, 1, "
		"(extract(epoch FROM now()) * 1000)::bigint - 86400000 - 60000 FROM generate_series(1, 3) i");
	pg_sql(w.t, "INSERT INTO cairn.blob (key, state, created_unix_ms) VALUES ('objects/aa/new', 1, "
		    "(extract(epoch FROM now()) * 1000)::bigint - 86400000 + 60000)");
	assert_int_equal(sweep(&w), 3);
	assert_string_equal(pg_sql(w.t, "SELECT string_agg(key, ' ') FROM cairn.blob"), "objects/aa/new");
	world_stop(&w);
}

struct late {
	struct world *w;
	int calls;
};

/* A day passes, and a sweep, while the upload is under way. */
static enum status
slow_source(void *arg, void *out, size_t size, size_t *got)
{
	struct late *l = arg;

	(void)size;
	*got = 0;
	if (l->calls++ > 0)
		return OK;
	memcpy(out, "late", 4);
	*got = 4;
	pg_sql(l->w->t, "UPDATE cairn.blob SET created_unix_ms = created_unix_ms - 90000000 WHERE state = 1");
	assert_int_equal(sweep(l->w), 1);
	return OK;
}

static void
an_upload_that_was_swept_does_not_become_a_file(void **state)
{
	struct world w = world_start(state);
	struct late l = { &w, 0 };
	struct artifact a;
	size_t n;

	refused(&w, artifact_put(w.cx, "1/late", slow_source, &l), UNAVAILABLE, "send it again");
	assert_int_equal(artifact_get(w.cx, "1/late", &a), NOT_FOUND);
	ok(&w, artifact_sweep(w.cx, &n));
	world_stop(&w);
}

static void
one_object_that_cannot_be_deleted_does_not_hold_up_the_others(void **state)
{
	struct world w = world_start(state);
	char path[200];
	size_t n;

	/* a folder where the object should be: unlink fails */
	pg_sql(w.t, "INSERT INTO cairn.blob (key, state, created_unix_ms) VALUES ('objects/zz/stuck', 3, 1)");
	(void)snprintf(path, sizeof(path), "%s/objects/zz", w.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/objects/zz/stuck", w.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	ok(&w, put(w.cx, "1/a", "x"));
	ok(&w, put(w.cx, "1/b", "x"));
	ok(&w, artifact_delete(w.cx, "1/a")); /* done, whatever becomes of the objects */
	ok(&w, artifact_delete(w.cx, "1/b"));
	assert_int_equal(world_objects(&w), 0);
	assert_int_equal(artifact_sweep(w.cx, &n), UNAVAILABLE);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.blob"), 1);
	world_stop(&w);
}

static void
a_path_knows_its_experiment(void **state)
{
	struct world w = world_start(state);
	int64_t id = new_experiment(&w, "e");

	ok(&w, put(w.cx, arena_printf(w.cx->arena, "%lld/r/f", (long long)id), "x"));
	assert_int_equal(world_number(&w, "SELECT experiment_id FROM cairn.artifact"), id);
	ok(&w, put(w.cx, "0/r/f", "x"));
	ok(&w, put(w.cx, "00/r/f", "x"));
	ok(&w, put(w.cx, "999999/r/f", "x"));
	ok(&w, put(w.cx, "99999999999999999999999999/f", "x"));
	ok(&w, put(w.cx, "models/f", "x"));
	assert_int_equal(
		world_number(&w, "SELECT count(*) FROM cairn.artifact WHERE experiment_id IS NULL"), 4);
	world_stop(&w);
}

/* ---- at once ---- */

/* A source that holds everybody back until all are there. */
struct together {
	pthread_barrier_t *barrier;
	bool given;
};

static enum status
together_source(void *arg, void *out, size_t size, size_t *got)
{
	struct together *s = arg;

	(void)size;
	*got = 0;
	if (s->given) {
		pthread_barrier_wait(s->barrier);
		return OK;
	}
	s->given = true;
	memcpy(out, "x", 1);
	*got = 1;
	return OK;
}

struct upload {
	const char *path;
	pthread_barrier_t *barrier;
};

static void *
upload(void *arg)
{
	struct worker *k = arg;
	const struct upload *u = k->arg;
	struct together s = { u->barrier, false };

	k->st = artifact_put(&k->cx, u->path, together_source, &s);
	return NULL;
}

static void
a_file_and_a_folder_of_one_name_written_at_once_do_not_both_succeed(void **state)
{
	struct world w = world_start(state);

	for (int round = 0; round < 25; round++) {
		const char *a = arena_printf(w.cx->arena, "1/x%d/a", round);
		pthread_barrier_t barrier;
		struct upload u[3] = { { a, &barrier }, { arena_printf(w.cx->arena, "%s/b", a), &barrier },
			{ arena_printf(w.cx->arena, "%s/b/c", a), &barrier } };
		struct worker k[3];
		int good = 0;

		pthread_barrier_init(&barrier, NULL, 3);
		for (size_t i = 0; i < 3; i++)
			worker_start(&k[i], &w, upload, &u[i]);
		for (size_t i = 0; i < 3; i++) {
			worker_end(&k[i]);
			assert_true(k[i].st == OK || k[i].st == INVALID);
			good += k[i].st == OK;
		}
		assert_int_equal(good, 1);
		pthread_barrier_destroy(&barrier);
	}
	assert_int_equal(world_objects(&w), 25);
	world_stop(&w);
}

static void
of_files_written_to_one_path_at_once_one_object_stays(void **state)
{
	struct world w = world_start(state);
	pthread_barrier_t barrier;
	struct upload u = { "1/same/path", &barrier };
	struct worker k[4];

	pthread_barrier_init(&barrier, NULL, 4);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < 4; i++)
			worker_start(&k[i], &w, upload, &u);
		for (size_t i = 0; i < 4; i++) {
			worker_end(&k[i]);
			assert_int_equal(k[i].st, OK);
		}
		if (round % 2 == 0)
			ok(&w, artifact_delete(w.cx, "1/same/path")); /* the next round begins with nothing */
	}
	pthread_barrier_destroy(&barrier);
	sweep(&w);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.blob"), 1);
	assert_int_equal(world_objects(&w), 1);
	world_stop(&w);
}

world_main(pg_test(a_file_comes_back_as_it_was_written), pg_test(an_empty_file_is_a_file),
	pg_test(a_range_of_a_file_is_read), pg_test(a_missing_file_and_a_folder_are_told_apart),
	pg_test(a_listing_shows_one_level), pg_test(a_tree_holds_every_file_in_the_order_of_bytes),
	pg_test(a_file_is_found_by_its_digest_in_its_folder_alone),
	pg_test(a_path_is_a_file_or_a_folder_and_not_both),
	pg_test(an_upload_whose_source_fails_leaves_nothing), pg_test(overwriting_lets_the_old_object_go),
	pg_test(deleting_takes_the_objects_too), pg_test(an_upload_that_never_ended_is_swept_after_a_day),
	pg_test(an_upload_that_was_swept_does_not_become_a_file),
	pg_test(one_object_that_cannot_be_deleted_does_not_hold_up_the_others),
	pg_test(a_path_knows_its_experiment),
	pg_test(a_file_and_a_folder_of_one_name_written_at_once_do_not_both_succeed),
	pg_test(of_files_written_to_one_path_at_once_one_object_stays))
