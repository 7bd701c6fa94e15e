/* A run's insides. The sender thread lives from start to free; it alone touches what stands from `batch` on to `no_columns`. */
#ifndef LIB_RUN_H
#define LIB_RUN_H

#include "lib/queue.h"
#include "wire/metrics.h"

struct cairn_run {
	cairn_client *client;
	char id[CAIRN_ID_SIZE], experiment_id[CAIRN_ID_SIZE];
	char *artifact_uri;
	char *metrics_path; /* where columns of points go */
	struct queue queue;
	atomic_bool stop; /* gives up the request in flight */
	pthread_t sender;
	bool sending; /* the thread was made */
	struct batch *batch;
	struct wire_point points[LIMIT_BATCH]; /* of the batch, for the columns */
	struct buf body;
	bool no_columns;      /* the server has no such route: points go as JSON */
	pthread_mutex_t lock; /* of last */
	struct fault last;
};

bool run_usable(const cairn_run *run);

/* The thread. arg is the run. */
void *sender_main(void *arg);

#endif
