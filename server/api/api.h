/* The HTTP API: the table of routes, and what http calls for each request. */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include "http/route.h"

struct api_options {
	bool auth_on;
	const char *public_url; /* NULL: none */
	const char *web_folder; /* NULL: the embedded files */
	const char *version;
	int64_t started_unix_ms;
};

/* Before the first request; what the options point at is borrowed for good. False: one sentence in `error`. */
bool api_setup(const struct api_options *options, char *error, size_t error_size) must_check;
const struct api_options *api_options(void);
void api_teardown(void); /* after the last request */

const struct route *api_routes(size_t *n);
/* Who is calling, may they, the handler. On the event loop, a worker or a stream thread (http/server.h). */
enum status api_answer(struct request *rq, struct response *rs);
/* Writes the body of an error. */
void api_refuse(struct request *rq, struct response *rs, enum status st);

#endif
