/*
 * The data folder: made, locked (one server at a time), and the small files in it.
 *   lock            pid of the server that holds it
 *   port            the port it listens on, while it is ready
 *   admin-password  of the first user, until somebody takes it away
 */
#ifndef DATA_H
#define DATA_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/status.h"

struct data {
	char path[PATH_MAX]; /* absolute */
	int lock_fd;         /* -1: not ours */
};

/* Makes the folder when missing. On failure one sentence in `error`. */
enum status data_open(struct data *d, const char *folder, char *error, size_t error_size) must_check;
/* CONFLICT with a sentence that names the other one's pid. */
enum status data_lock(struct data *d, char *error, size_t error_size) must_check;
void data_close(struct data *d); /* lets the lock go */

/* DIR/name appears whole, on disk, with that mode, or not at all. */
enum status data_write(const struct data *d, const char *name, const char *text, mode_t mode, char *error,
	size_t error_size) must_check;
void data_remove(const struct data *d, const char *name);

#endif
