#include "client/injector.h"

#include <assert.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/json.h"
#include "ingest/batch.h"

#define STEPS       100000
#define MOST_FAULTS 64

struct upload {
	char *data;
	size_t len;
};

static struct {
	struct MHD_Daemon *daemon;
	uint16_t port;
	char address[64];
	pthread_mutex_t lock;
	int faults[MOST_FAULTS];
	size_t fault_count;
	const char *poison;
	bool old;
	atomic_bool stopping;
	struct injected counts;
	unsigned seen[STEPS];
} inject = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char run_json[] = "{\"run\":{\"info\":{\"run_id\":\"r1\",\"experiment_id\":\"1\","
			       "\"artifact_uri\":\"mlflow-artifacts:/1/r1/artifacts\"}}}";

static enum MHD_Result
answer(struct MHD_Connection *c, unsigned status, const char *body)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	MHD_add_response_header(r, "Content-Type", "application/json");
	if (status == 429)
		MHD_add_response_header(r, "Retry-After", "1");
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static size_t
length_of(const struct json *doc, const char *name)
{
	const struct json *list = json_member(doc, name);

	return list == NULL ? 0 : json_length(list);
}

static void
see(int64_t step)
{
	if (step >= 0 && step < STEPS)
		inject.seen[step]++;
}

static void
keep_point(struct injected_point *to, const struct point *p)
{
	*to = (struct injected_point){ .value = p->value, .unix_ms = p->time_unix_ms, .step = p->step };
	snprintf(to->key, sizeof(to->key), "%s", p->key);
}

/* The lock is held. */
static void
count_columns(const struct upload *u)
{
	struct metric_batch batch;
	struct ctx cx;

	ctx_init(&cx, arena_new(), NULL);
	if (batch_read(&cx, u->data, u->len, &batch) != OK)
		abort();
	for (size_t i = 0; i < batch.n; i++) {
		see(batch.points[i].step);
		if (i < sizeof(inject.counts.last_points) / sizeof(inject.counts.last_points[0]))
			keep_point(&inject.counts.last_points[i], &batch.points[i]);
	}
	inject.counts.columns++;
	inject.counts.points += batch.n;
	inject.counts.largest = batch.n > inject.counts.largest ? batch.n : inject.counts.largest;
	arena_free(cx.arena);
}

/* The lock is held. */
static void
count_json(const struct upload *u)
{
	struct arena *arena = arena_new();
	const struct json *doc, *metrics;
	struct ctx cx;
	size_t n;

	ctx_init(&cx, arena, NULL);
	if (json_parse(&cx, u->data, u->len, &doc) != OK)
		abort();
	metrics = json_member(doc, "metrics");
	for (size_t i = 0; metrics != NULL && i < json_length(metrics); i++)
		see(json_int64(json_member(json_at(metrics, i), "step")));
	n = length_of(doc, "metrics") + length_of(doc, "params") + length_of(doc, "tags");
	inject.counts.points += length_of(doc, "metrics");
	inject.counts.params += length_of(doc, "params");
	inject.counts.tags += length_of(doc, "tags");
	inject.counts.largest = n > inject.counts.largest ? n : inject.counts.largest;
	snprintf(inject.counts.last_body, sizeof(inject.counts.last_body), "%s", u->data);
	arena_free(arena);
}

/* The lock is held. */
static int
next_fault(void)
{
	int kind;

	if (inject.fault_count == 0)
		return FAULT_NONE;
	kind = inject.faults[0];
	memmove(inject.faults, inject.faults + 1, --inject.fault_count * sizeof(int));
	return kind;
}

static void
hang(void)
{
	const struct timespec tick = { 0, 10 * 1000000L };

	while (!inject.stopping)
		nanosleep(&tick, NULL);
}

static enum MHD_Result
on_batch(struct MHD_Connection *c, const struct upload *u, bool columns)
{
	const char *who = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
	bool poisoned;
	int kind;

	pthread_mutex_lock(&inject.lock);
	kind = next_fault();
	inject.counts.requests++;
	snprintf(inject.counts.last_authorization, sizeof(inject.counts.last_authorization), "%s",
		who == NULL ? "" : who);
	poisoned = inject.poison != NULL &&
		   memmem(u->data, u->len, inject.poison, strlen(inject.poison)) != NULL;
	if (kind == FAULT_NONE && !poisoned) {
		inject.counts.accepted++;
		columns ? count_columns(u) : count_json(u);
	}
	pthread_mutex_unlock(&inject.lock);
	if (kind == FAULT_CUT)
		return MHD_NO;
	if (kind == FAULT_HANG)
		hang();
	if (kind >= 100)
		return answer(c, (unsigned)kind, "{\"error_code\":\"INJECTED\",\"message\":\"injected\"}");
	if (poisoned)
		return answer(
			c, 400, "{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":\"poisoned\"}");
	return answer(c, 200, "{}");
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
	const char *data, size_t *len, void **state)
{
	struct upload *u = *state;

	(void)cls, (void)method, (void)version;
	if (u == NULL) {
		*state = calloc(1, sizeof(struct upload));
		return MHD_YES;
	}
	if (*len > 0) {
		u->data = realloc(u->data, u->len + *len + 1);
		memcpy(u->data + u->len, data, *len);
		u->len += *len;
		u->data[u->len] = '\0';
		*len = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/api/2.0/mlflow/runs/get") == 0)
		return answer(c, 200, run_json);
	if (strcmp(url, "/api/2.0/mlflow/runs/log-batch") == 0)
		return on_batch(c, u, false);
	if (strcmp(url, "/api/v1/runs/r1/metrics") == 0 && !inject.old)
		return on_batch(c, u, true);
	if (strcmp(url, "/api/v1/runs/r1/metrics") == 0)
		return answer(c, 404, "Not Found: POST /api/v1/runs/r1/metrics is no route of this server\n");
	return answer(c, 200, "{}");
}

static void
on_done(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
	struct upload *u = *state;

	(void)cls, (void)c, (void)code;
	if (u != NULL)
		free(u->data);
	free(u);
	*state = NULL;
}

static void
on_connection(
	void *cls, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	(void)cls, (void)c, (void)socket_context;
	pthread_mutex_lock(&inject.lock);
	inject.counts.connections += code == MHD_CONNECTION_NOTIFY_STARTED;
	pthread_mutex_unlock(&inject.lock);
}

void
injector_start(uint16_t port)
{
	inject.stopping = false;
	inject.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
		port, NULL, NULL, on_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
		MHD_OPTION_END);
	assert(inject.daemon != NULL);
	inject.port = MHD_get_daemon_info(inject.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	snprintf(inject.address, sizeof(inject.address), "http://127.0.0.1:%u", inject.port);
}

void
injector_stop(void)
{
	inject.stopping = true;
	if (inject.daemon != NULL)
		MHD_stop_daemon(inject.daemon);
	inject.daemon = NULL;
}

uint16_t
injector_port(void)
{
	return inject.port;
}

const char *
injector_address(void)
{
	return inject.address;
}

void
injector_fault(int kind, unsigned n)
{
	pthread_mutex_lock(&inject.lock);
	while (n-- > 0 && inject.fault_count < MOST_FAULTS)
		inject.faults[inject.fault_count++] = kind;
	pthread_mutex_unlock(&inject.lock);
}

void
injector_clear(void)
{
	pthread_mutex_lock(&inject.lock);
	inject.fault_count = 0;
	inject.poison = NULL;
	inject.old = false;
	inject.counts = (struct injected){ 0 };
	memset(inject.seen, 0, sizeof(inject.seen));
	pthread_mutex_unlock(&inject.lock);
}

void
injector_poison(const char *text)
{
	pthread_mutex_lock(&inject.lock);
	inject.poison = text;
	pthread_mutex_unlock(&inject.lock);
}

void
injector_old(bool old)
{
	pthread_mutex_lock(&inject.lock);
	inject.old = old;
	pthread_mutex_unlock(&inject.lock);
}

struct injected
injector_counts(void)
{
	struct injected counts;

	pthread_mutex_lock(&inject.lock);
	counts = inject.counts;
	pthread_mutex_unlock(&inject.lock);
	return counts;
}

unsigned
injector_seen(int64_t step)
{
	unsigned n;

	pthread_mutex_lock(&inject.lock);
	n = inject.seen[step];
	pthread_mutex_unlock(&inject.lock);
	return n;
}
