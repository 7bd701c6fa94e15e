/* A run's insides. The sender thread lives from start to free; it alone touches `batch` and `body`. */
#ifndef LIB_RUN_H
#define LIB_RUN_H

#include "lib/queue.h"

struct cairn_run {
	cairn_client *client;
	char id[CAIRN_ID_SIZE], experiment_id[CAIRN_ID_SIZE];
	char *artifact_uri;
	struct queue queue;
	atomic_bool stop; /* gives up the request in flight */
	pthread_t sender;
	bool sending; /* the thread was made */
	struct batch *batch;
	struct buf body;
	pthread_mutex_t lock; /* of last */
	struct fault last;
};

bool run_usable(const cairn_run *run);

/* The thread. arg is the run. */
void *sender_main(void *arg);

#endif
