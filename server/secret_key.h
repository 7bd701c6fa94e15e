/* The key that seals secrets in the database (base/box.h): 64 hex digits in a file that nobody else may read. */
#ifndef SECRET_KEY_H
#define SECRET_KEY_H

#include "data.h"

struct box;

/* `file` NULL: DIR/secret-key, made when it is not there. Owned by the caller; on failure one sentence in `error`. */
enum status secret_key_open(
	const struct data *d, const char *file, struct box **out, char *error, size_t error_size) must_check;

#endif
