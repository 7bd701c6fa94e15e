/*
 * What the parts of the library share: a client's insides, the sentence of a failure, and one call to the server.
 * Lifetimes: a call lives on the caller's stack, with its arena; a client outlives its runs.
 * Locks: client->lock guards the last failure and the idle connections, and is never held while waiting.
 */
#ifndef LIB_LIB_H
#define LIB_LIB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "cairn/cairn.h"

/* What went wrong: a code of cairn.h and one sentence. */
struct fault {
	int code;
	char message[1024];
};

/* Writes the sentence, on one line, and hands the code back. */
int fault_set(struct fault *f, int code, const char *fmt, ...) printf_like(3, 4);

#define IDLE_CONNECTIONS 8

/* Knows whether this is still the process that made it. */
struct fork_guard {
	volatile uint32_t
		*page; /* the kernel clears it in a child; NULL: it cannot, the process id decides */
	pid_t pid;
};

struct cairn_client {
	struct fork_guard guard;
	char *address; /* no slash at the end */
	bool loopback;
	char *username, *password, *token, *ca_file;
	int64_t connect_timeout_ms, request_timeout_ms, retry_ms, end_timeout_ms;
	uint32_t queue_points;
	enum cairn_drop drop;
	void (*notice)(void *arg, const char *sentence);
	void *notice_arg;
	const volatile int *cancel;
	bool usable; /* opened without a failure */

	pthread_mutex_t lock;
	struct fault last;
	void *idle[IDLE_CONNECTIONS]; /* CURL handles */
	size_t idle_count;
};

bool client_usable(const cairn_client *c); /* false for NULL, in a forked child, or after a failed open */
bool client_mine(const cairn_client *c);   /* not in a forked child; c is not NULL */

/* One blocking call: memory, the body being written, the failure, the time left. */
struct call {
	cairn_client *client;
	struct arena *arena;
	struct ctx cx;
	struct fault fault;
	int64_t deadline_mono_ms;
	struct buf body;
	struct jsonw w;
};

void call_init(struct call *k, cairn_client *c);
/* Puts a failure on the run, or on the client when run is NULL; frees; returns code. */
int call_end(struct call *k, int code, cairn_run *run);
/* Begin the JSON body of the next request: write with k->w, then call_json(). */
struct jsonw *call_body(struct call *k);
/*
 * Send k->body (empty: none) and parse the answer; out may be NULL. *out is an object that lives as long as the call.
 * An answer that refuses becomes k->fault; *error_code, when asked for, is then MLflow's name of the error.
 */
int call_json(struct call *k, const char *method, const char *path, const struct json **out,
	const char **error_code);
/* A text or number member of an answer; a missing one is CAIRN_EINTERNAL. Numbers may come as text. */
int reply_text(struct call *k, const struct json *object, const char *name, const char **out);
int reply_int(struct call *k, const struct json *object, const char *name, int64_t *out);
int reply_object(struct call *k, const struct json *object, const char *name, const struct json **out);
/* A member's text, or "" */
const char *text_or_empty(const struct json *object, const char *name);

/* Percent-encoded for a URL, in the call's arena; with slashes kept, or encoded too. */
char *url_path(struct call *k, const char *text);
char *url_part(struct call *k, const char *text);

void run_set_error(cairn_run *run, const struct fault *f);

#endif
