/* The one row that says which Cairn this is; the blob store carries the same identity. */
#ifndef STORE_INSTANCE_H
#define STORE_INSTANCE_H

#include <stdbool.h>
#include "store/tx.h"

struct instance {
	const char *instance_id;
	bool same_cluster; /* false: the database was dumped and restored elsewhere */
	bool has_blobs;    /* files have been stored: the blob store cannot be a new one */
};

enum status store_instance_get(struct tx *tx, struct instance *out) must_check;

#endif
