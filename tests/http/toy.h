/* A server with a few toy routes on a free port, and a client that speaks in raw bytes. */
#ifndef TESTS_HTTP_TOY_H
#define TESTS_HTTP_TOY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

struct http_server;
struct push;

#define TOY_PUSHES 64 /* so many are remembered */

struct toy_counts {
	atomic_uint parked;    /* requests waiting for toy_finish_parked() */
	atomic_uint called;    /* handlers run */
	atomic_int upload_end; /* status with which the last upload's reading ended; -1: none yet */
	atomic_ullong uploaded;
	atomic_uint gone;   /* /slow found its client gone */
	atomic_uint pushes; /* answers of /push?limit=BYTES that were begun */
};
extern struct toy_counts toy;
extern atomic_bool toy_accepting;

struct http_server *toy_start(unsigned workers, unsigned streams);
void toy_finish_parked(enum status st);
struct push *toy_push(unsigned i); /* of the i-th answer of /push, which it waits for; the test's to end */
int toy_set_up(void **state);      /* short deadlines, 4 workers, 4 streams */
int toy_tear_down(void **state);

/* ---- the client ---- */

struct reply {
	int status; /* 0: the connection ended without an answer */
	char head[4096];
	char *body; /* freed by reply_free */
	size_t len;
	bool closed; /* the server ended the connection */
	bool cut;    /* before the body was whole */
};

int dial(const struct http_server *s);
void say(int fd, const char *text);
bool say_bytes(int fd, const void *data, size_t len); /* false: the server does not take them */
/* Wait for one answer; `head`: none of its body comes. */
void hear(int fd, bool head, struct reply *out);
void reply_free(struct reply *r);
/* The value of a header, NULL when absent; valid until the next call. */
const char *reply_header(const struct reply *r, const char *name);
/* Dial, say, hear, hang up: the status. */
int ask(const struct http_server *s, const char *text, struct reply *out);
bool ends_within(int fd, int ms); /* the server closes without another word */
long resident_kib(void);

#define H    "Host: localhost\r\n"
#define JSON "Content-Type: application/json\r\n"

#endif
