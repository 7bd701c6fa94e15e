/*
 * The ingest writer of a server that stores nothing: what is measured beside the real one. cairnd_null is cairnd, linked so that
 * ingest_submit() comes here (CMakeLists.txt): a request is accepted, scanned and handed to a thread, and answered by it, as ever, but
 * between the two nothing is packed and nothing committed.
 */
#include <pthread.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ingest/ingest.h"

struct waiting {
	struct waiting *next;
	ingest_done_fn *done;
	void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct waiting *first, **last = &first;

static struct waiting *
take_all(void)
{
	struct waiting *taken;

	pthread_mutex_lock(&lock);
	while (first == NULL)
		pthread_cond_wait(&filled, &lock);
	taken = first;
	first = NULL;
	last = &first;
	pthread_mutex_unlock(&lock);
	return taken;
}

static void *
answer_all(void *unused)
{
	(void)unused;
	for (;;)
		for (struct waiting *w = take_all(), *next; w != NULL; w = next) {
			next = w->next;
			w->done(w->arg, OK);
			free(w);
		}
	return NULL;
}

static void
start(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, answer_all, NULL) != 0)
		abort();
	(void)pthread_detach(thread);
}

enum status __wrap_ingest_submit(struct ingest *in, struct ctx *cx, const char *run_uuid,
	const struct point *points, size_t n, ingest_done_fn *done, void *arg);

enum status
__wrap_ingest_submit(struct ingest *in, struct ctx *cx, const char *run_uuid, const struct point *points,
	size_t n, ingest_done_fn *done, void *arg)
{
	struct waiting *w = mem_alloc(sizeof(*w));

	(void)in;
	(void)cx;
	(void)run_uuid;
	(void)points;
	(void)n;
	*w = (struct waiting){ NULL, done, arg };
	(void)pthread_once(&once, start);
	pthread_mutex_lock(&lock);
	if (first == NULL)
		pthread_cond_signal(&filled);
	*last = w;
	last = &w->next;
	pthread_mutex_unlock(&lock);
	return OK;
}
