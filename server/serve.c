/*
 * Order of start: data folder and its lock, PostgreSQL, schema, blob store, metric writer, compactor, columns, HTTP, DIR/port. Stop in reverse.
 * The main thread does all of it and then waits for signals, looking after PostgreSQL, whose life hangs on this thread.
 */
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "api/api.h"
#include "auth/account.h"
#include "auth/auth.h"
#include "base/box.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "blob/blob.h"
#include "commands.h"
#include "data.h"
#include "database.h"
#include "http/listen.h"
#include "http/server.h"
#include "ingest/compactor.h"
#include "ingest/ingest.h"
#include "ingest/live.h"
#include "jobs/jobs.h"
#include "outbound/outbound.h"
#include "postgres/postgres.h"
#include "secret_key.h"
#include "search/columns.h"
#include "store/instance.h"

#define HTTP_GRACE_MS       6500 /* with PostgreSQL's own, under ten seconds */
#define QUEUE_BYTES         (32U * 1024 * 1024)
#define WRITER_CONNECTIONS  2 /* one to write on, one to open when it breaks */
#define WRITER_ACQUIRE_MS   5000
#define WRITER_STATEMENT_MS 30000
#define COMPACT_TIMEOUT_MS  120000 /* of a statement of the compactor */
#define WATCH_MS            500
#define DAY_MS              86400000

struct server {
	const struct config *config;
	struct data data;
	struct database db;
	struct parts parts;
	struct pool *writer_pool, *compactor_pool;
	struct compactor *compactor;
	struct arena *arena;
	struct ctx cx;
	struct http_server *http;
	struct jobs *jobs;
	struct outbound *outbound;
	struct box *box;
	const char **hosts;
	char error[2048];
	int64_t begin_mono_ms;
};

static enum status
use_sentence(struct server *s, enum status st)
{
	(void)str_copy(s->error, sizeof(s->error), s->cx.message);
	return st;
}

static enum status
start_outbound(struct server *s)
{
	const struct config *c = s->config;

	s->outbound = outbound_new(c->outgoing_allow, c->outgoing_allow_count, s->error, sizeof(s->error));
	s->parts.outbound = s->outbound;
	return s->outbound == NULL ? INVALID : OK;
}

static enum status
start_secrets(struct server *s)
{
	enum status st =
		secret_key_open(&s->data, s->config->secret_key_file, &s->box, s->error, sizeof(s->error));

	s->parts.box = s->box;
	return st;
}

/* Better now than after PostgreSQL has started. */
static enum status
try_port(struct server *s)
{
	const struct config *c = s->config;
	int fd = listen_open(c->address, c->port, s->error, sizeof(s->error));

	if (fd < 0)
		return UNAVAILABLE;
	close(fd);
	return OK;
}

static enum status
start_folder(struct server *s)
{
	enum status st;

	if ((st = data_open(&s->data, s->config->data, s->error, sizeof(s->error))) != OK)
		return st;
	if ((st = data_lock(&s->data, s->error, sizeof(s->error))) != OK)
		return st;
	data_remove(&s->data, "port"); /* of one that was killed */
	return OK;
}

static enum status
start_database(struct server *s)
{
	const struct config *c = s->config;
	const struct database_options o = {
		.config = c, .data = &s->data, .pool = (unsigned)c->pool, .cancelled = stop_asked
	};
	enum status st;

	if ((st = database_open(&s->db, &o, s->error, sizeof(s->error))) != OK)
		return st;
	s->parts.pool = s->db.pool;
	ctx_init(&s->cx, s->arena, &s->parts);
	return use_sentence(s, database_schema(&s->cx, s->db.embedded || c->migrate));
}

static enum status
read_instance(struct server *s, struct instance *out)
{
	struct tx *tx = NULL;
	enum status st;

	if ((st = tx_auto(&s->cx, &tx)) == OK && (st = store_instance_get(tx, out)) == OK)
		st = tx_commit(&tx);
	tx_rollback(&tx);
	return use_sentence(s, st);
}

static enum status
open_blobs(struct server *s)
{
	char folder[PATH_MAX + 8];
	const char *uri = s->config->blobs;

	if (uri == NULL) {
		(void)snprintf(folder, sizeof(folder), "%s/blobs", s->data.path);
		uri = folder;
	}
	s->parts.blobs = blob_open(uri, s->error, sizeof(s->error));
	return s->parts.blobs == NULL ? UNAVAILABLE : OK;
}

/* Database and blob store carry the same identity; a store without one is new and gets it. */
static enum status
start_blobs(struct server *s)
{
	struct instance instance = { 0 };
	char identity[64] = "";
	enum status st;

	if ((st = read_instance(s, &instance)) != OK || (st = open_blobs(s)) != OK)
		return st;
	if (!instance.same_cluster)
		log_warn("restored", "message=\"this database was restored from another PostgreSQL: make "
				     "sure that only one server "
				     "writes to its blob store\"");
	if ((st = blob_identity(s->parts.blobs, &s->cx, identity)) != OK)
		return use_sentence(s, st);
	if (identity[0] == '\0' && !instance.has_blobs)
		return use_sentence(s, blob_identify(s->parts.blobs, &s->cx, instance.instance_id));
	if (str_eq(identity, instance.instance_id))
		return OK;
	if (identity[0] == '\0')
		(void)snprintf(s->error, sizeof(s->error),
			"the blob store is new and empty, but the database %s knows of files in one: give "
			"the --blobs that they are in",
			instance.instance_id);
	else
		(void)snprintf(s->error, sizeof(s->error),
			"the blob store belongs to another Cairn (it is %s, the database is %s): give the "
			"--blobs and the --database or "
			"--data that belong together",
			identity, instance.instance_id);
	return CONFLICT;
}

static enum status
make_admin(struct server *s)
{
	char password[RANDOM_PASSWORD], line[RANDOM_PASSWORD + 1];
	struct user user;
	enum status st;

	random_password(password);
	(void)snprintf(line, sizeof(line), "%s\n", password);
	/* the file first: a user whose password nobody knows would be worse */
	if ((st = data_write(&s->data, "admin-password", line, 0600, s->error, sizeof(s->error))) == OK) {
		st = use_sentence(s, account_add(&s->cx, "admin", password, true, &user));
		if (st == OK)
			log_info(
				"admin_made", "user=admin password_file=\"%s/admin-password\"", s->data.path);
	}
	wipe(password, sizeof(password));
	wipe(line, sizeof(line));
	return st;
}

static enum status
start_accounts(struct server *s)
{
	const struct config *c = s->config;
	struct user *users = NULL;
	enum status st;
	size_t n = 0;

	if ((st = auth_setup(&s->cx, &(struct auth_options){ c->auth_on, c->public_url })) != OK ||
		(st = account_list(&s->cx, &users, &n)) != OK)
		return use_sentence(s, st);
	if (n == 0 && s->db.embedded)
		return make_admin(s);
	if (n == 0 && c->auth_on)
		log_warn("no_users",
			"message=\"nobody can sign in yet: cairnd user add NAME --admin --database …\"");
	return OK;
}

/* Loopback names are always taken; here come the others: --allow-host, the public name, the address itself. */
static void
collect_hosts(struct server *s)
{
	const struct config *c = s->config;
	size_t n = 0;

	s->hosts = arena_array(s->arena, c->allow_host_count + 3, sizeof(*s->hosts));
	for (size_t i = 0; i < c->allow_host_count; i++)
		s->hosts[n++] = c->allow_hosts[i];
	if (c->public_host != NULL)
		s->hosts[n++] = c->public_host;
	if (!c->loopback && !str_eq(c->address, "0.0.0.0") && !str_eq(c->address, "::"))
		s->hosts[n++] = strchr(c->address, ':') != NULL ? arena_printf(s->arena, "[%s]", c->address)
								: c->address;
	s->hosts[n] = NULL;
	if (n == 0 && !c->loopback)
		log_warn("hosts", "message=\"requests that call this server by any name but localhost are "
				  "refused: give --allow-host or "
				  "--public-url\"");
}

static enum status
start_api(struct server *s)
{
	const struct config *c = s->config;
	const struct api_options o = { .auth_on = c->auth_on,
		.public_url = c->public_url,
		.web_folder = c->web,
		.version = CAIRN_VERSION,
		.started_unix_ms = clock_unix_ms() };

	return api_setup(&o, s->error, sizeof(s->error)) ? OK : INVALID;
}

/* The metric writer has a connection of its own: busy workers must not keep it waiting. */
static void
start_ingest(struct server *s)
{
	s->writer_pool = pool_new(&(struct pool_options){ .conninfo = pool_conninfo(s->db.pool),
		.size = WRITER_CONNECTIONS,
		.acquire_timeout_ms = WRITER_ACQUIRE_MS,
		.statement_timeout_ms = WRITER_STATEMENT_MS });
	s->parts.ingest = ingest_start(
		&(struct ingest_options){ .pool = s->writer_pool, .queue_limit_bytes = QUEUE_BYTES });
}

static void
start_compactor(struct server *s)
{
	s->compactor_pool = pool_new(&(struct pool_options){ .conninfo = pool_conninfo(s->db.pool),
		.size = WRITER_CONNECTIONS,
		.acquire_timeout_ms = WRITER_ACQUIRE_MS,
		.statement_timeout_ms = COMPACT_TIMEOUT_MS });
	s->compactor = compactor_start(
		&(struct compactor_options){ .pool = s->compactor_pool, .ingest = s->parts.ingest });
}

static void
start_columns(struct server *s)
{
	s->parts.columns = columns_start(&(struct columns_options){ .pool = s->db.pool,
		.budget_bytes = (size_t)s->config->search_memory_mib << 20,
		.waiting_most = (unsigned)s->config->workers / 2,
		.status_name = run_status_name });
}

static void
start_live(struct server *s)
{
	size_t most = (size_t)s->config->watchers;

	s->parts.live = live_start(
		&s->parts, &(struct live_options){ .most = most, .most_of_owner = (most + 3) / 4 });
}

static enum status
start_http(struct server *s)
{
	const struct config *c = s->config;
	struct http_options o = { .address = c->address,
		.port = c->port,
		.listen_fd = -1,
		.loop_threads = (unsigned)c->loops,
		.workers = (unsigned)c->workers,
		.streams = (unsigned)c->streams,
		.connection_limit = (unsigned)c->connections,
		.connections_per_address = (unsigned)c->connections_per_address,
		.allow_hosts = s->hosts,
		.parts = &s->parts,
		.answer = api_answer,
		.refuse = api_refuse };

	o.routes = api_routes(&o.route_count);
	s->http = http_start(&o, s->error, sizeof(s->error));
	return s->http == NULL ? UNAVAILABLE : OK;
}

static enum status
announce(struct server *s)
{
	const struct config *c = s->config;
	bool six = strchr(c->address, ':') != NULL;
	unsigned port = http_port(s->http);
	char text[16];
	enum status st;

	(void)snprintf(text, sizeof(text), "%u\n", port);
	if ((st = data_write(&s->data, "port", text, 0644, s->error, sizeof(s->error))) != OK)
		return st;
	log_info("ready", "address=http://%s%s%s:%u port=%u version=%s auth=%s pid=%d start_ms=%lld",
		six ? "[" : "", c->address, six ? "]" : "", port, port, CAIRN_VERSION,
		c->auth_on ? "on" : "off", (int)getpid(), (long long)(clock_mono_ms() - s->begin_mono_ms));
	return OK;
}

static enum status
start(struct server *s)
{
	static enum status (*const steps[])(struct server *) = { try_port, start_outbound, start_folder,
		start_secrets, start_database, start_blobs, start_accounts, start_api };
	enum status st;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if ((st = steps[i](s)) != OK)
			return st;
		if (stop_asked())
			return TIMED_OUT;
	}
	start_ingest(s);
	start_compactor(s);
	start_columns(s);
	start_live(s);
	collect_hosts(s);
	if ((st = start_http(s)) != OK)
		return st;
	s->jobs = jobs_start(
		&(struct jobs_options){ &s->parts, s->config->purge_deleted_days * (int64_t)DAY_MS });
	return announce(s);
}

/* Each of them only if it was started. */
static void
stop(struct server *s)
{
	if (s->data.lock_fd >= 0)
		data_remove(&s->data, "port");
	if (s->http != NULL)
		http_stop(s->http, HTTP_GRACE_MS);
	live_stop(s->parts.live);
	api_teardown();
	jobs_stop(s->jobs);
	columns_stop(s->parts.columns);
	compactor_stop(s->compactor);
	if (s->compactor_pool != NULL)
		pool_free(s->compactor_pool);
	if (s->parts.ingest != NULL)
		ingest_stop(s->parts.ingest);
	if (s->writer_pool != NULL)
		pool_free(s->writer_pool);
	if (s->parts.blobs != NULL)
		blob_close(s->parts.blobs);
	auth_fini();
	database_close(&s->db);
	outbound_free(s->outbound);
	box_free(s->box);
	data_close(&s->data);
	arena_free(s->arena);
}

/* PostgreSQL, told so by the kernel, ends by itself. */
static void
end_at_once(int sig)
{
	_exit(128 + sig);
}

/* From here on a signal is the second one. */
static void
let_second_signal_through(void)
{
	struct sigaction sa = { .sa_handler = end_at_once };
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGINT);
	while (sigtimedwait(&both, NULL, &(struct timespec){ 0 }) > 0)
		continue; /* the first one, when it came during the start */
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)pthread_sigmask(SIG_UNBLOCK, &both, NULL);
}

static int
wait_for_signal(struct server *s)
{
	const struct timespec tick = { .tv_nsec = WATCH_MS * 1000000L };
	sigset_t awaited;

	sigemptyset(&awaited);
	sigaddset(&awaited, SIGTERM);
	sigaddset(&awaited, SIGINT);
	sigaddset(&awaited, SIGCHLD);
	for (;;) {
		int sig = sigtimedwait(&awaited, NULL, &tick);

		if (sig == SIGTERM || sig == SIGINT)
			return sig;
		if (s->db.postgres != NULL)
			postgres_watch(s->db.postgres);
	}
}

int
serve(const struct config *c)
{
	struct server s = { .config = c, .data = { .lock_fd = -1 }, .begin_mono_ms = clock_mono_ms() };
	bool good;

	s.arena = arena_new();
	ctx_init(&s.cx, s.arena, &s.parts);
	good = start(&s) == OK;
	if (good)
		log_info("stopping", "signal=%s", wait_for_signal(&s) == SIGTERM ? "SIGTERM" : "SIGINT");
	else
		good = stop_asked(); /* that is no failure */
	let_second_signal_through();
	stop(&s);
	if (good)
		log_info("stopped", "uptime_ms=%lld", (long long)(clock_mono_ms() - s.begin_mono_ms));
	else /* after the last line of the log */
		(void)fprintf(stderr, "cairnd: %s\n", s.error[0] != '\0' ? s.error : "could not start");
	return good ? 0 : 1;
}
