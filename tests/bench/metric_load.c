/*
 * Runs with metrics, logged over HTTP by several clients at once, each with a kept connection: what the figures of reading, of disk and of
 * the large set are taken on. Makes each run, logs its points in order of steps, ends it. Times are a second apart and a little off, as
 * clients' clocks are; all metrics of a step have one. Values follow from run, metric and step.
 * Usage: metric_load PORT AUTHORIZATION EXPERIMENT [name=number...] [ids=FILE]
 *   runs=1 keys=1 steps=1000    how many, of each run and each metric
 *   points=1000                 a request, at most (whole steps)
 *   values=3                    0 float32, 1 double, 2 four decimals, 3 one after the other, by metric
 *   clients=8  end=1            whether runs are ended
 *   binary=0                    1: the points of a batch as columns, not as JSON
 *   ids=FILE                    gets the id of each run, one a line, in order
 * Prints a line of JSON: {"runs","points","requests","retries","seconds"}.
 */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "wire/metrics.h"

#define CLIENTS_MOST 64
#define API          "/api/2.0/mlflow"
#define START        1700000000000LL
#define BODY_MOST    (16u << 20)

struct setting {
	const char *name;
	long value;
};

enum { RUNS, KEYS, STEPS, POINTS, VALUES, CLIENTS, END, BINARY, SETTINGS };
static struct setting settings[SETTINGS] = { { "runs", 1 }, { "keys", 1 }, { "steps", 1000 },
	{ "points", 1000 }, { "values", 3 }, { "clients", 8 }, { "end", 1 }, { "binary", 0 } };

static int port;
static const char *authorization, *experiment, *ids_file;
static char (*ids)[33];
static char (*keys)[40];
static atomic_long next_run, points_logged, requests_sent, retries;

struct client {
	int fd;
	struct buf head, body;
	struct wire_point *points;
	char answer[65536];
	size_t len;
};

static void
stop(const char *what, const char *more)
{
	(void)fprintf(stderr, "metric_load: %s: %.500s\n", what, more);
	exit(1);
}

/* ---- HTTP ---- */

static void
connect_client(struct client *c)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((c->fd = socket(AF_INET, SOCK_STREAM, 0)) < 0 ||
		connect(c->fd, (struct sockaddr *)(void *)&at, sizeof(at)) != 0)
		stop("connect", "the server does not listen");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The status of one answer; c->answer holds it whole. 0: the connection broke. */
static int
read_answer(struct client *c)
{
	const char *end = NULL, *length;
	size_t whole = sizeof(c->answer);

	for (c->len = 0; c->len < whole;) {
		ssize_t n = recv(c->fd, c->answer + c->len, sizeof(c->answer) - 1 - c->len, 0);

		if (n <= 0)
			return 0;
		c->len += (size_t)n;
		c->answer[c->len] = '\0';
		if (end != NULL || (end = strstr(c->answer, "\r\n\r\n")) == NULL)
			continue;
		if ((length = strcasestr(c->answer, "content-length:")) == NULL || length > end)
			stop("an answer without length", c->answer);
		whole = (size_t)(end + 4 - c->answer) + strtoul(length + 15, NULL, 10);
		if (whole >= sizeof(c->answer))
			stop("an answer is too long", c->answer);
	}
	return (int)strtol(c->answer + strlen("HTTP/1.1 "), NULL, 10);
}

static void
pause_ms(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* Sends c->body until it is taken; 503 and 429 are met again. The answer. */
static const char *
post(struct client *c, const char *path, const char *type)
{
	for (;; atomic_fetch_add(&retries, 1)) {
		int status;

		buf_clear(&c->head);
		buf_printf(&c->head,
			"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\nContent-Type: "
			"%s\r\nContent-Length: %zu\r\n\r\n",
			path, authorization, type, c->body.len);
		atomic_fetch_add(&requests_sent, 1);
		if (!write_all(c->fd, c->head.data, c->head.len) ||
			!write_all(c->fd, c->body.data, c->body.len) || (status = read_answer(c)) == 0)
			stop(path, "the connection broke");
		if (status == 200)
			return strstr(c->answer, "\r\n\r\n") + 4;
		if (status != 503 && status != 429)
			stop(path, c->answer);
		pause_ms(100);
	}
}

/* ---- values ---- */

static uint64_t
scramble(uint64_t v)
{
	v ^= v >> 31;
	v *= UINT64_C(0x9e3779b97f4a7c15);
	v ^= v >> 29;
	v *= UINT64_C(0xbf58476d1ce4e5b9);
	return v ^ v >> 32;
}

/* A curve that falls, and noise. */
static double
value_of(long run, long key, long step)
{
	uint64_t bits = scramble((uint64_t)run << 44 ^ (uint64_t)key << 32 ^ (uint64_t)step);
	double noise = (double)(bits >> 11) * 0x1p-53;
	double v = 1.0 / (1.0 + (double)step * 0.01) + 0.1 * noise;
	long kind = settings[VALUES].value < 3 ? settings[VALUES].value : key % 3;

	return kind == 0 ? (double)(float)v : kind == 1 ? v : round(v * 1e4) / 1e4;
}

static long long
time_of(long run, long step)
{
	return START + step * 1000LL + (long long)(scramble((uint64_t)run << 32 ^ (uint64_t)step) % 100);
}

static void
add_step(struct jsonw *w, long run, long step)
{
	for (long k = 0; k < settings[KEYS].value; k++) {
		jw_object(w);
		jw_text_at(w, "key", keys[k]);
		jw_real_at(w, "value", value_of(run, k, step));
		jw_int_at(w, "timestamp", time_of(run, step));
		jw_int_at(w, "step", step);
		jw_end(w);
	}
}

/* ---- runs ---- */

static void
make_run(struct client *c, long run)
{
	const char *id;

	buf_clear(&c->body);
	buf_printf(&c->body, "{\"experiment_id\":\"%s\",\"run_name\":\"run-%ld\",\"start_time\":%lld}",
		experiment, run, START + run);
	if ((id = strstr(post(c, API "/runs/create", "application/json"), "\"run_id\":")) == NULL ||
		(id = strchr(id + 9, '"')) == NULL)
		stop("runs/create", c->answer);
	memcpy(ids[run], id + 1, 32);
}

static void
make_json(struct client *c, long run, long from, long to)
{
	struct jsonw w;

	jw_init(&w, &c->body);
	jw_object(&w);
	jw_text_at(&w, "run_id", ids[run]);
	jw_array_at(&w, "metrics");
	for (long step = from; step < to; step++)
		add_step(&w, run, step);
	jw_end(&w);
	jw_end(&w);
}

static void
make_columns(struct client *c, long run, long from, long to)
{
	size_t n = 0;

	for (long step = from; step < to; step++)
		for (long k = 0; k < settings[KEYS].value; k++)
			c->points[n++] = (struct wire_point){ keys[k], value_of(run, k, step),
				time_of(run, step), step };
	wire_metrics_write(&c->body, c->points, n);
}

static void
log_points(struct client *c, long run)
{
	long steps = settings[POINTS].value / settings[KEYS].value, all = settings[STEPS].value;
	char path[128] = API "/runs/log-batch";

	if (settings[BINARY].value)
		(void)snprintf(path, sizeof(path), "/api/v1/runs/%.32s/metrics", ids[run]);
	steps = steps < 1 ? 1 : steps;
	for (long from = 0; from < all; from += steps) {
		long to = from + steps < all ? from + steps : all;

		buf_clear(&c->body);
		if (settings[BINARY].value)
			make_columns(c, run, from, to);
		else
			make_json(c, run, from, to);
		(void)post(c, path, settings[BINARY].value ? WIRE_METRICS_TYPE : "application/json");
		atomic_fetch_add(&points_logged, (to - from) * settings[KEYS].value);
	}
}

static void
end_run(struct client *c, long run)
{
	buf_clear(&c->body);
	buf_printf(&c->body, "{\"run_id\":\"%.32s\",\"status\":\"FINISHED\",\"end_time\":%lld}", ids[run],
		START + settings[STEPS].value * 1000);
	(void)post(c, API "/runs/update", "application/json");
}

static void *
client_main(void *arg)
{
	struct client *c = arg;
	long run;

	buf_init(&c->head, 65536);
	buf_init(&c->body, BODY_MOST);
	c->points = mem_array(WIRE_POINTS_MOST, sizeof(*c->points));
	connect_client(c);
	while ((run = atomic_fetch_add(&next_run, 1)) < settings[RUNS].value) {
		make_run(c, run);
		log_points(c, run);
		if (settings[END].value)
			end_run(c, run);
	}
	(void)close(c->fd);
	buf_fini(&c->head);
	buf_fini(&c->body);
	free(c->points);
	return NULL;
}

static void
write_ids(void)
{
	FILE *f = fopen(ids_file, "w");

	if (f == NULL)
		stop(ids_file, "cannot be written");
	for (long i = 0; i < settings[RUNS].value; i++)
		(void)fprintf(f, "%.32s\n", ids[i]);
	if (fclose(f) != 0)
		stop(ids_file, "cannot be written");
}

static void
set(const char *word)
{
	if (strncmp(word, "ids=", 4) == 0) {
		ids_file = word + 4;
		return;
	}
	for (int i = 0; i < SETTINGS; i++) {
		size_t len = strlen(settings[i].name);

		if (strncmp(word, settings[i].name, len) == 0 && word[len] == '=') {
			settings[i].value = strtol(word + len + 1, NULL, 10);
			return;
		}
	}
	stop("no such setting", word);
}

int
main(int argc, char **argv)
{
	static struct client clients[CLIENTS_MOST];
	pthread_t threads[CLIENTS_MOST];
	int64_t since;
	double seconds;

	if (argc < 4)
		stop("usage", "metric_load PORT AUTHORIZATION EXPERIMENT [name=number...] [ids=FILE]");
	port = (int)strtol(argv[1], NULL, 10);
	authorization = argv[2];
	experiment = argv[3];
	for (int i = 4; i < argc; i++)
		set(argv[i]);
	if (settings[CLIENTS].value > CLIENTS_MOST || settings[CLIENTS].value > settings[RUNS].value)
		settings[CLIENTS].value =
			settings[RUNS].value < CLIENTS_MOST ? settings[RUNS].value : CLIENTS_MOST;
	ids = mem_array((size_t)settings[RUNS].value, sizeof(*ids));
	keys = mem_array((size_t)settings[KEYS].value, sizeof(*keys));
	for (long k = 0; k < settings[KEYS].value; k++)
		(void)snprintf(keys[k], sizeof(keys[k]), "train/metric_%ld", k);
	if (settings[POINTS].value > WIRE_POINTS_MOST || settings[KEYS].value > WIRE_POINTS_MOST)
		stop("points", "too many for one request");
	since = clock_mono_us();
	for (long i = 0; i < settings[CLIENTS].value; i++)
		if (pthread_create(&threads[i], NULL, client_main, &clients[i]) != 0)
			stop("threads", "none left");
	for (long i = 0; i < settings[CLIENTS].value; i++)
		(void)pthread_join(threads[i], NULL);
	seconds = (double)(clock_mono_us() - since) / 1e6;
	if (ids_file != NULL)
		write_ids();
	(void)printf(
		"{\"runs\": %ld, \"points\": %ld, \"requests\": %ld, \"retries\": %ld, \"seconds\": %.3f}\n",
		settings[RUNS].value, atomic_load(&points_logged), atomic_load(&requests_sent),
		atomic_load(&retries), seconds);
	free(ids);
	free(keys);
	return 0;
}
