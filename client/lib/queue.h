/*
 * What waits to be sent for one run: a ring of points, made once with its full size, and a list of parameters and tags.
 * Producers hold the lock for a few assignments; the sender takes up to LIMIT_BATCH items out at once and settles them later.
 * A point's key is kept once for the life of the queue and named by number.
 */
#ifndef LIB_QUEUE_H
#define LIB_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cairn/cairn.h"
#include "lib/lib.h"

#define LIMIT_BATCH          1000 /* items in one request */
#define LIMIT_LABELS         100  /* of them parameters; and tags */
#define LIMIT_WAITING_LABELS 10000
#define LIMIT_KEYS           100000
#define KEY_CHARS            250
#define PARAM_CHARS          6000
#define TAG_CHARS            8000

enum item_kind { ITEM_POINT, ITEM_PARAM, ITEM_TAG };

struct item {
	enum item_kind kind;
	const char *key;
	const char *text; /* PARAM, TAG */
	double value;     /* POINT, as the rest */
	int64_t step, unix_ms;
};

struct label {
	struct label *next;
	enum item_kind kind;
	char *text;
	char key[]; /* the text stands behind it */
};

/* Taken out and in flight: belongs to the sender. Labels stand first; keys of points are the queue's. */
struct batch {
	struct item items[LIMIT_BATCH];
	size_t count, labels;
	struct label *owned;
};

struct point {
	int64_t step, unix_ms;
	double value;
	uint32_t key;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t wake;    /* the sender */
	pthread_cond_t settled; /* those who flush */
	struct point *ring;
	size_t size, head, count;
	char **keys;
	uint32_t *slots; /* hash table of number + 1; 0: free */
	size_t key_count, slot_count;
	struct label *first, *tail;
	size_t label_count;
	enum cairn_drop drop;
	bool stop;
	unsigned hurry;                                        /* how many flush */
	uint64_t points_in, points_out, labels_in, labels_out; /* accepted; dealt with */
	uint64_t sent, dropped, requests, retries;
	struct fault last; /* of the sender */
	struct fault lost; /* why something was lost first */
};

bool queue_init(struct queue *q, size_t points, enum cairn_drop drop); /* false: no memory */
void queue_fini(struct queue *q);

/* Producers. CAIRN_OK, CAIRN_EINVAL or CAIRN_ECONFLICT (cairn.h). */
int queue_point(struct queue *q, const char *key, double value, int64_t step, int64_t unix_ms);
int queue_label(struct queue *q, enum item_kind kind, const char *key, const char *text);

/* The sender waits: for anything, then at most linger_ms for a full batch. False: stop. */
bool queue_take(struct queue *q, struct batch *b, int64_t linger_ms);
/* items [from, to) were acknowledged, or are lost for f. */
void queue_sent(struct queue *q, const struct batch *b, size_t from, size_t to);
void queue_lost(struct queue *q, const struct batch *b, size_t from, size_t to, const struct fault *f);
void queue_failure(struct queue *q, const struct fault *f); /* to be tried again */
void queue_request(struct queue *q);
/* Sleeps; shorter when somebody flushes and may_hurry. False: stop. */
bool queue_sleep(struct queue *q, int64_t ms, bool may_hurry);
void batch_clear(struct batch *b);

/* Until all that was accepted before is dealt with. False: the time is over. */
bool queue_wait(struct queue *q, int64_t deadline_mono_ms);
void queue_stop(struct queue *q);
void queue_counts(struct queue *q, cairn_run_counts *out);

/* MLflow's rule for keys of points, parameters and tags. */
bool key_allowed(const char *key);

#endif
