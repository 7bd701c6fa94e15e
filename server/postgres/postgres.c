/* The life of the child: made, started, watched, stopped. Main thread only; nothing here is locked. */
#include "postgres/postgres.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "postgres/parts.h"

#define PREVIOUS_MS   60000 /* an earlier postmaster may write its last checkpoint */
#define STUCK_MS      10000 /* one that stops for so long is told to stop at once */
#define RETRY_MS      15000 /* backends of a killed postmaster still hold its memory */
#define READY_MS      1800000 /* recovery of a large log takes its time; the child's death ends the wait at once */
#define PATIENT_MS    5000 /* after this long, a line in the log */
#define BACKOFF_LEAST 100
#define BACKOFF_MOST  5000

struct postgres {
	char folder[PATH_MAX];
	char cluster[PATH_MAX]; /* DIR/postgres */
	char sockets[PATH_MAX]; /* the folder of the socket */
	char conninfo[2 * PATH_MAX + 64];
	struct owner owner;
	struct programs programs;
	struct logfile log;
	unsigned connections;
	bool (*cancelled)(void);
	pid_t pid; /* 0: does not run */
	bool ready;
	int64_t started_mono_ms;
	int64_t again_mono_ms; /* not before this */
	int64_t backoff_ms;
};

/*
 * For a small machine: memory is touched only when used, and no process is there without need. What is given on the
 * command line wins over postgresql.conf, where everything else may be set.
 */
static const char *const settings[] = {
	"listen_addresses=",
	"port=5432",
	"unix_socket_permissions=0700",
	"fsync=on",
	"full_page_writes=on",
	"synchronous_commit=on",
	"shared_buffers=64MB",
	"work_mem=4MB",
	"maintenance_work_mem=32MB",
	"temp_buffers=2MB",
	"wal_compression=on",
	"wal_buffers=4MB",
	"min_wal_size=48MB",
	"max_wal_size=512MB",
	"checkpoint_timeout=10min",
	"max_wal_senders=0",
	"max_logical_replication_workers=0",
	"max_worker_processes=2",
	"max_parallel_workers=0",
	"max_parallel_workers_per_gather=0",
	"max_parallel_maintenance_workers=0",
	"autovacuum_max_workers=2",
	"autovacuum_naptime=10s",
	"jit=off",
	"huge_pages=off",
	"logging_collector=off",
	"log_destination=stderr",
	"log_line_prefix=%m [%p] ",
	"log_timezone=UTC",
	"timezone=UTC",
	"log_checkpoints=off",
	"log_min_messages=warning",
	"log_min_error_statement=panic",
	"cluster_name=cairn",
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static enum status
make_paths(struct postgres *p, const struct postgres_options *options, const struct reason *why)
{
	if (!str_copy(p->folder, sizeof(p->folder), options->folder) ||
		snprintf(p->cluster, sizeof(p->cluster), "%s/postgres", options->folder) > PATH_MAX - 64)
		return refuse(why, "the path of the folder %s is too long", options->folder);
	p->connections = options->connections;
	p->cancelled = options->cancelled;
	p->log.fd = -1;
	return OK;
}

/* In a list of folders a name is quoted by doubling its quotes. */
static void
quote_folder(char *out, size_t size, const char *name, const char *folder)
{
	size_t n = (size_t)snprintf(out, size, "%s=\"", name);

	for (const char *c = folder; *c != '\0' && n + 4 < size; c++) {
		if (*c == '"')
			out[n++] = '"';
		out[n++] = *c;
	}
	out[n++] = '"';
	out[n] = '\0';
}

static enum status
launch(struct postgres *p, const struct reason *why)
{
	char sockets[PATH_MAX + 64], most[64], at[] = "-D", set[] = "-c";
	char *argv[2 * (SETTINGS + 2) + 4], *copies[SETTINGS];
	size_t n = 0;

	quote_folder(sockets, sizeof(sockets), "unix_socket_directories", p->sockets);
	(void)snprintf(most, sizeof(most), "max_connections=%u", p->connections);
	argv[n++] = p->programs.postgres; /* whole: it looks for its own files from there */
	argv[n++] = at;
	argv[n++] = p->cluster;
	for (size_t i = 0; i < SETTINGS; i++) {
		argv[n++] = set;
		argv[n++] = copies[i] = mem_str(settings[i]);
	}
	argv[n++] = set;
	argv[n++] = sockets;
	argv[n++] = set;
	argv[n++] = most;
	argv[n] = NULL;
	p->ready = false;
	p->started_mono_ms = clock_mono_ms();
	p->pid = spawn_child(&(struct spawn){ p->programs.postgres, argv, &p->owner, p->log.fd, SIGINT });
	for (size_t i = 0; i < SETTINGS; i++)
		free(copies[i]);
	if (p->pid > 0)
		return OK;
	p->pid = 0;
	return refuse(why, "PostgreSQL could not be started: %s", strerror(errno));
}

/* True: it has ended, and how. */
static bool
ended(struct postgres *p, int *status)
{
	pid_t got = waitpid(p->pid, status, WNOHANG);

	if (got == 0 || (got < 0 && errno == EINTR))
		return false;
	p->pid = 0;
	p->ready = false;
	return true;
}

static bool
look_ready(struct postgres *p)
{
	struct pidfile file;

	if (!p->ready)
		p->ready = pidfile_read(p->cluster, &file) && file.pid == p->pid && file.ready;
	return p->ready;
}

static void
kill_child(struct postgres *p, int64_t grace_ms)
{
	const struct {
		int signal;
		int64_t ms;
	} steps[] = { { SIGINT, grace_ms }, { SIGQUIT, 5000 }, { SIGKILL, 5000 } };
	int status;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && p->pid > 0; i++) {
		int64_t until = clock_mono_ms() + steps[i].ms;

		(void)kill(p->pid, steps[i].signal);
		while (!ended(p, &status) && clock_mono_ms() < until)
			nap(5);
	}
}

static enum status
cancel(struct postgres *p, const struct reason *why)
{
	kill_child(p, 3000);
	(void)refuse(why, "stopped while PostgreSQL was starting");
	return TIMED_OUT;
}

/*
 * A postmaster that is asked to stop while it recovers from the death of a backend waits for its checkpointer, which nobody told. To stop
 * at once helps, and costs no more than another recovery.
 */
static void
hurry_previous(const struct pidfile *file)
{
	log_warn("postgres_stuck",
		"pid=%d message=\"an earlier PostgreSQL does not finish: it is stopped at once\"",
		(int)file->pid);
	(void)kill(file->pid, SIGQUIT);
}

/* Our folder is locked, so what still runs on it is what an earlier cairnd left. */
static enum status
wait_previous(struct postgres *p, const struct reason *why)
{
	int64_t begin = clock_mono_ms();
	struct pidfile file;
	bool said = false, hurried = false;

	while (pidfile_read(p->cluster, &file) && pidfile_alive(p->cluster, file.pid)) {
		int64_t waited = clock_mono_ms() - begin;

		if (p->cancelled != NULL && p->cancelled())
			return cancel(p, why);
		if (waited > PREVIOUS_MS)
			return refuse(why, "another PostgreSQL (pid %d) runs on %s: stop it first",
				(int)file.pid, p->cluster);
		if (!said && waited > 500) {
			log_info("postgres_finishing",
				"pid=%d message=\"an earlier PostgreSQL is still finishing: waiting\"",
				(int)file.pid);
			said = true;
		}
		if (!hurried && file.stopping && waited > STUCK_MS) {
			hurry_previous(&file);
			hurried = true;
		}
		nap(20);
	}
	return OK;
}

/* OK when it takes connections, CONFLICT when it ended because an earlier one's processes are still there. */
static enum status
wait_ready(struct postgres *p, const struct reason *why)
{
	int64_t begin = clock_mono_ms(), speak = begin + PATIENT_MS;
	char how[64], said[1024];
	int status = 0;

	while (!look_ready(p)) {
		if (ended(p, &status)) {
			spawn_describe(status, how, sizeof(how));
			logfile_tail(&p->log, said, sizeof(said));
			(void)refuse(why, "PostgreSQL did not start, it %s: %s (more in %s)", how, said,
				p->log.path);
			return strstr(said, "pre-existing shared memory block") != NULL ? CONFLICT
											: UNAVAILABLE;
		}
		if (p->cancelled != NULL && p->cancelled())
			return cancel(p, why);
		if (clock_mono_ms() - begin > READY_MS) {
			kill_child(p, 3000);
			return refuse(why, "PostgreSQL took no connections within %d minutes (more in %s)",
				READY_MS / 60000, p->log.path);
		}
		if (clock_mono_ms() > speak) {
			log_info("postgres_starting", "seconds=%lld message=\"recovering from its log\"",
				(long long)((clock_mono_ms() - begin) / 1000));
			speak += PATIENT_MS;
		}
		nap(5);
	}
	return OK;
}

static enum status
run(struct postgres *p, const struct reason *why)
{
	int64_t until = clock_mono_ms() + RETRY_MS;
	enum status st;

	for (;;) {
		if ((st = wait_previous(p, why)) != OK || (st = logfile_open(&p->log, p->folder, why)) != OK)
			return st;
		if ((st = launch(p, why)) == OK)
			st = wait_ready(p, why);
		if (st == OK)
			return OK;
		logfile_close(&p->log);
		if (st != CONFLICT || clock_mono_ms() > until)
			return st == CONFLICT ? UNAVAILABLE : st;
		nap(200);
	}
}

static enum status
prepare(struct postgres *p, const char *programs, const struct reason *why)
{
	int version;
	enum status st;

	if ((st = cluster_version(p->cluster, &version, why)) != OK)
		return st;
	if ((st = programs_find(programs, version, p->cluster, &p->programs, why)) != OK)
		return st;
	if ((st = owner_choose(p->cluster, &p->owner, why)) != OK)
		return st;
	if ((st = owner_reach(&p->owner, p->folder, why)) != OK)
		return st;
	cluster_sweep(p->folder, &p->owner);
	if (version == 0) {
		const struct cluster c = { p->folder, p->cluster, &p->owner, &p->programs, p->cancelled };
		int64_t begin = clock_mono_ms();

		if ((st = cluster_make(&c, why)) != OK)
			return st;
		log_info("postgres_made", "version=%d folder=\"%s\" ms=%lld", p->programs.version, p->cluster,
			(long long)(clock_mono_ms() - begin));
	}
	if ((st = socket_folder(p->folder, &p->owner, p->sockets, sizeof(p->sockets), why)) != OK)
		return st;
	socket_conninfo(p->sockets, p->conninfo, sizeof(p->conninfo));
	return OK;
}

enum status
postgres_start(const struct postgres_options *options, struct postgres **out, char *error, size_t error_size)
{
	const struct reason why = { error, error_size };
	struct postgres *p = mem_alloc(sizeof(*p));
	enum status st;

	*out = NULL;
	p->backoff_ms = BACKOFF_LEAST;
	if ((st = make_paths(p, options, &why)) == OK && (st = prepare(p, options->programs, &why)) == OK &&
		(st = run(p, &why)) == OK) {
		log_info("postgres_started", "pid=%d version=%d user=%s ms=%lld", (int)p->pid,
			p->programs.version, p->owner.name,
			(long long)(clock_mono_ms() - p->started_mono_ms));
		*out = p;
		return OK;
	}
	free(p);
	return st;
}

const char *
postgres_conninfo(const struct postgres *p)
{
	return p->conninfo;
}

pid_t
postgres_pid(const struct postgres *p)
{
	return p->pid;
}

int
postgres_version(const struct postgres *p)
{
	return p->programs.version;
}

static void
note_end(struct postgres *p, int status)
{
	int64_t now = clock_mono_ms();
	char how[64], said[1024];

	spawn_describe(status, how, sizeof(how));
	logfile_tail(&p->log, said, sizeof(said));
	log_error("postgres_ended", "message=\"PostgreSQL %s; starting it again\" said=\"%s\"", how, said);
	p->backoff_ms = now - p->started_mono_ms > 10000 ? BACKOFF_LEAST : p->backoff_ms * 2;
	if (p->backoff_ms > BACKOFF_MOST)
		p->backoff_ms = BACKOFF_MOST;
	p->again_mono_ms = now + p->backoff_ms;
}

static void
start_again(struct postgres *p)
{
	char text[1024];
	const struct reason why = { text, sizeof(text) };

	p->log.start = 0;
	logfile_close(&p->log);
	if (logfile_open(&p->log, p->folder, &why) != OK || launch(p, &why) != OK) {
		log_error("postgres_failed", "message=\"%s\"", text);
		p->again_mono_ms = clock_mono_ms() + BACKOFF_MOST;
	}
}

void
postgres_watch(struct postgres *p)
{
	int status;

	if (p->pid > 0 && ended(p, &status))
		note_end(p, status);
	if (p->pid == 0) {
		if (clock_mono_ms() >= p->again_mono_ms)
			start_again(p);
		return;
	}
	if (!p->ready && look_ready(p))
		log_info("postgres_started", "pid=%d version=%d ms=%lld", (int)p->pid, p->programs.version,
			(long long)(clock_mono_ms() - p->started_mono_ms));
	logfile_bound(&p->log);
}

void
postgres_stop(struct postgres *p, int64_t grace_ms)
{
	char own[PATH_MAX];

	if (p == NULL)
		return;
	if (p->pid > 0)
		kill_child(p, grace_ms);
	logfile_close(&p->log);
	/* one of our own making outside DIR goes with us; DIR/run stays */
	if (snprintf(own, sizeof(own), "%s/run", p->folder) < PATH_MAX && !str_eq(own, p->sockets))
		(void)rmdir(p->sockets);
	free(p);
}

enum status
postgres_find(const char *folder, char *conninfo, size_t size)
{
	char cluster[PATH_MAX];
	struct pidfile file;

	if (snprintf(cluster, sizeof(cluster), "%s/postgres", folder) > PATH_MAX - 64)
		return NOT_FOUND;
	if (!pidfile_read(cluster, &file) || !file.ready || !pidfile_alive(cluster, file.pid))
		return NOT_FOUND;
	socket_conninfo(file.socket_folder, conninfo, size);
	return OK;
}
