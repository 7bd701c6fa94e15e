/*
 * A server of faults for the tests of the sender: it counts, cuts connections, answers 503, refuses what it is told to refuse.
 * It knows nothing of Cairn but the paths of its requests and how their bodies are read. One at a time.
 */
#ifndef TESTS_CLIENT_INJECTOR_H
#define TESTS_CLIENT_INJECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind {
	FAULT_NONE = 0,
	FAULT_CUT = 1,  /* read the request, close without an answer */
	FAULT_HANG = 2, /* no answer until injector_stop() */
			/* else an HTTP status: 429 comes with Retry-After: 1 */
};

void injector_start(uint16_t port); /* 0: any; a counter survives a stop and start */
void injector_stop(void);
uint16_t injector_port(void);
const char *injector_address(void);

/* The next n batches meet this fault; later calls come after earlier ones. */
void injector_fault(int kind, unsigned n);
void injector_clear(void); /* faults, poison and counters */
/* Answer 400 to every batch whose body holds this text; NULL: none. */
void injector_poison(const char *text);
/* A server that has no route for columns: 404 in plain text, as one of before. */
void injector_old(bool old);

struct injected_point {
	char key[32];
	double value;
	int64_t unix_ms, step;
};

struct injected {
	size_t requests;             /* batches, answered or not */
	size_t columns;              /* of them with points as columns */
	size_t accepted;             /* answered with 200 */
	size_t points, params, tags; /* in accepted batches */
	size_t largest;              /* items in one accepted batch */
	size_t connections;
	char last_body[4096];                 /* the beginning of the last accepted batch of JSON */
	struct injected_point last_points[8]; /* the first of the last accepted columns */
	char last_authorization[256];
};
struct injected injector_counts(void);
/* How often a point with this step was accepted; steps below 100000. */
unsigned injector_seen(int64_t step);

#endif
