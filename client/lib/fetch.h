/* One file of a version: downloaded, gone on with where an earlier try stopped, and checked. */
#ifndef LIB_FETCH_H
#define LIB_FETCH_H

#include "lib/manifest.h"

struct fetch {
	struct call *call;
	const cairn_ref *ref;
	int root;                             /* the directory being filled */
	int64_t fetched, reused, done, total; /* bytes */
	void (*progress)(void *arg, int64_t done, int64_t total);
	void *progress_arg;
};

int fetch_file(struct fetch *x, const struct manifest_file *file);

#endif
