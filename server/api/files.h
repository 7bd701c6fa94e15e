/* Sending a stored file: ranges, validators, names that are safe to save. */
#ifndef API_FILES_H
#define API_FILES_H

#include "domain/artifact.h"
#include "http/route.h"

struct file_answer {
	const char *name; /* what a browser saves it as */
	bool by_digest;   /* the address names these bytes for ever: an ETag, ranges, a lasting cache */
};

/* STREAMED routes only. */
enum status files_send(struct request *rq, struct response *rs, const struct artifact *a,
	const struct file_answer *how) must_check;

#endif
