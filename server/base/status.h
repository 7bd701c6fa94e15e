/* What an operation came to. Everything that can fail returns one; api/dispatch.c turns it into HTTP. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))

enum status {
	OK = 0,
	INVALID,         /* a value is wrong: INVALID_PARAMETER_VALUE */
	BAD_REQUEST,     /* the request itself is malformed */
	ALREADY_EXISTS,  /* RESOURCE_ALREADY_EXISTS */
	UNAUTHENTICATED, /* nobody, or a wrong password or token */
	DENIED,          /* somebody, but without the permission */
	NOT_FOUND,       /* RESOURCE_DOES_NOT_EXIST */
	NO_ENDPOINT,     /* no such route */
	NOT_ALLOWED,     /* the route has other methods */
	CONFLICT,        /* changed meanwhile, or a lock is held */
	PRECONDITION,    /* If-Match did not match */
	TOO_LARGE,       /* a body or a value is over its limit */
	BAD_MEDIA_TYPE,  /* not JSON where JSON is required */
	BAD_RANGE,       /* a byte range outside the file */
	TOO_MANY,        /* slow down: Retry-After is sent */
	NOT_IMPLEMENTED, /* known, and not offered here */
	UNAVAILABLE,     /* try again: PostgreSQL, the blob store or a full disk; Retry-After is sent */
	TIMED_OUT,       /* the deadline passed */
	INTERNAL,        /* a bug: the sentence goes to the log, the caller gets the request id */

	/* never sent: what a handler on the event loop answers instead (http/route.h, mode SCANNED) */
	LATER,        /* somebody else calls request_finish() */
	NEEDS_WORKER, /* call me again on a worker: I would block */
};

#endif
