/* Our own PostgreSQL, with the real programs: made, started, killed, found, refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/log.h"
#include "postgres/postgres.h"

static char folder[256]; /* a fresh one for each test */
static char error[2048];

static void
pause_ms(long ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

static int
remove_any(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int
new_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/cairn-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	return chmod(folder, 0711); /* a user without rights may pass */
}

static int
remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_any, 16, FTW_DEPTH | FTW_PHYS);
}

static enum status
start_in(const char *where, struct postgres **p)
{
	error[0] = '\0';
	return postgres_start(
		&(struct postgres_options){ .folder = where, .connections = 10 }, p, error, sizeof(error));
}

static struct postgres *
started(const char *where)
{
	struct postgres *p = NULL;

	if (start_in(where, &p) != OK)
		fail_msg("%s", error);
	return p;
}

/* Does somebody take connections on the socket that conninfo names? */
static bool
answers(const char *conninfo)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char host[256];
	int fd, done;

	if (sscanf(conninfo, "host='%255[^']'", host) != 1)
		return false;
	if ((size_t)snprintf(to.sun_path, sizeof(to.sun_path), "%s/.s.PGSQL.5432", host) >=
		sizeof(to.sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	done = connect(fd, (const struct sockaddr *)&to, sizeof(to));
	close(fd);
	return done == 0;
}

static bool
gone_within(pid_t pid, int ms)
{
	for (int waited = 0; waited < ms; waited += 20) {
		char path[64], state = 'X';
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		f = fopen(path, "re");
		if (f == NULL)
			return true;
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 'X';
		(void)fclose(f);
		if (state == 'Z' || state == 'X')
			return true; /* nobody reaps in a bare container */
		pause_ms(20);
	}
	return false;
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static char *
inside(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
it_starts_stops_and_starts_again(void **state)
{
	struct postgres *p = started(folder);
	pid_t pid = postgres_pid(p);
	struct stat st;

	(void)state;
	assert_true(pid > 0);
	assert_true(postgres_version(p) >= 13);
	assert_true(answers(postgres_conninfo(p)));
	assert_int_equal(stat(inside("postgres"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(inside("run"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(st.st_uid != 0);
	postgres_stop(p, 5000);
	assert_true(gone_within(pid, 100));
	p = started(folder);
	assert_true(answers(postgres_conninfo(p)));
	postgres_stop(p, 5000);
}

static void
it_comes_back_when_it_is_killed(void **state)
{
	struct postgres *p = started(folder);

	(void)state;
	for (int round = 0; round < 2; round++) {
		pid_t before = postgres_pid(p);

		assert_int_equal(kill(before, SIGKILL), 0);
		for (int i = 0; i < 500 && (postgres_pid(p) == before || postgres_pid(p) == 0 ||
						   !answers(postgres_conninfo(p)));
			i++) {
			postgres_watch(p);
			pause_ms(20);
		}
		assert_int_not_equal(postgres_pid(p), before);
		assert_true(answers(postgres_conninfo(p)));
	}
	postgres_stop(p, 5000);
}

static void
it_ends_when_its_parent_is_killed_and_the_next_start_waits_for_it(void **state)
{
	int fd[2];
	pid_t parent, postmaster = 0;
	struct postgres *p;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	parent = fork();
	if (parent == 0) {
		pid_t pid;

		if (start_in(folder, &p) != OK)
			_exit(1);
		pid = postgres_pid(p);
		if (write(fd[1], &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
			_exit(1);
		for (;;)
			(void)pause();
	}
	close(fd[1]);
	assert_int_equal(read(fd[0], &postmaster, sizeof(postmaster)), sizeof(postmaster));
	close(fd[0]);
	assert_int_equal(kill(parent, SIGKILL), 0);
	(void)waitpid(parent, NULL, 0);
	p = started(folder); /* at once: the old one is still finishing */
	assert_true(gone_within(postmaster, 100));
	assert_int_not_equal(postgres_pid(p), postmaster);
	assert_true(answers(postgres_conninfo(p)));
	postgres_stop(p, 5000);
}

static void
a_deep_folder_gets_its_socket_elsewhere(void **state)
{
	char deep[512], conninfo[8300];
	struct postgres *p;
	size_t n = (size_t)snprintf(deep, sizeof(deep), "%s", folder);

	(void)state;
	while (n < 200) {
		n += (size_t)snprintf(deep + n, sizeof(deep) - n, "/a-rather-long-name");
		assert_int_equal(mkdir(deep, 0755), 0);
	}
	p = started(deep);
	assert_null(strstr(postgres_conninfo(p), "rather"));
	assert_true(answers(postgres_conninfo(p)));
	assert_int_equal(postgres_find(deep, conninfo, sizeof(conninfo)), OK);
	assert_string_equal(conninfo, postgres_conninfo(p));
	postgres_stop(p, 5000);
	assert_int_equal(postgres_find(deep, conninfo, sizeof(conninfo)), NOT_FOUND);
}

static void
a_folder_name_with_odd_characters_works(void **state)
{
	char odd[300], conninfo[8300];
	struct postgres *p;

	(void)state;
	(void)snprintf(odd, sizeof(odd), "%s/it's a \"test\" \\ ü, yes", folder);
	assert_int_equal(mkdir(odd, 0755), 0);
	p = started(odd);
	assert_int_equal(postgres_find(odd, conninfo, sizeof(conninfo)), OK);
	assert_string_equal(conninfo, postgres_conninfo(p));
	postgres_stop(p, 5000);
}

static void
a_folder_of_another_major_version_is_refused(void **state)
{
	struct postgres *p = NULL;

	(void)state;
	assert_int_equal(mkdir(inside("postgres"), 0700), 0);
	write_file(inside("postgres/PG_VERSION"), "9\n");
	assert_int_equal(start_in(folder, &p), UNAVAILABLE);
	assert_null(p);
	assert_non_null(strstr(error, "made by PostgreSQL 9, which is not installed"));
	assert_non_null(strstr(error, "postgresql-9"));
}

static void
a_folder_that_holds_something_else_is_refused(void **state)
{
	struct postgres *p = NULL;

	(void)state;
	assert_int_equal(mkdir(inside("postgres"), 0700), 0);
	write_file(inside("postgres/letter.txt"), "hello\n");
	assert_int_equal(start_in(folder, &p), UNAVAILABLE);
	assert_non_null(strstr(error, "no PostgreSQL database"));
	assert_int_equal(access(inside("postgres/letter.txt"), F_OK), 0);
}

static void
missing_programs_are_named(void **state)
{
	struct postgres *p = NULL;
	const struct postgres_options options = { .folder = folder, .connections = 10, .programs = folder };

	(void)state;
	assert_int_equal(postgres_start(&options, &p, error, sizeof(error)), UNAVAILABLE);
	assert_non_null(strstr(error, "install the package postgresql"));
}

static int asked;

static bool
cancelled_soon(void)
{
	return ++asked > 4;
}

static void
an_interrupted_initdb_leaves_nothing_half_made(void **state)
{
	struct postgres *p = NULL;
	const struct postgres_options options = {
		.folder = folder, .connections = 10, .cancelled = cancelled_soon
	};

	(void)state;
	asked = 0;
	assert_int_equal(postgres_start(&options, &p, error, sizeof(error)), TIMED_OUT);
	assert_int_not_equal(access(inside("postgres"), F_OK), 0);
	/* one whose cairnd was killed too */
	assert_int_equal(mkdir(inside("postgres.new-killed"), 0700), 0);
	assert_int_equal(chmod(inside("postgres.new-killed"), 0777), 0); /* as if its owner had made it */
	write_file(inside("postgres.new-killed/PG_VERSION"), "15\n");
	p = started(folder);
	assert_int_not_equal(access(inside("postgres.new-killed/PG_VERSION"), F_OK), 0);
	postgres_stop(p, 5000);
}

static void
a_failed_start_quotes_what_postgresql_said(void **state)
{
	struct postgres *p = started(folder);

	(void)state;
	postgres_stop(p, 5000);
	write_file(inside("postgres/postgresql.conf"), "no_such_setting = 1\n");
	assert_int_equal(start_in(folder, &p), UNAVAILABLE);
	assert_non_null(strstr(error, "postgresql.conf"));
	assert_non_null(strstr(error, "postgres.log"));
}

static void
a_folder_that_its_user_cannot_reach_is_refused(void **state)
{
	struct postgres *p = NULL;
	char below[300];

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root hands the work to somebody else */
	(void)snprintf(below, sizeof(below), "%s/data", folder);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(mkdir(below, 0700), 0);
	assert_int_equal(start_in(below, &p), UNAVAILABLE);
	assert_non_null(strstr(error, "chmod o+x"));
	assert_int_equal(chmod(folder, 0711), 0);
	p = started(below);
	postgres_stop(p, 5000);
}

static void
a_large_log_is_put_aside(void **state)
{
	struct postgres *p;
	struct stat st;

	(void)state;
	write_file(inside("postgres.log"), "");
	assert_int_equal(truncate(inside("postgres.log"), 2 * 1024 * 1024), 0);
	p = started(folder);
	assert_int_equal(stat(inside("postgres.log.1"), &st), 0);
	assert_int_equal(stat(inside("postgres.log"), &st), 0);
	assert_true(st.st_size < 1024 * 1024);
	postgres_stop(p, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_starts_stops_and_starts_again),
		TEST(it_comes_back_when_it_is_killed),
		TEST(it_ends_when_its_parent_is_killed_and_the_next_start_waits_for_it),
		TEST(a_deep_folder_gets_its_socket_elsewhere),
		TEST(a_folder_name_with_odd_characters_works),
		TEST(a_folder_of_another_major_version_is_refused),
		TEST(a_folder_that_holds_something_else_is_refused),
		TEST(missing_programs_are_named),
		TEST(an_interrupted_initdb_leaves_nothing_half_made),
		TEST(a_failed_start_quotes_what_postgresql_said),
		TEST(a_folder_that_its_user_cannot_reach_is_refused),
		TEST(a_large_log_is_put_aside),
	};

	if (!hash_setup())
		return 1;
	log_setup(LOG_LEVEL_INFO, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
