#include "base/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "blob/blob.h"

struct world {
	struct ctx *cx;
	struct blob_store *s;
	char folder[64], root[80];
};

static int
remove_entry(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char error[200];
	void *cx = NULL;

	assert_int_equal(unit_setup(&cx), 0);
	w->cx = cx;
	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/cairn-blob-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->root, sizeof(w->root), "%s/blobs", w->folder);
	w->s = blob_open(w->root, error, sizeof(error));
	assert_non_null(w->s);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	void *cx = w->cx;

	blob_close(w->s);
	(void)nftw(w->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	unit_teardown(&cx);
	free(w);
	return 0;
}

static size_t
files_in(const struct world *w, const char *name)
{
	char path[128];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", w->root, name);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static struct blob_sum
put(struct world *w, const char *key, const void *data, size_t len)
{
	struct blob_writer *writer = NULL;
	struct blob_sum sum;

	assert_int_equal(blob_write_begin(w->s, w->cx, key, &writer), OK);
	assert_int_equal(blob_write(writer, w->cx, data, len), OK);
	assert_int_equal(blob_write_end(&writer, w->cx, &sum), OK);
	assert_null(writer);
	return sum;
}

/* What a read of [from, from + length) gives, as text. */
static const char *
get(struct world *w, const char *key, int64_t from, int64_t length)
{
	struct blob_reader *r = NULL;
	char *out = arena_alloc(w->cx->arena, 100);
	size_t at = 0, got;

	assert_int_equal(blob_read_begin(w->s, w->cx, key, from, length, &r), OK);
	do {
		assert_int_equal(blob_read(r, w->cx, out + at, 3, &got), OK);
		at += got;
	} while (got > 0);
	blob_read_end(&r);
	assert_null(r);
	return out;
}

static void
an_object_is_there_after_its_end(void **state)
{
	struct world *w = *state;
	char key[BLOB_KEY_SIZE];
	uint8_t digest[SHA256_BYTES];
	struct blob_sum sum;

	blob_key(key);
	sum = put(w, key, "hello, world", 12);
	sha256_of("hello, world", 12, digest);
	assert_int_equal(sum.size_bytes, 12);
	assert_memory_equal(sum.sha256, digest, SHA256_BYTES);
	assert_string_equal(get(w, key, 0, -1), "hello, world");
	assert_int_equal(files_in(w, "tmp"), 0);
}

static void
nothing_is_there_before_the_end(void **state)
{
	struct world *w = *state;
	struct blob_writer *writer = NULL;
	struct blob_reader *r = NULL;
	struct blob_sum sum;
	char key[BLOB_KEY_SIZE];

	blob_key(key);
	assert_int_equal(blob_write_begin(w->s, w->cx, key, &writer), OK);
	assert_int_equal(blob_write(writer, w->cx, "half", 4), OK);
	assert_int_equal(blob_read_begin(w->s, w->cx, key, 0, -1, &r), NOT_FOUND);
	assert_int_equal(blob_write_end(&writer, w->cx, &sum), OK);
	assert_string_equal(get(w, key, 0, -1), "half");
}

static void
an_aborted_object_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct blob_writer *writer = NULL;
	struct blob_reader *r = NULL;
	char key[BLOB_KEY_SIZE];

	blob_key(key);
	assert_int_equal(blob_write_begin(w->s, w->cx, key, &writer), OK);
	assert_int_equal(blob_write(writer, w->cx, "half", 4), OK);
	assert_int_equal(files_in(w, "tmp"), 1);
	blob_write_abort(&writer);
	assert_null(writer);
	blob_write_abort(&writer);
	assert_int_equal(files_in(w, "tmp"), 0);
	assert_int_equal(files_in(w, "objects"), 0);
	assert_int_equal(blob_read_begin(w->s, w->cx, key, 0, -1, &r), NOT_FOUND);
	blob_read_end(&r);
}

static void
an_object_may_be_empty(void **state)
{
	struct world *w = *state;
	struct blob_writer *writer = NULL;
	struct blob_sum sum;
	char key[BLOB_KEY_SIZE];

	blob_key(key);
	assert_int_equal(blob_write_begin(w->s, w->cx, key, &writer), OK);
	assert_int_equal(blob_write_end(&writer, w->cx, &sum), OK);
	assert_int_equal(sum.size_bytes, 0);
	assert_string_equal(get(w, key, 0, -1), "");
	assert_string_equal(get(w, key, 0, 0), "");
}

static void
a_range_gives_its_bytes_alone(void **state)
{
	struct world *w = *state;
	char key[BLOB_KEY_SIZE];

	blob_key(key);
	put(w, key, "0123456789", 10);
	assert_string_equal(get(w, key, 0, 4), "0123");
	assert_string_equal(get(w, key, 3, 4), "3456");
	assert_string_equal(get(w, key, 9, 1), "9");
	assert_string_equal(get(w, key, 7, -1), "789");
	assert_string_equal(get(w, key, 7, 100), "789");
	assert_string_equal(get(w, key, 5, 0), "");
	assert_string_equal(get(w, key, 10, -1), "");
	assert_string_equal(get(w, key, 1000, -1), "");
}

static void
a_large_object_comes_back_whole(void **state)
{
	struct world *w = *state;
	size_t len = 5 << 20, at = 0, got;
	char *data = arena_alloc(w->cx->arena, len), *piece = arena_alloc(w->cx->arena, 100000);
	struct blob_writer *writer = NULL;
	struct blob_reader *r = NULL;
	struct blob_sum sum;
	uint8_t digest[SHA256_BYTES];
	char key[BLOB_KEY_SIZE];

	random_bytes(data, len);
	sha256_of(data, len, digest);
	blob_key(key);
	assert_int_equal(blob_write_begin(w->s, w->cx, key, &writer), OK);
	for (size_t from = 0; from < len; from += 77777)
		assert_int_equal(
			blob_write(writer, w->cx, data + from, len - from < 77777 ? len - from : 77777), OK);
	assert_int_equal(blob_write_end(&writer, w->cx, &sum), OK);
	assert_memory_equal(sum.sha256, digest, SHA256_BYTES);
	assert_int_equal(blob_read_begin(w->s, w->cx, key, 0, -1, &r), OK);
	while (blob_read(r, w->cx, piece, 100000, &got) == OK && got > 0) {
		assert_memory_equal(piece, data + at, got);
		at += got;
	}
	assert_int_equal(at, len);
	blob_read_end(&r);
}

static void
a_deleted_object_is_gone_and_a_reader_of_it_reads_on(void **state)
{
	struct world *w = *state;
	struct blob_reader *r = NULL, *second = NULL;
	char key[BLOB_KEY_SIZE], out[16];
	size_t got;

	blob_key(key);
	put(w, key, "still here", 10);
	assert_int_equal(blob_read_begin(w->s, w->cx, key, 0, -1, &r), OK);
	assert_int_equal(blob_delete(w->s, w->cx, key), OK);
	assert_int_equal(blob_read(r, w->cx, out, sizeof(out), &got), OK);
	assert_int_equal(got, 10);
	blob_read_end(&r);
	assert_int_equal(blob_read_begin(w->s, w->cx, key, 0, -1, &second), NOT_FOUND);
	assert_int_equal(blob_delete(w->s, w->cx, key), OK);
}

static void
keys_never_repeat_and_hold_no_strange_characters(void **state)
{
	char a[BLOB_KEY_SIZE], b[BLOB_KEY_SIZE];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		blob_key(a);
		blob_key(b);
		assert_string_not_equal(a, b);
		assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz0123456789/_-"), strlen(a));
	}
}

static void
the_identity_is_kept_in_the_store(void **state)
{
	struct world *w = *state;
	char id[64], error[200];
	struct blob_store *again;

	assert_int_equal(blob_identity(w->s, w->cx, id), OK);
	assert_string_equal(id, "");
	assert_int_equal(blob_identify(w->s, w->cx, "0123456789abcdef0123456789abcdef"), OK);
	again = blob_open(w->root, error, sizeof(error));
	assert_non_null(again);
	assert_int_equal(blob_identity(again, w->cx, id), OK);
	assert_string_equal(id, "0123456789abcdef0123456789abcdef");
	blob_close(again);
}

static void
opening_clears_what_was_half_written_and_keeps_objects(void **state)
{
	struct world *w = *state;
	struct blob_writer *writer = NULL;
	struct blob_store *again;
	char key[BLOB_KEY_SIZE], other[BLOB_KEY_SIZE], error[200];

	blob_key(key);
	blob_key(other);
	put(w, key, "kept", 4);
	assert_int_equal(blob_write_begin(w->s, w->cx, other, &writer), OK);
	again = blob_open(w->root, error, sizeof(error));
	assert_non_null(again);
	assert_int_equal(files_in(w, "tmp"), 0);
	assert_string_equal(get(w, key, 0, -1), "kept");
	blob_write_abort(&writer);
	blob_close(again);
}

static void
a_folder_may_be_named_as_a_file_uri(void **state)
{
	struct world *w = *state;
	char uri[100], key[BLOB_KEY_SIZE], error[200];
	struct blob_store *same;

	blob_key(key);
	put(w, key, "x", 1);
	(void)snprintf(uri, sizeof(uri), "file://%s", w->root);
	same = blob_open(uri, error, sizeof(error));
	assert_non_null(same);
	blob_close(w->s);
	w->s = same;
	assert_string_equal(get(w, key, 0, -1), "x");
}

static void
a_place_that_cannot_be_used_says_why(void **state)
{
	struct world *w = *state;
	char error[300], path[160];
	int fd;

	assert_null(blob_open("s3://bucket/x", error, sizeof(error)));
	assert_non_null(strstr(error, "folder"));
	(void)snprintf(path, sizeof(path), "%s/no/such/parent", w->folder);
	assert_null(blob_open(path, error, sizeof(error)));
	assert_non_null(strstr(error, path));
	(void)snprintf(path, sizeof(path), "%s/file", w->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_null(blob_open(path, error, sizeof(error)));
	assert_non_null(strstr(error, "Not a directory"));
}

static void
objects_are_for_their_owner_alone(void **state)
{
	struct world *w = *state;
	char key[BLOB_KEY_SIZE], path[160];
	struct stat sb;

	blob_key(key);
	put(w, key, "x", 1);
	assert_int_equal(stat(w->root, &sb), 0);
	assert_int_equal(sb.st_mode & 077, 0);
	(void)snprintf(path, sizeof(path), "%s/%s", w->root, key);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 077, 0);
}

/* In a child, for root may write anywhere: it becomes nobody. 0: as wanted. */
static int
writes_fail(struct world *w)
{
	struct blob_writer *writer = NULL;
	char key[BLOB_KEY_SIZE];

	blob_key(key);
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 2;
	if (blob_write_begin(w->s, w->cx, key, &writer) != UNAVAILABLE || writer != NULL)
		return 3;
	return strlen(w->cx->message) > 10 ? 0 : 4;
}

static void
a_folder_that_cannot_be_written_is_unavailable(void **state)
{
	struct world *w = *state;
	char path[160];
	int code = -1;
	pid_t child;

	(void)snprintf(path, sizeof(path), "%s/tmp", w->root);
	assert_int_equal(chmod(path, 0500), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(writes_fail(w));
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(code, 0);
}

/* In a child with mounts of its own. 77: none can be made here. */
static int
fills_a_disk(struct world *w)
{
	static char data[64 * 1024];
	char path[160], key[BLOB_KEY_SIZE], error[200];
	struct blob_writer *writer = NULL;
	struct blob_store *s;
	struct blob_sum sum;
	enum status st = OK;

	(void)snprintf(path, sizeof(path), "%s/small", w->folder);
	if (mkdir(path, 0700) != 0 || unshare(CLONE_NEWNS) != 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("tmpfs", path, "tmpfs", 0, "size=512k") != 0)
		return 77;
	if ((s = blob_open(path, error, sizeof(error))) == NULL)
		return 2;
	blob_key(key);
	if (blob_write_begin(s, w->cx, key, &writer) != OK)
		return 3;
	for (int i = 0; st == OK && i < 20; i++)
		st = blob_write(writer, w->cx, data, sizeof(data));
	if (st != UNAVAILABLE || strstr(w->cx->message, "full") == NULL)
		return 4;
	blob_write_abort(&writer);
	blob_key(key); /* there is room again */
	if (blob_write_begin(s, w->cx, key, &writer) != OK ||
		blob_write(writer, w->cx, data, sizeof(data)) != OK ||
		blob_write_end(&writer, w->cx, &sum) != OK)
		return 5;
	blob_close(s);
	return 0;
}

static void
a_full_disk_is_unavailable_and_says_so(void **state)
{
	struct world *w = *state;
	int code = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(fills_a_disk(w));
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_true(WIFEXITED(code));
	if (WEXITSTATUS(code) == 77) {
		print_message("skipped: no tmpfs can be mounted here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(code), 0);
}

#define WRITERS 8
#define EACH    25

static void *
write_many(void *arg)
{
	struct world mine = *(struct world *)arg;
	struct ctx cx;
	char keys[EACH][BLOB_KEY_SIZE], text[32];

	ctx_init(&cx, arena_new(), &no_parts);
	mine.cx = &cx;
	for (int i = 0; i < EACH; i++) {
		blob_key(keys[i]);
		put(&mine, keys[i], text, (size_t)snprintf(text, sizeof(text), "%p %d", (void *)&mine, i));
	}
	for (int i = 0; i < EACH; i++) {
		(void)snprintf(text, sizeof(text), "%p %d", (void *)&mine, i);
		assert_string_equal(get(&mine, keys[i], 0, -1), text);
	}
	arena_free(cx.arena);
	return NULL;
}

static void
many_write_at_once(void **state)
{
	struct world *w = *state;
	pthread_t threads[WRITERS];

	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, w), 0);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(files_in(w, "tmp"), 0);
}

#define blob_case(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		blob_case(an_object_is_there_after_its_end),
		blob_case(nothing_is_there_before_the_end),
		blob_case(an_aborted_object_leaves_nothing),
		blob_case(an_object_may_be_empty),
		blob_case(a_range_gives_its_bytes_alone),
		blob_case(a_large_object_comes_back_whole),
		blob_case(a_deleted_object_is_gone_and_a_reader_of_it_reads_on),
		blob_case(keys_never_repeat_and_hold_no_strange_characters),
		blob_case(the_identity_is_kept_in_the_store),
		blob_case(opening_clears_what_was_half_written_and_keeps_objects),
		blob_case(a_folder_may_be_named_as_a_file_uri),
		blob_case(a_place_that_cannot_be_used_says_why),
		blob_case(objects_are_for_their_owner_alone),
		blob_case(a_folder_that_cannot_be_written_is_unavailable),
		blob_case(a_full_disk_is_unavailable_and_says_so),
		blob_case(many_write_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
