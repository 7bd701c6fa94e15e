/*
 * libcurl is spoken here. One try of a request, and the loop around it that waits and tries again.
 * Tried again: connection errors, 408, 429, 500, 502, 503, 504. Pauses double from 0.2 s to 10 s, jittered; Retry-After is kept.
 */
#ifndef LIB_HTTP_H
#define LIB_HTTP_H

#include "lib/lib.h"

/* Where the body of a 2xx answer goes when it is no JSON. Both return false after setting a fault of their own. */
struct http_sink {
	bool (*begin)(void *arg, long status);
	bool (*data)(void *arg, const char *data, size_t len);
	void *arg;
};

struct http_request {
	const char *method;
	const char *path; /* after the address, encoded, with its query */
	const char *body; /* NULL: none */
	size_t body_len;
	const char *type;      /* of the body; NULL: JSON */
	int file;              /* uploaded when file_size >= 0, from its beginning */
	int64_t file_size;     /* -1: no upload */
	const int64_t *offset; /* ask for the bytes from *offset on, looked at before each try; NULL: all */
	const char *etag;      /* If-Range for that */
	const struct http_sink *sink;
	size_t answer_limit;      /* bytes kept of an answer; 0: 1 MiB */
	struct fault *fault;      /* read and write failures of file and sink end up here */
	const atomic_bool *stop;  /* gives up at once when set; NULL: never */
	int64_t deadline_mono_ms; /* of this try; 0: none but the client's timeouts */
};

enum http_outcome {
	HTTP_OK,      /* 2xx */
	HTTP_REFUSED, /* any other answer that trying again will not change */
	HTTP_AGAIN,   /* no answer, or one that says so */
	HTTP_LOCAL,   /* request->fault says what failed here, or that it was cancelled */
};

struct http_answer {
	long status;            /* 0: none came */
	int64_t retry_after_ms; /* 0: not said */
	int64_t moved_bytes;    /* of file or sink, in this try */
	struct buf body;        /* of a JSON answer or of a refusal; freed by http_answer_fini() */
};

void http_answer_init(struct http_answer *a, size_t limit);
void http_answer_fini(struct http_answer *a);

/* One try. HTTP_REFUSED and HTTP_AGAIN leave a sentence in request->fault too. */
enum http_outcome http_try(cairn_client *c, const struct http_request *rq, struct http_answer *a);
/* Tries until deadline_mono_ms of the call; bytes that moved start the time anew. Returns a code of cairn.h. */
int http_call(struct call *k, struct http_request *rq, struct http_answer *a);

/* How long to wait before try n (0, 1, …). */
int64_t http_pause_ms(unsigned n, int64_t retry_after_ms);
/* "RESOURCE_DOES_NOT_EXIST" of an answer's body; "" when it names none. In the arena. */
const char *http_error_code(struct ctx *cx, const struct http_answer *a);

bool http_setup(void);        /* libcurl and libsodium, once a process */
void http_forget(void *easy); /* one idle connection */

#endif
