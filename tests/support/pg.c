#include "support/pg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libpq-fe.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/migrate.h"

#define TEMPLATE "cairn_template"

static struct {
	char directory[64];
	char bin[256];
	pid_t postmaster;
	uid_t uid;
	gid_t gid;
	unsigned databases;
	struct pg_test *failed;
} server;

/* the fixture itself does not work: no test can run */
static void
die(const char *what)
{
	(void)fprintf(stderr, "pg fixture: %s: %s\n", what, strerror(errno));
	exit(99);
}

const char *
pg_directory(void)
{
	return server.directory;
}

/* ---- the cluster ---- */

static void
find_programs(void)
{
	const char *wanted = getenv("PG_BINDIR");
	glob_t found;

	if (wanted != NULL) {
		(void)snprintf(server.bin, sizeof(server.bin), "%s", wanted);
		return;
	}
	if (glob("/usr/lib/postgresql/[0-9][0-9]/bin/postgres", 0, NULL, &found) != 0)
		die("no /usr/lib/postgresql/NN/bin/postgres (set PG_BINDIR)");
	(void)snprintf(server.bin, sizeof(server.bin), "%s", found.gl_pathv[found.gl_pathc - 1]);
	*strrchr(server.bin, '/') = '\0';
	globfree(&found);
}

static void
make_directory(void)
{
	const struct passwd *pw = NULL;

	(void)snprintf(server.directory, sizeof(server.directory), "/tmp/cairn-pg-XXXXXX");
	if (mkdtemp(server.directory) == NULL)
		die("mkdtemp");
	server.uid = getuid();
	server.gid = getgid();
	if (server.uid != 0)
		return;
	if ((pw = getpwnam("postgres")) == NULL && (pw = getpwnam("nobody")) == NULL)
		die("neither a user postgres nor nobody");
	server.uid = pw->pw_uid;
	server.gid = pw->pw_gid;
	if (chown(server.directory, server.uid, server.gid) != 0)
		die("chown");
}

/* In the child: the user that may run PostgreSQL, its output in the log, and an end when the test ends. */
static void
become_server(pid_t parent)
{
	char log[96];
	int fd;

	if (getuid() == 0 && (setgroups(0, NULL) != 0 || setgid(server.gid) != 0 || setuid(server.uid) != 0))
		_exit(98);
	(void)prctl(PR_SET_PDEATHSIG, SIGINT);
	if (getppid() != parent || chdir(server.directory) != 0)
		_exit(98);
	(void)snprintf(log, sizeof(log), "%s/log", server.directory);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(98);
}

static pid_t
start_program(const char *name, char *const argv[])
{
	char path[512];
	pid_t parent = getpid(), pid;

	(void)snprintf(path, sizeof(path), "%s/%s", server.bin, name);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		become_server(parent);
		(void)execv(path, argv);
		_exit(97);
	}
	return pid;
}

static char *
log_text(long from)
{
	char path[96];
	char *text = calloc(1, 1 << 20);
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/log", server.directory);
	f = fopen(path, "r");
	if (f == NULL)
		return text;
	if (fseek(f, from, SEEK_SET) == 0)
		(void)!fread(text, 1, (1 << 20) - 1, f);
	(void)fclose(f);
	return text;
}

static long
log_size(void)
{
	char path[96];
	struct stat sb;

	(void)snprintf(path, sizeof(path), "%s/log", server.directory);
	return stat(path, &sb) == 0 ? (long)sb.st_size : 0;
}

static void
print_log(long from)
{
	char *text = log_text(from);

	(void)fprintf(stderr, "---- PostgreSQL's log ----\n%s---- end of it ----\n", text);
	free(text);
}

static void
init_cluster(void)
{
	char *argv[] = { "initdb", "--pgdata=data", "--username=cairn", "--auth=trust", "--encoding=UTF8",
		"--locale=C", "--no-sync", "--no-instructions", NULL };
	int status = 0;

	if (waitpid(start_program("initdb", argv), &status, 0) < 0 || status != 0) {
		print_log(0);
		die("initdb failed");
	}
}

static PGconn *
connect_to(const char *database)
{
	char conninfo[256];

	(void)snprintf(conninfo, sizeof(conninfo), "host=%s user=cairn dbname=%s connect_timeout=5",
		server.directory, database);
	return PQconnectdb(conninfo);
}

static bool
accepts(void)
{
	PGconn *pg = connect_to("postgres");
	bool good = PQstatus(pg) == CONNECTION_OK;

	PQfinish(pg);
	return good;
}

void
pg_start_server(void)
{
	char *argv[] = { "postgres", "-D", "data", "-k", server.directory, "-c", "listen_addresses=", "-c",
		"fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB", "-c",
		"max_connections=40", "-c", "max_wal_size=64MB", "-c", "log_line_prefix=%m [%p] %d ", "-c",
		"lc_messages=C", NULL };
	int64_t until = clock_mono_ms() + 20000;

	server.postmaster = start_program("postgres", argv);
	while (!accepts()) {
		if (clock_mono_ms() > until || waitpid(server.postmaster, NULL, WNOHANG) != 0) {
			print_log(0);
			die("PostgreSQL does not start");
		}
		(void)usleep(20000);
	}
}

void
pg_stop_server(bool immediate)
{
	if (server.postmaster <= 0)
		return;
	(void)kill(server.postmaster, immediate ? SIGQUIT : SIGINT);
	(void)waitpid(server.postmaster, NULL, 0);
	server.postmaster = 0;
}

static int
remove_entry(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* ---- databases ---- */

static void
must(PGconn *pg, const char *sql)
{
	PGresult *res = PQexec(pg, sql);

	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK) {
		(void)fprintf(stderr, "%s: %s", sql, PQerrorMessage(pg));
		print_log(0);
		exit(99);
	}
	PQclear(res);
}

static void
admin(const char *sql)
{
	PGconn *pg = connect_to("postgres");

	must(pg, sql);
	PQfinish(pg);
}

static struct pool *
pool_on(const char *conninfo, unsigned size, int64_t acquire_timeout_ms, int64_t statement_timeout_ms)
{
	struct pool_options o = { .conninfo = conninfo,
		.size = size,
		.acquire_timeout_ms = acquire_timeout_ms,
		.statement_timeout_ms = statement_timeout_ms };

	return pool_new(&o);
}

static void
make_template(void)
{
	char conninfo[256];
	struct arena *arena = arena_new();
	struct parts parts = { 0 };
	struct ctx cx;
	int applied = 0;

	admin("CREATE DATABASE " TEMPLATE);
	(void)snprintf(conninfo, sizeof(conninfo), "host=%s user=cairn dbname=" TEMPLATE, server.directory);
	parts.pool = pool_on(conninfo, 2, 5000, 60000);
	ctx_init(&cx, arena, &parts);
	if (migrate_run(&cx, &applied) != OK) {
		(void)fprintf(stderr, "migrate_run: %s\n", cx.message);
		print_log(0);
		exit(99);
	}
	pool_free(parts.pool);
	arena_free(arena);
}

static void
tidy(void)
{
	pg_stop_server(true);
	if (server.directory[0] != '\0')
		(void)nftw(server.directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	server.directory[0] = '\0';
}

int
pg_group_setup(void **state)
{
	(void)state;
	(void)atexit(tidy);
	if (!hash_setup())
		die("libsodium");
	(void)signal(SIGPIPE, SIG_IGN);
	find_programs();
	make_directory();
	init_cluster();
	pg_start_server();
	make_template();
	return 0;
}

int
pg_group_teardown(void **state)
{
	(void)state;
	tidy();
	return 0;
}

/* ---- a test ---- */

struct pool *
pg_pool(struct pg_test *t, unsigned size, int64_t acquire_timeout_ms, int64_t statement_timeout_ms)
{
	return pool_on(t->conninfo, size, acquire_timeout_ms, statement_timeout_ms);
}

int
pg_setup(void **state)
{
	const struct pg_case *one = *state;
	struct pg_test *t = calloc(1, sizeof(*t));
	char sql[128];

	server.databases++;
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE t%u TEMPLATE %s", server.databases,
		one->empty ? "template0" : TEMPLATE);
	admin(sql);
	(void)snprintf(t->conninfo, sizeof(t->conninfo), "host=%s user=cairn dbname=t%u", server.directory,
		server.databases);
	t->run = one->run;
	t->log_start = log_size();
	t->arena = arena_new();
	t->pool = pg_pool(t, 4, 2000, 5000);
	t->parts.pool = t->pool;
	ctx_init(&t->cx, t->arena, &t->parts);
	*state = t;
	return 0;
}

void
pg_run(void **state)
{
	struct pg_test *t = *state;

	t->failed = true; /* a failing assertion jumps out of here */
	t->run(state);
	t->failed = false;
}

int
pg_teardown(void **state)
{
	struct pg_test *t = *state;

	if (server.postmaster == 0)
		pg_start_server();
	if (t->failed) {
		(void)fprintf(stderr, "last failure of the test's ctx: %s\n", t->cx.message);
		print_log(t->log_start);
		t->before = server.failed;
		server.failed = t;
		return 0;
	}
	pool_free(t->pool);
	arena_free(t->arena);
	free(t);
	return 0;
}

const char *
pg_sql(struct pg_test *t, const char *sql)
{
	PGconn *pg = PQconnectdb(t->conninfo);
	PGresult *res = PQexec(pg, sql);
	ExecStatusType got = PQresultStatus(res);
	const char *out = "";

	if (got != PGRES_COMMAND_OK && got != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	if (PQntuples(res) > 0)
		out = arena_str(t->arena, PQgetvalue(res, 0, 0));
	PQclear(res);
	PQfinish(pg);
	return out;
}
