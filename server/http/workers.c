#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/workers.h"

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	void (*run)(struct work *);
	size_t queue_limit;
	int64_t oldest_ms;
	unsigned limit;
	unsigned count;
	unsigned idle;
	bool stopping;
	struct work *head, *tail;
	size_t queued;
	pthread_t threads[];
};

bool
thread_start(pthread_t *out, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 2u << 20);
	error = pthread_create(out, &attr, run, arg);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0;
}

struct workers *
workers_new(unsigned threads, size_t queue_limit, int64_t oldest_ms, void (*run)(struct work *))
{
	struct workers *p = mem_alloc(sizeof *p + threads * sizeof p->threads[0]);

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->run = run;
	p->queue_limit = queue_limit;
	p->oldest_ms = oldest_ms;
	p->limit = threads;
	return p;
}

static struct work *
take(struct workers *p)
{
	struct work *w;

	p->idle++;
	while (p->head == NULL && !p->stopping)
		pthread_cond_wait(&p->more, &p->lock);
	p->idle--;
	if ((w = p->head) == NULL)
		return NULL;
	p->head = w->next;
	if (p->head == NULL)
		p->tail = NULL;
	p->queued--;
	return w;
}

static void *
work_loop(void *arg)
{
	struct workers *p = arg;
	struct work *w;

	pthread_mutex_lock(&p->lock);
	while ((w = take(p)) != NULL) {
		pthread_mutex_unlock(&p->lock);
		p->run(w);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static bool
has_room(const struct workers *p)
{
	if (p->queued < p->idle)
		return true;
	if (p->count == 0 || p->queued >= p->queue_limit)
		return false;
	return p->head == NULL || clock_mono_ms() - p->head->queued_mono_ms <= p->oldest_ms;
}

/* A new thread counts as idle only once it runs; `queued` work beyond the idle ones is what it is for. */
static bool
grow(struct workers *p)
{
	if (p->queued < p->idle || p->count == p->limit)
		return false;
	if (!thread_start(&p->threads[p->count], work_loop, p)) {
		log_warn("no thread", "threads=%u wanted=%u", p->count, p->limit);
		return false;
	}
	p->count++;
	return true;
}

bool
workers_submit(struct workers *p, struct work *w)
{
	bool taken;

	pthread_mutex_lock(&p->lock);
	taken = !p->stopping && (grow(p) || has_room(p));
	if (taken) {
		w->next = NULL;
		w->queued_mono_ms = clock_mono_ms();
		if (p->tail != NULL)
			p->tail->next = w;
		else
			p->head = w;
		p->tail = w;
		p->queued++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	return taken;
}

void
workers_stop(struct workers *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->count; i++)
		pthread_join(p->threads[i], NULL);
	p->count = 0;
}

void
workers_free(struct workers *p)
{
	if (p == NULL)
		return;
	workers_stop(p);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
