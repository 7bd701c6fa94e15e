/* SQLSTATE to status: the one table. Inside store only. */
#ifndef STORE_SQLSTATE_H
#define STORE_SQLSTATE_H

#include <stdbool.h>
#include "base/status.h"

struct sqlstate {
	const char *prefix; /* of the code: a whole one or its class */
	enum status status;
	bool drop; /* the connection, and those opened before it, are of no more use */
	const char *sentence;
};

/* Never NULL. A NULL or empty code is a lost connection. */
const struct sqlstate *sqlstate_find(const char *code);

#endif
