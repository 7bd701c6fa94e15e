/*
 * The browser UI, answered from memory on the event loop: "GET /{path...}" of the route table, the last row of all.
 *
 * A path that names a file gives that file, precompressed as the browser asks for. Any other path that may be a page of
 * the UI gives index.html, and the UI reads the path. What belongs to the API, or looks like a file, is NO_ENDPOINT.
 */
#ifndef API_WEB_H
#define API_WEB_H

#include <stdbool.h>
#include "http/route.h"

/*
 * Before the server starts. dir NULL: the embedded files, as without a call. Else every file below dir is read now (the request
 * never names a file of the disk); false and one sentence in `error` when that fails.
 */
bool web_setup(const char *dir, char *error, size_t error_size) must_check;
/* After the server stopped: what web_setup() read. */
void web_teardown(void);

enum status api_web(struct request *rq, struct response *rs) must_check;

#endif
